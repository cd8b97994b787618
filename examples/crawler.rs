//! A crawler: pages arrive on several threads, which share one [`Cleaner`] and what it has seen so far.
//!
//! ```sh
//! cargo run --release --example crawler
//! ```
//!
//! For each page it prints what is left, and what was cut and why. Which of two pages with a paragraph in common comes
//! first is up to the threads, as on the web it is up to the servers: exactly one of them keeps the paragraph.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use dehusk::{Cleaner, Config, Cut, Document, Reason, Scratch};
use std::fmt::Write;
use std::sync::{Mutex, mpsc};
use std::thread;

struct Page {
    url: &'static str,
    text: &'static str,
}

const PAGES: &[Page] = &[
    Page {
        url: "https://www.harbour-times.com/news/1",
        text: "Skip to content\nSign in\nStorm keeps the ferry in port\n\
               The ferry to the islands stayed in port on Tuesday, as waves of six metres closed the strait.\n\
               The harbour master expects it to sail again on Thursday morning, weather permitting.\n\
               Share on Facebook\nAll rights reserved.\n",
    },
    Page {
        url: "https://news.example.org/ferry",
        text: "Accept all cookies\nIslands cut off\n\
               The ferry to the islands stayed in port on Tuesday, as waves of six metres closed the strait.\n\
               On the islands, bread was sold out by noon, and the school stayed closed for the day.\n\
               Subscribe to our newsletter\n",
    },
    Page {
        url: "https://www.harbour-times.com/news/1?print=yes",
        text: "Storm keeps the ferry in port\n\
               The ferry to the islands stayed in port on Tuesday, as waves of six metres closed the strait.\n\
               The harbour master expects it to sail again on Thursday morning, weather permitting.\n",
    },
    Page {
        url: "https://www.harbour-times.com/letters/7",
        text: "Skip to content\nSign in\nA letter\n\"Sign in,\" said the clerk, and I signed in.\nAll rights reserved.\n",
    },
];

fn main() -> dehusk::Result<()> {
    // With Scope::Site in its place, only repeats within a site would count.
    let cleaner = Cleaner::new(&Config::default())?;
    let (sender, arriving) = mpsc::channel();
    let arriving = Mutex::new(arriving);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..3).map(|_| scope.spawn(|| work(&cleaner, &arriving))).collect();
        for page in PAGES {
            sender.send(page).expect("the receiver outlives the scope");
        }
        // No more pages: the workers come to their end.
        drop(sender);
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })
}

/// Cleans pages until no more arrive.
fn work(cleaner: &Cleaner, arriving: &Mutex<mpsc::Receiver<&Page>>) -> dehusk::Result<()> {
    let mut scratch = Scratch::default();
    loop {
        let Ok(page) = arriving.lock().expect("nobody panics while waiting for a page").recv() else {
            return Ok(());
        };
        let document = Document { url: Some(page.url), ..Document::new(page.text) };
        let cleaned = cleaner.clean(&document, &mut scratch)?;
        let number = cleaned.document().map_or(0, |document| document + 1);
        let mut told = format!("page {number}: {}\n", page.url);
        for line in String::from_utf8_lossy(cleaned.text()).lines() {
            let _ = writeln!(told, "    {line}");
        }
        for cut in cleaned.cuts() {
            let text = &page.text[cut.span.start..cut.span.end];
            let _ = writeln!(told, "  - {:40.40} {}", text.trim_end(), why(cleaner, cut));
        }
        println!("{told}");
    }
}

fn why(cleaner: &Cleaner, cut: &Cut) -> String {
    match cut.reason {
        Reason::Rule(rule) => format!("rule {}", cleaner.rules().id(rule)),
        Reason::Repeat(place) => {
            let first = cleaner.locate(place);
            format!("stands in line {} of page {}", first.block + 1, first.document + 1)
        }
        Reason::Copy(place) => format!("all of it is a copy of page {}", cleaner.locate(place).document + 1),
        Reason::Score(score) => format!("it looks like chrome, with a score of {score}"),
        Reason::Template(template) => {
            format!("{} of {} pages of the site have it", template.documents, template.of)
        }
        Reason::Running(pages) => format!("{pages} pages of the document have it"),
        Reason::Gap => "a blank line beside what went".into(),
    }
}
