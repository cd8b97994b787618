//! A small site, served on the loopback.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

const N_STORIES: usize = 24;
const HEADER: &str = "The Harbour Gazette, daily news from all the islands of the strait since 1884";
const WELCOME: &str = "These are the stories that our readers told us over the years, and some that we told them.";
const FOOTER: &str = "Printed and published by the Harbour Gazette Company, at the old mill behind the fish market";

/// A site, until the test ends.
pub(crate) struct Site {
    address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
}

#[derive(Default)]
struct Desk {
    requests: Vec<String>,
    watch: Option<Watch>,
}

/// After so many more requests, somebody gets the connection.
struct Watch {
    n_left: usize,
    answer: Answer,
    reached: Sender<TcpStream>,
}

/// Whether a request that was waited for is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    First,
    Not,
}

impl Site {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it has an address");
        let desk = Arc::new(Mutex::new(Desk::default()));
        let shared = Arc::clone(&desk);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let desk = Arc::clone(&shared);
                // Whoever is killed may leave off in the middle of a request.
                thread::spawn(move || drop(serve(connection, &desk)));
            }
        });
        Site { address, desk }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The paths that were asked for, in order.
    pub(crate) fn requests(&self) -> Vec<String> {
        lock(&self.desk).requests.clone()
    }

    /// Gives the connection of the request that comes as number `at` from now, and answers it before or not at all.
    pub(crate) fn watch(&self, at: usize, answer: Answer) -> Receiver<TcpStream> {
        let (reached, receiver) = channel();
        lock(&self.desk).watch = Some(Watch { n_left: at, answer, reached });
        receiver
    }

    /// What one thread makes of it: addresses and texts, in the order in which they are found.
    pub(crate) fn expected(&self) -> Vec<(String, String)> {
        let mut pages = vec![(self.url("/"), format!("{HEADER}\n\n{WELCOME}\n\n{FOOTER}\n\n"))];
        let stories = (1..=N_STORIES).map(|number| (self.url(&format!("/story/{number}")), expected_story(number)));
        pages.extend(stories);
        let round = |name: &str| {
            (
                self.url(&format!("/round/{name}")),
                format!("Round and round it goes, from here to there and back again: this is {name}.\n"),
            )
        };
        pages.extend([round("a"), round("b")]);
        pages
    }
}

/// The long paragraphs of all pages, each once.
pub(crate) fn paragraphs() -> Vec<String> {
    let of_stories = (1..=N_STORIES).flat_map(|number| [own(number), shared(number % 5)]);
    let mut paragraphs: Vec<String> = of_stories.chain([HEADER, WELCOME, FOOTER].map(str::to_owned)).collect();
    paragraphs.sort();
    paragraphs.dedup();
    paragraphs
}

fn own(number: usize) -> String {
    format!("This is what only story {number} tells, of a ship that left the harbour {number} times.")
}

fn shared(kind: usize) -> String {
    format!(
        "From our archive, part {kind}: the ferry that would not sink has forty seats and one cat, {kind} years old."
    )
}

fn expected_story(number: usize) -> String {
    // Four of the five are first in the stories 1 to 4, the last one in story 5.
    let archive = if number <= 5 { format!("\n\n{}", shared(number % 5)) } else { String::new() };
    format!("{}{archive}\n", own(number))
}

fn html(main: &str) -> Response {
    let body = format!(
        "<!DOCTYPE html><html><head><title>Gazette</title><script>var skip = 'me';</script></head><body>\
         <header><p>{HEADER}</p></header>\
         <nav><ul><li><a href='/'>Home</a></li><li><a href='/private/letters'>Sign in</a></li></ul></nav>\
         <main>{main}</main>\
         <footer><p>{FOOTER}</p></footer></body></html>"
    );
    Response { status: "200 OK", fields: "Content-Type: text/html; charset=utf-8\r\n".into(), body: body.into() }
}

struct Response {
    status: &'static str,
    fields: String,
    body: Vec<u8>,
}

fn response(path: &str) -> Response {
    let plain =
        |status, body: &str| Response { status, fields: "Content-Type: text/plain\r\n".into(), body: body.into() };
    let moved = |to| Response { status: "301 Moved Permanently", fields: format!("Location: {to}\r\n"), body: vec![] };
    if let Some(number) = path.strip_prefix("/story/").and_then(|number| number.parse().ok()) {
        let next = number % N_STORIES + 1;
        return html(&format!("<p>{}</p><p>{}</p><a href='{next}#top'></a>", own(number), shared(number % 5)));
    }
    match path {
        "/robots.txt" => plain("200 OK", "User-agent: *\nDisallow: /private/\n"),
        "/" => {
            let links: String = (1..=N_STORIES).map(|number| format!("<a href='story/{number}'></a>")).collect();
            html(&format!(
                "<p>{WELCOME}</p>{links}\
                 <a href='/old'></a><a href='/missing'></a><a href='/picture'></a><a href='/huge'></a>\
                 <a href='/bounce/a'></a><a href='/round/a'></a><a href='http://elsewhere.invalid/'></a>\
                 <a href='/trap' rel='nofollow'></a><a href='mailto:ship@elsewhere.invalid'></a><a href='http://['></a>"
            ))
        }
        "/round/a" => {
            html("<p>Round and round it goes, from here to there and back again: this is a.</p><a href='/round/b'></a>")
        }
        "/round/b" => html(
            "<p>Round and round it goes, from here to there and back again: this is b.</p><a href='/round/a#top'></a><a href='/round/./a'></a>",
        ),
        "/old" => moved("/story/3"),
        "/bounce/a" => moved("/bounce/b"),
        "/bounce/b" => moved("/bounce/a"),
        "/picture" => Response { status: "200 OK", fields: "Content-Type: image/png\r\n".into(), body: vec![0; 1000] },
        "/huge" => html(&"<p>More and more and more and more and more and more.</p>".repeat(5_000)),
        _ => plain("404 Not Found", "There is no such page."),
    }
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().expect("nobody panics at the desk")
}

fn serve(mut connection: TcpStream, desk: &Mutex<Desk>) -> std::io::Result<()> {
    let mut lines = BufReader::new(connection.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let watch = {
        let mut desk = lock(desk);
        desk.requests.push(path.clone());
        if let Some(watch) = &mut desk.watch {
            watch.n_left -= 1;
        }
        desk.watch.take_if(|watch| watch.n_left == 0)
    };
    if watch.as_ref().is_none_or(|watch| watch.answer == Answer::First) {
        // Whoever has enough of a large page does not listen to the end.
        let _ = respond(&mut connection, &response(&path));
    }
    if let Some(watch) = watch {
        // Nobody waits any more if the crawl has come to its end.
        let _ = watch.reached.send(connection);
    }
    Ok(())
}

fn respond(connection: &mut TcpStream, Response { status, fields, body }: &Response) -> std::io::Result<()> {
    let length = body.len();
    write!(connection, "HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\nConnection: close\r\n\r\n")?;
    connection.write_all(body)
}
