//! Someone who runs the command in a folder, with a server at hand.

use super::server::Server;
use crate::support::{Folder, Ran};
use std::io::Write;
use std::process::{Child, Command, Stdio};

/// What of the environment would lead past the server, or tell what it is not to know.
const NOT_OF_TESTS: [&str; 8] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL_S3",
];

/// Runs `dehusk` with arguments that have no spaces in them. In these, and in what is told, `HTTP` stands for the server.
pub(crate) fn run(folder: &Folder, server: &Server, arguments: &str) -> Ran {
    run_on("", folder, server, arguments)
}

/// The same, with something on standard input.
pub(crate) fn run_on(stdin: &str, folder: &Folder, server: &Server, arguments: &str) -> Ran {
    let mut child = start(folder, server, arguments);
    child.stdin.take().expect("it is piped").write_all(stdin.as_bytes()).expect("it is read");
    end(child, server)
}

/// The same, where one thing is otherwise in the environment.
pub(crate) fn run_with(folder: &Folder, server: &Server, arguments: &str, (name, value): (&str, &str)) -> Ran {
    let child = command(folder, server, arguments).env(name, value).spawn();
    end(child.expect("the command can be run"), server)
}

/// Starts it, and waits for nothing.
pub(crate) fn start(folder: &Folder, server: &Server, arguments: &str) -> Child {
    command(folder, server, arguments).spawn().expect("the command can be run")
}

fn command(folder: &Folder, server: &Server, arguments: &str) -> Command {
    let url = server.url();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dehusk"));
    for name in NOT_OF_TESTS {
        command.env_remove(name);
    }
    command
        .current_dir(folder.path("."))
        .args(arguments.replace("HTTP", &url).split_whitespace())
        .env("AWS_ENDPOINT", &url)
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "somebody")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Waits for its end.
pub(crate) fn end(child: Child, server: &Server) -> Ran {
    let ran = Ran::of(&child.wait_with_output().expect("the command can be waited for"));
    Ran { stderr: ran.stderr.replace(&server.url(), "HTTP"), ..ran }
}

/// The same on so many threads.
pub(crate) fn run_on_threads(folder: &Folder, server: &Server, threads: usize, arguments: &str) -> Ran {
    run(folder, server, &format!("{arguments} -j {threads}"))
}
