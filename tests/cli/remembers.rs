//! Runs that remember what they cleaned, and runs that are held against what others did.

use super::support::{BAKER, Folder, SHIP};
use dehusk::{Config, Crawl, Document};

const CLEAN: &str = "clean --level rules -q";

/// Two folders that have a line in common, which stands beside a short one.
fn corpora() -> Folder {
    Folder::new()
        .with("monday/a.txt", format!("Harbour news\n{SHIP}\nThe end\n"))
        .with("tuesday/b.txt", format!("Old news\nHarbour news\n{SHIP}\nThe end\nOnly Tuesday has this.\n"))
        .with("tuesday/c.txt", format!("{BAKER}\n"))
}

/// What `dehusk index stats` counts: fingerprints, documents, commits.
fn counts(folder: &Folder, index: &str) -> [u64; 3] {
    let stats = folder.run(&format!("index stats {index} --json"));
    let stats: serde_json::Value = serde_json::from_str(&stats.stdout).expect("it is JSON");
    ["fingerprints", "documents", "commits"].map(|name| stats[name].as_u64().expect("a number"))
}

#[test]
fn what_an_earlier_run_had_goes_with_the_short_lines_beside_it() {
    let folder = corpora();
    folder.run(&format!("{CLEAN} monday -o out/monday --index seen")).ends(0, &[]);
    folder.run(&format!("{CLEAN} tuesday -o out/tuesday --index seen --journal journal")).ends(0, &[]);
    assert_eq!(folder.bytes("out/monday/a.txt"), folder.bytes("monday/a.txt"));
    assert_eq!(folder.read("out/tuesday/b.txt"), "Old news\nOnly Tuesday has this.\n");
    // What has nothing of its own is not kept as a document.
    assert_eq!(counts(&folder, "seen"), [7, 3, 2]);
    folder.run("index verify seen").ends_with(0);

    let first = std::fs::canonicalize(folder.path("monday/a.txt")).expect("it is there").display().to_string();
    let cuts: Vec<_> = folder.journal("journal").into_iter().filter(|line| line["reason"] == "repeat").collect();
    let places: Vec<_> = cuts.iter().map(|cut| cut["first"].clone()).collect();
    let place = |line: u64| serde_json::json!({"document": first, "line": line});
    assert_eq!(places, [place(1), place(2), place(3)]);
    folder.run("restore out/tuesday -o back --journal journal").ends_with(0);
    assert!(folder.tree("back") == folder.tree("tuesday"));

    let told = folder.run("explain tuesday/b.txt --index seen --level rules").stdout;
    assert!(told.contains(&format!("repeats {first}:2")), "{told}");
}

#[test]
fn the_same_again_comes_out_the_same() {
    let folder = corpora();
    for round in ["1", "2", "3"] {
        for day in ["monday", "tuesday"] {
            folder.run(&format!("{CLEAN} {day} -o out{round}/{day} --index seen")).ends(0, &[]);
        }
        assert!(folder.tree(&format!("out{round}")) == folder.tree("out1"), "round {round}");
        assert_eq!(counts(&folder, "seen"), [7, 3, 2], "round {round}");
    }
    // Both at once, in the other order: who came first has not changed.
    folder.run(&format!("{CLEAN} tuesday monday -o both --index seen")).ends(0, &[]);
    assert!(folder.tree("both") == folder.tree("out1"));
}

#[test]
fn of_records_with_one_address_the_first_of_a_run_stays() {
    let record = |url: &str, text: &str| format!("{{\"url\":\"{url}\",\"text\":\"{text}\"}}\n");
    let [one, other] = ["https://a.example/1", "https://a.example/2"];
    let folder = Folder::new()
        .with("in.jsonl", [record(one, SHIP), record(one, SHIP), record(other, BAKER), record(one, BAKER)].concat())
        // Another file, in which the same page comes again.
        .with("again.jsonl", [record(other, SHIP), record(one, SHIP)].concat());
    let left = [record(one, SHIP), record(one, ""), record(other, BAKER), record(one, "")].concat();
    // Names that look as if they had been given to the second of a name, and the same file by two names.
    let odd =
        [record("x", "A"), record("x", "B"), record("x (2)", "C"), record("x", "D"), record("x (2)", "E")].concat();
    let long = |text: &str| odd.replace("\"text\":\"", &format!("\"text\":\"{text}"));
    let folder = folder.with("odd/in.jsonl", long(SHIP)).with("odd/in.txt", BAKER).with_link("also", "odd");
    for _ in 0..2 {
        let _ = folder.run(&format!("{CLEAN} odd also -o odd.out --index odd.index --force --max-removed-run 1"));
        folder.run("index verify odd.index").ends_with(0);
        let left =
            folder.files("odd.out").iter().map(|file| folder.read(&format!("odd.out/{file}"))).collect::<String>();
        assert_eq!((left.matches(SHIP).count(), left.matches(BAKER).count()), (5, 1), "{left}");
    }
    for _ in 0..2 {
        folder.run(&format!("{CLEAN} in.jsonl -o out.jsonl --index seen --force")).ends(0, &[]);
        assert_eq!(folder.read("out.jsonl"), left);
        folder.run(&format!("{CLEAN} again.jsonl -o again.out --index seen --force")).ends(0, &[]);
        assert_eq!(folder.read("again.out"), [record(other, ""), record(one, SHIP)].concat());
    }
}

#[test]
fn a_dry_run_and_an_explanation_leave_an_index_as_it_is() {
    let folder = corpora();
    folder.run("clean monday -n --index seen --level rules").ends_with(0);
    folder.run("explain monday/a.txt --index seen --level rules").ends_with(0);
    assert!(!folder.exists("seen"));
    folder.run(&format!("{CLEAN} monday -o out --index seen")).ends(0, &[]);
    // While somebody writes to it, too.
    let config = Config { level: dehusk::Level::Rules, ..Config::default() };
    let crawl = Crawl::open(folder.path("seen"), &config).expect("it can be opened");
    let before = folder.tree("seen");
    let told = folder.run("clean tuesday -n --index seen --level rules");
    assert!(told.stdout.contains("The ship left the harbour"), "{told:?}");
    let refused = folder.run(&format!("{CLEAN} tuesday -o out2 --index seen"));
    let what = "error: seen: another process writes to this index; wait until it has ended, or only read it";
    refused.ends(2, &[what]);
    assert!(!folder.exists("out2") && folder.tree("seen") == before);
    drop(crawl);
}

#[test]
fn a_crawl_and_runs_share_an_index() {
    let url = "https://a.example/1";
    let record = |text: &str| format!("{{\"url\":\"{url}\",\"text\":\"{text}\"}}\n");
    let folder = corpora().with("pages.jsonl", record(SHIP) + &record(BAKER).replace("/1", "/2"));
    folder.run(&format!("{CLEAN} pages.jsonl -o pages.out --index seen")).ends(0, &[]);
    let config = Config { level: dehusk::Level::Rules, ..Config::default() };
    let crawl = Crawl::open(folder.path("seen"), &config).expect("it can be opened");
    let clean = |url| {
        let page = crawl.clean(&Document { url: Some(url), ..Document::new(SHIP) }).expect("it can be cleaned");
        String::from_utf8(page.into_text()).expect("it is text")
    };
    assert_eq!([clean(url), clean("https://a.example/3")], [SHIP, ""]);
    crawl.commit().expect("it can be written");
    drop(crawl);
    folder.run(&format!("{CLEAN} tuesday -o out --index seen")).ends(0, &[]);
    assert_eq!(folder.read("out/b.txt"), "Old news\nHarbour news\nThe end\nOnly Tuesday has this.\n");
    assert_eq!(folder.read("out/c.txt"), "");
}

#[test]
fn what_stands_in_a_reference_goes_whoever_has_it_and_nothing_is_added_to_it() {
    let folder = corpora().with("more/d.txt", format!("{BAKER}\nMore.\n"));
    folder.run(&format!("{CLEAN} monday -o ref1 --index test-set")).ends(0, &[]);
    folder.run(&format!("{CLEAN} more -o ref2 --index other-set")).ends(0, &[]);
    let before = [folder.tree("test-set"), folder.tree("other-set")];
    let against = "--against test-set --against other-set --max-removed-run 1";
    folder.run(&format!("{CLEAN} tuesday monday -o out {against} --journal journal --index seen")).ends(0, &[]);
    // The very documents that it was made from, too.
    assert_eq!(folder.read("out/monday/a.txt"), "");
    assert_eq!(folder.read("out/tuesday/b.txt"), "Old news\nOnly Tuesday has this.\n");
    assert_eq!(folder.read("out/tuesday/c.txt"), "");
    assert!([folder.tree("test-set"), folder.tree("other-set")] == before);
    // What went is not remembered as seen.
    assert_eq!(counts(&folder, "seen"), [2, 1, 1]);
    let baker = std::fs::canonicalize(folder.path("more/d.txt")).expect("it is there").display().to_string();
    let cuts = folder.journal("journal");
    let cut = cuts.iter().find(|line| line["text"] == format!("{BAKER}\n")).expect("it is cut");
    assert_eq!(cut["first"], serde_json::json!({"index": "other-set", "document": baker, "line": 1}));
    let told = folder.run(&format!("explain tuesday/c.txt --level rules {against}")).stdout;
    assert!(told.contains(&format!("repeats {baker}:1 in other-set")), "{told}");
}

#[test]
fn a_reference_may_keep_no_owners() {
    let folder = corpora();
    let options = [("unit", "line"), ("fold", "loose"), ("scope", "corpus"), ("min-chars", "60")];
    let options = options.iter().fold(dehusk::Index::options(), |all, (name, value)| all.setting(name, value));
    let index = options.owners(false).open(folder.path("keys")).expect("it can be made");
    let folded = SHIP.to_lowercase();
    let claim = (dehusk::fingerprint::Fingerprint::of(folded.as_bytes()), dehusk::index::Owner::SOMEONE);
    dehusk::index::Claims::claim(&index, &[claim], &mut Vec::new()).expect("it can be claimed");
    index.commit().expect("it can be written");
    drop(index);
    folder.run(&format!("{CLEAN} tuesday -o out --against keys --journal journal")).ends(0, &[]);
    assert_eq!(folder.read("out/b.txt"), "Old news\nHarbour news\nThe end\nOnly Tuesday has this.\n");
    let cuts = folder.journal("journal");
    let cut = cuts.iter().find(|line| line["reason"] == "repeat").expect("it is cut");
    assert_eq!(cut["first"], serde_json::json!({"index": "keys", "document": ""}));
    let told = folder.run("explain tuesday/b.txt --level rules --against keys").stdout;
    assert!(told.contains("repeats a block in keys"), "{told}");
    let refused = folder.run(&format!("{CLEAN} tuesday -o out2 --index keys"));
    refused.ends(2, &["error: keys: the index keeps no owners, which are wanted; use another"]);
}

#[test]
fn what_does_not_go_with_an_index_is_refused() {
    let folder = corpora();
    folder.run(&format!("{CLEAN} monday -o out --index seen")).ends(0, &[]);
    for (arguments, told) in [
        (
            "--keep none --index seen",
            "configuration: index is given while keep is \"none\", for which all documents must be at hand, and those of \
             other runs are not; change one",
        ),
        (
            "--scope document --against seen",
            "configuration: against is given while scope is such that documents are not compared with each other; change one",
        ),
        (
            "--memory 1GiB --index seen",
            "configuration: index is given while memory is bounded, which goes with no index yet; change one",
        ),
        (
            "--min-chars 80 --index seen",
            "seen: the index was made with min-chars \"60\", and now it is \"80\"; say what it was made with, or use another \
             index",
        ),
        (
            "--unit paragraph --against seen",
            "seen: the index was made with unit \"line\", and now it is \"paragraph\"; say what it was made with, or use \
             another index",
        ),
        ("--index seen --against ./seen", "seen: is given as --index and --against; leave one out"),
        (
            "--report seen/list --force --index seen",
            "seen/list: is the index seen or in it, where nothing else may be written; choose another place",
        ),
        ("--against nowhere", "nowhere: there is no index; name the folder of one"),
        ("--index monday/a.txt", "monday/a.txt: is a file, and an index is a folder; name another"),
        ("--index monday", "monday: the folder is not empty, and is no index; name another, or an empty one"),
    ] {
        folder.run(&format!("{CLEAN} tuesday -o out2 {arguments}")).ends(2, &[&format!("error: {told}")]);
        assert!(!folder.exists("out2"), "{arguments}");
    }
    let told = "error: seen: is the index seen or in it, where nothing else may be written; choose another place";
    folder.run(&format!("{CLEAN} tuesday -o seen --index seen --force")).ends(2, &[told]);
    assert_eq!(counts(&folder, "seen")[2], 1);
}

/// A run over Tuesday that could not write all, since a folder had the name of an output.
fn unfinished(arguments: &str) -> Folder {
    let folder = corpora().with_folder("out/b.txt");
    folder.run(&format!("{CLEAN} monday -o before.out --index seen")).ends(0, &[]);
    folder.run(&format!("{CLEAN} monday -o set.out --index set")).ends(0, &[]);
    folder.run(&format!("{CLEAN} tuesday -o out --index seen --force {arguments}")).ends_with(1);
    std::fs::remove_dir(folder.path("out/b.txt")).expect("the folder is empty");
    folder
}

#[test]
fn nothing_is_remembered_of_a_run_that_could_not_write_all_until_it_has() {
    let folder = unfinished("");
    assert_eq!(folder.read("out/c.txt"), folder.read("tuesday/c.txt"));
    assert_eq!(counts(&folder, "seen"), [3, 1, 1]);
    folder.run(&format!("{CLEAN} tuesday -o out --index seen --resume")).ends(0, &[]);
    assert_eq!(counts(&folder, "seen"), [7, 3, 2]);
    assert_eq!(folder.read("out/b.txt"), "Old news\nOnly Tuesday has this.\n");
}

#[test]
fn nothing_and_next_to_nothing_can_be_remembered() {
    let folder = Folder::new().with("in/empty.txt", "").with("in/one.txt", "x").with("in/odd.txt", [0, 255, 10, 128]);
    let folder = folder.with("in/none.jsonl", "").with_folder("nothing");
    for _ in 0..2 {
        folder.run(&format!("{CLEAN} in -o out --index seen --force")).ends_with(0);
        assert!(folder.tree("out") == folder.tree("in"));
        // The odd one has two lines, so that it is a document that others may be copies of.
        assert_eq!(counts(&folder, "seen"), [2, 1, 1]);
    }
    let ran = folder.run(&format!("{CLEAN} nothing -o out2 --index seen2"));
    assert!(!ran.stderr.contains("panic"), "{ran:?}");
}

/// Pages of one site, whose lines around the text are templates where there are enough of them.
fn gazette(number: usize) -> String {
    let what: String = ('a'..='z').cycle().skip(3 * number).take(9).collect();
    let text = format!(
        "HARBOUR Gazette\\nNews | Sport\\nSign in »\\nThe tale of {what}\\nIn {what} they say: {SHIP} And so did {what}.\\nImprint of it\\n"
    );
    format!("{{\"url\":\"https://gazette.example/{number}\",\"text\":\"{text}\"}}\n")
}

#[test]
fn a_page_that_comes_again_loses_the_templates_that_it_lost_at_first() {
    let all: String = (0..12).map(gazette).collect();
    let folder = Folder::new().with("all.jsonl", &all).with("one.jsonl", gazette(7));
    let clean = "clean -q --pack cnet --index seen";
    folder.run(&format!("{clean} all.jsonl -o all.out")).ends(0, &[]);
    let left = folder.read("all.out").lines().nth(7).expect("there are twelve").to_owned() + "\n";
    assert!(!left.contains("HARBOUR") && !left.contains("Imprint") && left.contains("tale"), "{left}");
    let stats = folder.run("index stats seen --json").stdout;

    // Alone it shows no template.
    folder.run(&format!("{clean} one.jsonl -o one.out --journal journal")).ends(0, &[]);
    assert_eq!(folder.read("one.out"), left);
    assert_eq!(folder.run("index stats seen --json").stdout, stats);
    folder.run("restore one.out -o back --journal journal").ends_with(0);
    assert!(folder.bytes("back") == folder.bytes("one.jsonl"));

    // A crawl knows as well.
    let crawl = Crawl::open(folder.path("seen"), &Config { pack: vec!["cnet".into()], ..Config::default() });
    let crawl = crawl.expect("it can be opened");
    let page: serde_json::Value = serde_json::from_str(&gazette(7)).expect("it is JSON");
    let (text, url) = (page["text"].as_str().expect("it has one"), page["url"].as_str());
    let cleaned = crawl.clean(&Document { url, ..Document::new(text) }).expect("it can be cleaned");
    let expected: serde_json::Value = serde_json::from_str(&left).expect("it is JSON");
    assert_eq!(cleaned.text(), expected["text"].as_str().expect("it has one").as_bytes());
    drop(crawl);

    // Where the sites are forgotten, too.
    std::fs::remove_file(folder.path("seen/sites")).expect("it is there");
    let told = folder.run("explain one.jsonl --index seen --pack cnet").stdout;
    assert!(told.contains("template: as when the page came first"), "{told}");
    folder.run(&format!("{clean} one.jsonl -o one.out --force")).ends(0, &[]);
    assert_eq!(folder.read("one.out"), left);

    // What is to lose no template loses none.
    folder.run(&format!("{clean} one.jsonl -o rules.out --level rules")).ends(0, &[]);
    assert!(folder.read("rules.out").contains("HARBOUR"));
    folder.run("index verify seen").ends_with(0);
}

#[test]
fn what_the_fold_leaves_nothing_of_is_no_template() {
    let all: String = (0..12).map(|number| gazette(number).replace("Sign in »", "* * *")).collect();
    let folder = Folder::new().with("all.jsonl", &all);
    let clean = "clean all.jsonl -q --pack cnet --fold letters";
    folder.run(&format!("{clean} -o alone")).ends(0, &[]);
    for out in ["first", "again"] {
        folder.run(&format!("{clean} -o {out} --index seen")).ends(0, &[]);
        assert_eq!(folder.read(out), folder.read("alone"));
    }
    assert!(!folder.read("alone").contains("HARBOUR") && folder.read("alone").contains("* * *"));
    // By the usual fold it is one.
    folder.run("clean all.jsonl -q --pack cnet -o loose").ends(0, &[]);
    assert!(!folder.read("loose").contains("* * *"));
}

#[test]
fn new_pages_lose_the_templates_of_those_that_came_before() {
    let pages = |from: usize, to: usize| -> String { (from..to).map(gazette).collect() };
    let folder = Folder::new().with("many.jsonl", pages(0, 12)).with("new.jsonl", pages(20, 21));
    let clean = "clean -q --pack cnet --index seen";
    folder.run(&format!("{clean} new.jsonl -o alone.out --dry-run")).ends_with(0);
    folder.run(&format!("{clean} many.jsonl -o many.out")).ends(0, &[]);
    let told = folder.run("explain new.jsonl --index seen --pack cnet").stdout;
    assert!(told.contains("template: on 13 of 13 pages of the site"), "{told}");
    folder.run(&format!("{clean} new.jsonl -o new.out")).ends(0, &[]);
    let left = folder.read("new.out");
    assert!(!left.contains("HARBOUR") && !left.contains("Imprint") && left.contains("tale"), "{left}");

    // A crawl goes on with it, and a run with what the crawl brought.
    let crawl = |folder: &Folder, from: usize, to: usize| {
        let crawl = Crawl::open(folder.path("seen"), &Config { pack: vec!["cnet".into()], ..Config::default() });
        let crawl = crawl.expect("it can be opened");
        let clean = |number: usize| {
            let page: serde_json::Value = serde_json::from_str(&gazette(number)).expect("it is JSON");
            let (text, url) = (page["text"].as_str().expect("it has one"), page["url"].as_str());
            let cleaned = crawl.clean(&Document { url, ..Document::new(text) }).expect("it can be cleaned");
            String::from_utf8(cleaned.into_text()).expect("it is text")
        };
        let left: Vec<String> = (from..to).map(clean).collect();
        crawl.commit().expect("it can be written");
        left
    };
    let left = crawl(&folder, 21, 22);
    assert!(!left[0].contains("HARBOUR") && left[0].contains("tale"), "{left:?}");
    let other = Folder::new().with("new.jsonl", pages(20, 21));
    let left = crawl(&other, 0, 12);
    // The first pages of a site have nobody to compare with; each keeps what it had when it came first.
    let with_header: Vec<bool> = left.iter().map(|text| text.contains("HARBOUR")).collect();
    assert_eq!(with_header, (0..12).map(|number| number < 8).collect::<Vec<_>>(), "{left:?}");
    assert_eq!(crawl(&other, 0, 12), left);
    other.run(&format!("{clean} new.jsonl -o new.out")).ends(0, &[]);
    assert!(!other.read("new.out").contains("HARBOUR"));
    other.run("index verify seen").ends_with(0);
}

#[test]
fn a_run_that_only_gives_up_is_a_commit() {
    let page = |text: &str| format!("{{\"url\":\"https://a.example/1\",\"text\":\"{text}\"}}\n");
    let folder = Folder::new().with("in.jsonl", page(SHIP)).with("less.jsonl", page("Short.")).with("other.txt", SHIP);
    let clean = format!("{CLEAN} --on-changed release --index seen");
    folder.run(&format!("{clean} in.jsonl -o out.jsonl")).ends(0, &[]);
    folder.run(&format!("{clean} less.jsonl -o less.out")).ends(0, &[]);
    folder.run("index verify seen").ends_with(0);
    folder.run(&format!("{clean} other.txt -o other.out")).ends(0, &[]);
    assert_eq!(folder.read("other.out"), SHIP);
}

#[test]
fn a_copy_within_the_run_keeps_what_the_other_lost_to_it() {
    let folder = Folder::new().with("before/z.txt", format!("{SHIP}\nThen.\n"));
    folder.run(&format!("{CLEAN} before -o before.out --index seen")).ends(0, &[]);
    // In the place of the same file there is now a copy of another one.
    let text = format!("{SHIP}\nNow.\n");
    let folder = folder.with("before/z.txt", &text).with("before/e.txt", &text);
    for _ in 0..2 {
        folder.run(&format!("{CLEAN} before -o out --index seen --force")).ends(0, &[]);
        assert_eq!(folder.read("out/e.txt"), "Now.\n");
        assert!(folder.read("out/z.txt").starts_with(SHIP));
    }
}

#[test]
fn a_run_is_not_gone_on_with_when_an_index_has_become_another() {
    let folder = unfinished("--against set");
    let resume = format!("{CLEAN} tuesday -o out --index seen --against set --resume");
    for index in ["seen", "set"] {
        // Another one, made from the same.
        folder.shell(&format!("mv {index} aside")).ends_with(0);
        folder.run(&format!("{CLEAN} monday -o again.{index} --index {index}")).ends(0, &[]);
        let refused = folder.run(&resume);
        assert!(refused.stderr.contains("an index has changed since it was begun"), "{refused:?}");
        folder.shell(&format!("rm -r {index} && mv aside {index}")).ends_with(0);
    }
    folder.run(&resume).ends(0, &[]);
    assert_eq!(folder.read("out/b.txt"), "Old news\nOnly Tuesday has this.\n");
}
