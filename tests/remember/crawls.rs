//! Crawls: pages that come in any order, again and again, with restarts and crashes between, against one pass over them all.

use super::{OnePass, page};
use dehusk::fingerprint::Fingerprint;
use dehusk::index::Known;
use dehusk::{Config, Crawl, Document, Index, IndexReader, Level, Reason, Scope};
use proptest::prelude::*;
use proptest::test_runner::{Config as Tries, RngSeed};
use std::path::Path;

fn config() -> Config {
    Config { level: Level::Rules, pack: vec!["web-es".into()], ..Config::default() }
}

fn open(folder: &Path, config: &Config) -> Crawl {
    Crawl::open(folder, config).expect("the crawl can be opened").commit_every(None)
}

fn address(page_idx: usize) -> String {
    format!("https://site-{}.example/{page_idx}", page_idx % 3)
}

fn url(page_idx: usize) -> Option<String> {
    Some(address(page_idx))
}

fn document<'d>(text: &'d str, url: &'d str) -> Document<'d> {
    Document { url: Some(url), ..Document::new(text) }
}

fn crawled(crawl: &Crawl, pages: &[String], page_idx: usize) -> String {
    let url = address(page_idx);
    let cleaned = crawl.clean(&document(&pages[page_idx], &url)).expect("a page can be cleaned");
    String::from_utf8(cleaned.into_text()).expect("what is left of a text is a text")
}

/// What happens in a crawl.
#[derive(Clone, Copy, Debug)]
enum Event {
    Page(usize),
    Commit,
    /// The crawl is ended in order, and begun again.
    Restart,
    /// It is ended without a commit.
    Crash,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        12 => (0..9_usize).prop_map(Event::Page),
        2 => Just(Event::Commit),
        1 => Just(Event::Restart),
        1 => Just(Event::Crash),
    ];
    prop::collection::vec(event, 1..60)
}

proptest! {
    #![proptest_config(Tries { cases: 20, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Tries::default() })]

    #[test]
    fn whatever_happens_pages_come_out_as_in_one_pass(
        pages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..14), 9),
        events in events(),
        scope in prop::sample::select(&[Scope::Corpus, Scope::Site][..]),
    ) {
        let pages: Vec<String> = pages.iter().map(|lines| page(lines)).collect();
        let config = Config { scope, ..config() };
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut crawl = open(folder.path(), &config);
        let (mut one_pass, mut n_committed) = (OnePass::new(&config, &pages, url), 0);
        for event in events {
            match event {
                Event::Page(page_idx) => prop_assert_eq!(crawled(&crawl, &pages, page_idx), one_pass.clean(page_idx)),
                Event::Commit | Event::Restart => {
                    crawl.commit().expect("it can be written");
                    let reader = IndexReader::open(folder.path()).expect("it can be read");
                    reader.verify().expect("it is whole");
                    n_committed = one_pass.cleaned.len();
                }
                Event::Crash => one_pass = one_pass.truncated(n_committed),
            }
            if matches!(event, Event::Restart | Event::Crash) {
                drop(crawl);
                crawl = open(folder.path(), &config);
            }
        }
    }
}

proptest! {
    #![proptest_config(Tries { cases: 12, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Tries::default() })]

    #[test]
    fn merging_two_indexes_is_one_crawl_after_the_other(
        pages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..14), 9),
        crawls in prop::collection::vec(prop::collection::vec(0..9_usize, 0..12), 2..4),
    ) {
        let pages: Vec<String> = pages.iter().map(|lines| page(lines)).collect();
        let config = config();
        let folder = tempfile::tempdir().expect("a folder can be made");
        let crawl_all = |name: &str, crawls: &[Vec<usize>]| {
            let crawl = open(&folder.path().join(name), &config);
            crawls.iter().flatten().for_each(|page_idx| drop(crawled(&crawl, &pages, *page_idx)));
            crawl.commit().expect("it can be written");
            IndexReader::open(folder.path().join(name)).expect("it can be read")
        };
        let others: Vec<IndexReader> =
            crawls.iter().zip(["1", "2", "3"]).map(|(crawl, name)| crawl_all(name, std::slice::from_ref(crawl))).collect();
        let wanted = exported(&crawl_all("one after the other", &crawls));
        // Once more: nothing changes.
        for _ in 0..2 {
            let merged = others[0].like(folder.path().join("merged")).expect("it can be made");
            others.iter().for_each(|other| merged.take_in(other).expect("they are of the same settings"));
            drop(merged);
            let reader = IndexReader::open(folder.path().join("merged")).expect("it can be read");
            reader.verify().expect("it is whole");
            prop_assert_eq!(&exported(&reader), &wanted);
        }
        let outputs = |name: &str| {
            let crawl = open(&folder.path().join(name), &config);
            (0..9).rev().map(|page_idx| crawled(&crawl, &pages, page_idx)).collect::<Vec<_>>()
        };
        prop_assert_eq!(outputs("merged"), outputs("one after the other"));
    }
}

/// Which page has which fingerprint.
fn exported(index: &IndexReader) -> Vec<(Fingerprint, Option<String>)> {
    let mut all = Vec::new();
    let take = |fingerprint, _, id: Option<&str>| {
        all.push((fingerprint, id.map(str::to_owned)));
        Ok(true)
    };
    index.each(take).expect("it can be read");
    all
}

#[test]
fn a_page_that_has_changed_keeps_what_it_had_and_claims_what_is_new() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let pages = [page(&[0, 1]), page(&[1, 2, 14]), page(&[0, 1, 2, 3])];
    let changed = [page(&[1, 2, 3, 0]), pages[1].clone(), pages[2].clone()];
    for round in 0..2 {
        let crawl = open(folder.path(), &config());
        // In the second round too: that it has been something else since makes no difference.
        assert_eq!(crawled(&crawl, &pages, 0), pages[0]);
        assert_eq!(crawled(&crawl, &pages, 1), page(&[2, 14]));
        let wanted = page(&[1, 3, 0]);
        assert_eq!(crawled(&crawl, &changed, 0), wanted);
        assert_eq!(crawled(&crawl, &changed, 0), wanted);
        assert_eq!(crawled(&crawl, &pages, 2), "", "round {round}");
        crawl.commit().expect("it can be written");
    }
}

#[test]
fn a_page_keeps_what_others_lost_to_it_even_where_it_becomes_a_copy_of_them() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let crawl = open(folder.path(), &config());
    let [first, second] = ["https://example.org/1", "https://example.org/2"];
    let clean = |text: &str, url| crawl.clean(&document(text, url)).expect("a page can be cleaned").into_text();
    let line = "This line is long enough to be dropped where it repeats, and the first page has it.\n";
    let grown =
        format!("{line}Short.\nAnother line that is long enough to be dropped where it repeats, on the second.\n");
    assert_eq!(clean(line, first), line.as_bytes());
    assert_eq!(clean(&grown, second), &grown.as_bytes()[line.len()..]);
    // As a whole it is a copy of the second now, which does not have what it lost.
    assert_eq!(clean(&grown, first), line.as_bytes());
}

#[test]
fn it_is_told_where_the_first_copy_is() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let crawl = open(folder.path(), &config());
    let pages = [page(&[11, 0, 6, 1]), page(&[7, 0, 6, 14, 14])];
    let many_blanks = "\n".repeat(5000);
    crawled(&crawl, &pages, 0);
    crawl.commit().expect("it can be written");
    let url = address(1);
    let cleaned = crawl.clean(&document(&pages[1], &url)).expect("a page can be cleaned");
    assert_eq!(cleaned.text(), page(&[7, 14]).as_bytes());
    let sources: Vec<_> = cleaned.cuts().iter().map(|cut| cleaned.source(cut).expect("they are repeats")).collect();
    let told: Vec<_> = sources.iter().map(|source| (source.id, source.block, source.is_same_page)).collect();
    let first = "https://site-0.example/0";
    assert_eq!(told, [(first, 1, false), (first, 2, false), ("", 3, true)]);
    let whole = crawl.clean(&document(&pages[0], "https://other.example/")).expect("a page can be cleaned");
    assert!(whole.text().is_empty() || whole.text() == b"\n", "{:?}", whole.text());
    assert!(whole.cuts().iter().any(|cut| matches!(cut.reason, Reason::Copy(_))));
    // Through thousands of blank lines nobody looks for more of a passage, and the block has its number all the same.
    let far = format!("{}{many_blanks}{}{}", page(&[6]), page(&[2]), page(&[8]));
    crawl.clean(&document(&far, "https://far.example/")).expect("a page can be cleaned");
    let near = format!("{}\n{}{}", page(&[7, 6]), page(&[2]), page(&[8]));
    let cleaned = crawl.clean(&document(&near, "https://near.example/")).expect("a page can be cleaned");
    assert_eq!(cleaned.text(), page(&[7, 6]).as_bytes());
    assert_eq!(
        cleaned.cuts().iter().filter_map(|cut| cleaned.source(cut)).map(|source| source.block).max(),
        Some(5002)
    );
    let chrome = crawl.clean(&Document::new("Saltar al contenido\n")).expect("a page can be cleaned");
    assert_eq!(chrome.source(&chrome.cuts()[0]), None);
}

#[test]
fn what_stands_in_an_index_that_is_only_read_goes_and_is_not_claimed() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let read = folder.path().join("read");
    let pages = [page(&[11, 0, 6, 1]), page(&[7, 0, 6, 14])];
    let crawl = open(&read, &config());
    crawled(&crawl, &pages[..1], 0);
    crawl.commit().expect("it can be written");
    drop(crawl);
    let config = Config { against: vec![read], ..config() };
    let crawl = open(&folder.path().join("own"), &config);
    for _ in 0..2 {
        let url = address(1);
        let cleaned = crawl.clean(&document(&pages[1], &url)).expect("a page can be cleaned");
        assert_eq!(cleaned.text(), page(&[7, 14]).as_bytes());
        let source = cleaned.source(&cleaned.cuts()[0]).expect("it is a repeat");
        assert_eq!((source.against, source.id), (Some(0), "https://site-0.example/0"));
    }
    // The page itself keeps what is nowhere else, and nothing more.
    crawl.commit().expect("it can be written");
    let stats = IndexReader::open(folder.path().join("own")).and_then(|reader| reader.stats());
    assert_eq!(stats.expect("it can be read").documents, 1);
}

#[test]
fn a_copy_of_a_page_goes_as_a_whole_whatever_templates_and_rules_agree_on() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let crawl = open(folder.path(), &Config { level: Level::Safe, ..config() });
    // The first lines are chrome by a rule at once, and templates when enough pages have come.
    let page = |number: u8| {
        // Numbers are masked, and do not tell lines apart.
        let what: String = ('a'..='z').cycle().skip(usize::from(3 * number)).take(9).collect();
        let told = "and it is long enough to be dropped where it repeats";
        // Beside what another page had first, its title stands nowhere else.
        let shared = if [3, 5].contains(&number) {
            format!("Two of the tales have this line, {told}.\n")
        } else {
            String::new()
        };
        format!(
            "Saltar al contenido\nSaltar al contenido\nThe tale of {what}\n{shared}Only {what} has this line, {told}.\n"
        )
    };
    let url = |number: u8| format!("https://a.example/{number}");
    for number in 0..12 {
        let (text, url) = (page(number), url(number));
        let left = crawl.clean(&document(&text, &url)).expect("a page can be cleaned").into_text();
        assert!(left.starts_with(b"The tale of "), "{:?}", String::from_utf8_lossy(&left));
    }
    for _ in 0..2 {
        let text = page(5);
        let cleaned = crawl.clean(&document(&text, "https://a.example/copy")).expect("a page can be cleaned");
        assert_eq!(String::from_utf8_lossy(cleaned.text()).trim(), "");
    }
}

proptest! {
    #![proptest_config(Tries { cases: 48, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Tries::default() })]

    #[test]
    fn pages_that_come_again_unchanged_lose_what_they_lost_at_first(
        pages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..8), 9..30),
        again in prop::collection::vec(0..9_usize, 1..40),
        edges in prop::sample::select(&[(0, 1), (1, 1), (2, 0), (2, 2)][..]),
    ) {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let crawl = open(folder.path(), &Config { level: Level::Safe, ..config() });
        let head = ["Saltar al contenido\nSaltar al contenido\n", "Gazette »\nNews | Sport\n"][..edges.0].concat();
        let tail = ["Imprint of it\n", "Line 3 is long enough to be dropped where it repeats, as it says itself, number 3.\n"];
        let tail = tail[..edges.1].concat();
        let pages: Vec<String> = pages.iter().map(|lines| head.clone() + &page(lines) + &tail).collect();
        let clean = |page_idx: usize| {
            let url = format!("https://site.example/{page_idx}");
            let cleaned = crawl.clean(&document(&pages[page_idx], &url)).expect("a page can be cleaned");
            String::from_utf8(cleaned.into_text()).expect("what is left of a text is a text")
        };
        let first: Vec<String> = (0..pages.len()).map(clean).collect();
        for page_idx in again {
            prop_assert_eq!(&clean(page_idx), &first[page_idx], "page {}", page_idx);
        }
        for page_idx in (0..pages.len()).rev() {
            prop_assert_eq!(&clean(page_idx), &first[page_idx], "page {}", page_idx);
        }
    }
}

#[test]
fn threads_keep_one_copy_of_each_line() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let crawl = open(folder.path(), &config()).commit_every(Some(7));
    let pages: Vec<String> = (0..200_u8).map(|number| page(&[number, number / 2, number / 3, 14, 15])).collect();
    let outputs: Vec<String> = std::thread::scope(|scope| {
        let (crawl, pages) = (&crawl, &pages);
        let threads: Vec<_> = (0..4)
            .map(|thread_idx| {
                let own = (thread_idx..200).step_by(4);
                scope.spawn(move || own.map(|page_idx| crawled(crawl, pages, page_idx)).collect::<Vec<_>>())
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("cleaning does not panic")).collect()
    });
    let mut long: Vec<&str> = outputs.iter().flat_map(|output| output.lines()).filter(|line| line.len() > 60).collect();
    let n_kept = long.len();
    long.sort_unstable();
    long.dedup();
    assert_eq!(n_kept, long.len(), "a line was kept twice");
    let mut wanted: Vec<&str> = pages.iter().flat_map(|page| page.lines()).filter(|line| line.len() > 60).collect();
    wanted.sort_unstable();
    wanted.dedup();
    assert_eq!(long, wanted, "a line was lost");
}

#[test]
fn pages_without_an_id_are_others_each_time() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let text = page(&[0, 1]);
    let crawl = open(folder.path(), &config());
    assert_eq!(crawl.clean(&Document::new(&text)).expect("it can be cleaned").text(), text.as_bytes());
    assert_eq!(crawl.clean(&Document::new(&text)).expect("it can be cleaned").text(), b"");
    let named = Document { id: Some("1"), ..Document::new(&text) };
    assert_eq!(crawl.clean(&named).expect("it can be cleaned").text(), b"");
    let n_documents = |folder: &Path| {
        let stats = IndexReader::open(folder).and_then(|reader| reader.stats());
        stats.expect("it can be read").documents
    };
    crawl.commit().expect("it can be written");
    assert_eq!(n_documents(folder.path()), 3);
    // Of which nothing is new.
    crawl.clean(&Document::new(&text)).expect("it can be cleaned");
    crawl.commit().expect("it can be written");
    assert_eq!(n_documents(folder.path()), 4);
    for nothing in ["", "\n", "x"] {
        assert_eq!(crawl.clean(&Document::new(nothing)).expect("it can be cleaned").text(), nothing.as_bytes());
    }
}

#[test]
fn what_a_crawl_cannot_do_is_refused() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("index");
    for (config, wanted) in [
        (Config { keep: dehusk::Keep::None, ..config() }, "keep is \"none\""),
        (Config { scope: Scope::Document, ..config() }, "scope is such that"),
        (Config { scope: Scope::Off, ..config() }, "scope is such that"),
    ] {
        let error = Crawl::open(&path, &config).expect_err("it is refused");
        assert!(error.is_config() && error.to_string().contains(wanted), "{error}");
    }
    drop(open(&path, &config()));
    let others = Config { min_chars: 80, ..config() };
    let error = Crawl::open(&path, &others).expect_err("it was made with others").to_string();
    assert!(error.contains("min-chars \"60\", and now it is \"80\""), "{error}");
    let index = Index::options().owners(false).open(folder.path().join("keys")).expect("it can be made");
    assert!(index.is_empty());
    drop(index);
    let error = Crawl::open(folder.path().join("keys"), &config()).expect_err("it keeps no owners");
    assert!(error.is_usage(), "{error}");
}

#[test]
fn damage_to_the_documents_is_told() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let pages = [page(&[0, 1, 6]), page(&[0, 1, 6])];
    {
        let crawl = open(folder.path(), &config());
        crawled(&crawl, &pages, 0);
        crawl.commit().expect("it can be written");
        let mut owners = Vec::new();
        crawl.index().owners(&[Fingerprint::of(b"nobody has this")], &mut owners).expect("it can be read");
        assert_eq!(owners, [None]);
    }
    let path = folder.path().join("documents");
    let whole = std::fs::read(&path).expect("it is there");
    let second = address(1);
    for at in (8..whole.len()).step_by(3) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        std::fs::write(&path, damaged).expect("it can be written");
        let crawl = open(folder.path(), &config());
        let error = crawl.clean(&document(&pages[1], &second)).expect_err("what it repeats cannot be read");
        assert!(error.is_damaged_index(), "{error}");
    }
    std::fs::write(&path, &whole[..whole.len() - 1]).expect("it can be written");
    assert!(Crawl::open(folder.path(), &config()).is_err_and(|error| error.is_damaged_index()));
    std::fs::write(&path, &whole).expect("it can be written");
    assert_eq!(crawled(&open(folder.path(), &config()), &pages, 1), "");
}
