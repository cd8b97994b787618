//! Help, version, manual pages and completions.

use super::support::Folder;

const COMMANDS: [&str; 7] = ["clean", "restore", "explain", "eval", "packs", "completions", "man"];

#[test]
fn help_and_version_are_told_on_standard_output() {
    let folder = Folder::new();
    folder.run("--version").ends(0, &[]).says(&format!("dehusk {}\n", env!("CARGO_PKG_VERSION")));
    let ran = folder.run("--help");
    ran.ends(0, &[]);
    for command in COMMANDS {
        assert!(ran.stdout.contains(&format!("\n  {command} ")), "{command}: {}", ran.stdout);
        folder.run(&format!("{command} --help")).ends(0, &[]);
    }
    let exit_codes = "Exit codes: 0 fine; 1 finished, but something was bad (a file failed, a record could not be read, a\n\
                      limit was crossed); 2 usage or configuration; 3 stopped.\n";
    assert!(ran.stdout.ends_with(exit_codes), "{}", ran.stdout);
    assert!(folder.run("clean --help").stdout.ends_with(exit_codes));
}

#[test]
fn a_command_line_that_is_none_is_refused() {
    let folder = Folder::new();
    for (arguments, error) in [
        ("nothing", "error: unrecognized subcommand 'nothing'"),
        ("clean", "error: the following required arguments were not provided:"),
        ("restore a -o b", "error: the following required arguments were not provided:"),
        ("packs nothing", "error: unrecognized subcommand 'nothing'"),
        ("completions nothing", "error: invalid value 'nothing' for '<SHELL>'"),
        ("man nothing", "error: no command \"nothing\"; dehusk --help lists them"),
    ] {
        let ran = folder.run(arguments);
        ran.ends_with(2).says("");
        assert_eq!(ran.stderr.lines().next(), Some(error));
    }
    let ran = folder.run("");
    ran.ends_with(2).says("");
    assert!(ran.stderr.contains("Usage: dehusk <COMMAND>"), "{}", ran.stderr);
}

#[test]
fn every_shell_gets_its_completions() {
    let folder = Folder::new();
    for (shell, start) in [
        ("bash", "_dehusk() {"),
        ("zsh", "#compdef dehusk"),
        ("fish", "# Print an optspec"),
        ("powershell", "\nusing namespace System.Management.Automation"),
        ("elvish", "\nuse builtin;"),
    ] {
        let ran = folder.run(&format!("completions {shell}"));
        ran.ends(0, &[]);
        assert!(ran.stdout.starts_with(start), "{shell}: {}", &ran.stdout[..80]);
        for word in COMMANDS.into_iter().chain(["max-removed-document", "no-default-packs", "on-bad-record"]) {
            assert!(ran.stdout.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let folder = Folder::new();
    let ran = folder.run("man");
    ran.ends(0, &[]);
    assert!(ran.stdout.contains(".TH dehusk 1 "), "{}", ran.stdout);
    for command in COMMANDS {
        assert!(ran.stdout.contains(&format!("dehusk\\-{command}(1)")), "{command}: {}", ran.stdout);
        let ran = folder.run(&format!("man {command}"));
        ran.ends(0, &[]);
        assert!(ran.stdout.contains(&format!(".TH dehusk-{command} 1 ")), "{}", ran.stdout);
    }
    assert!(folder.run("man clean").stdout.contains("\\-\\-max\\-removed\\-document"));
}
