//! Streams that are held against indexes, and remembered in them.

use super::support::{BAKER, Folder, SHIP};

const STREAM: &str = "clean - --level rules -q --index seen";

fn record(url: &str, text: &str) -> String {
    serde_json::json!({"url": url, "text": text}).to_string() + "\n"
}

fn stats(folder: &Folder) -> serde_json::Value {
    let stats = folder.run("index stats seen --json");
    serde_json::from_str(&stats.stdout).expect("it is JSON")
}

#[test]
fn what_came_before_goes_and_the_same_stream_comes_out_the_same() {
    let monday = record("https://a.example/1", &format!("Harbour news\n{SHIP}\nThe end"));
    let tuesday = record("https://a.example/2", &format!("Old news\nHarbour news\n{SHIP}\nThe end\nOnly today."))
        + &record("https://a.example/3", &format!("{BAKER}\n{SHIP}"))
        + &record("https://a.example/4", BAKER);
    let left = record("https://a.example/2", "Old news\nOnly today.")
        + &record("https://a.example/3", &format!("{BAKER}\n"))
        + &record("https://a.example/4", "");
    let folder = Folder::new().with("tuesday.jsonl", &tuesday).with_folder("out");
    folder.run_on(&monday, STREAM).ends(0, &[]).says(&monday);
    for round in 0..3 {
        folder.run_on(&tuesday, &format!("{STREAM} --journal journal --force")).ends(0, &[]).says(&left);
        assert_eq!(stats(&folder)["documents"], 4, "round {round}");
    }
    folder.run("index verify seen").ends_with(0);
    // A file is the same as its stream.
    folder.run("clean tuesday.jsonl -o out/files.jsonl --level rules -q --index seen").ends(0, &[]);
    assert_eq!(folder.read("out/files.jsonl"), left);

    let cuts: Vec<_> = folder.journal("journal").into_iter().filter(|line| line["reason"] == "repeat").collect();
    let places: Vec<_> = cuts.iter().map(|cut| cut["first"].clone()).collect();
    let place = |url: &str, line: u64| serde_json::json!({"document": url, "line": line});
    let (first, third) = ("https://a.example/1", "https://a.example/3");
    assert_eq!(places, [place(first, 1), place(first, 2), place(first, 3), place(first, 2), place(third, 1)]);
    let folder = folder.with("left.jsonl", &left);
    folder.run("restore left.jsonl -o back.jsonl --journal journal").ends_with(0);
    assert!(folder.bytes("back.jsonl") == tuesday.as_bytes());
}

#[test]
fn what_has_no_address_goes_by_the_name_of_the_stream_and_its_place() {
    let lines = format!("{SHIP}\n{BAKER}\n{SHIP}\n");
    let folder = Folder::new();
    let told = "warning: -:1: has no address, and is known to the index as \"-:1\", as that of another stream would be; name each \
                stream with --stdin-name";
    let stream = "clean - --level rules --framing lines --max-removed-run 1 --index seen";
    let ran = folder.run_on(&lines, stream);
    ran.ends_with(0);
    assert!(
        ran.stderr.lines().any(|line| line == told) && ran.stderr.matches("has no address").count() == 1,
        "{ran:?}"
    );
    ran.says(&format!("{SHIP}\n{BAKER}\n\n"));
    // Another stream has the first line too; the same again is the same again.
    for _ in 0..2 {
        let named = format!("{stream} -q --stdin-name second");
        folder.run_on(format!("{SHIP}\nIt is new today.\n"), &named).ends(0, &[]).says("\nIt is new today.\n");
        folder.run_on(&lines, &format!("{stream} -q --stdin-name -")).ends(0, &[]).says(&ran.stdout);
    }
    assert!(folder.run("index export seen").stdout.contains("\"-:1\""));

    // A text as a whole goes by the name alone.
    let whole = "clean - --level rules -q --max-removed-run 1 --index seen --stdin-name third";
    folder.run_on(format!("{SHIP}\nThird.\n"), whole).ends(0, &[]).says("Third.\n");
}

#[test]
fn an_index_that_is_only_read_takes_from_a_stream_and_learns_nothing() {
    let folder = Folder::new();
    folder.run_on(record("https://a.example/1", SHIP), STREAM).ends(0, &[]);
    let before = folder.tree("seen");
    let input = record("https://b.example/1", &format!("{SHIP}\n{BAKER}"))
        + &record("https://b.example/2", &format!("{BAKER}\nNew."));
    let left = record("https://b.example/1", BAKER) + &record("https://b.example/2", "New.");
    for _ in 0..2 {
        let against = "clean - --level rules -q --against seen --journal journal --force";
        folder.run_on(&input, against).ends(0, &[]).says(&left);
    }
    assert!(folder.tree("seen") == before);
    let first =
        &folder.journal("journal").into_iter().find(|line| line["reason"] == "repeat").expect("one went")["first"];
    assert_eq!(*first, serde_json::json!({"index": "seen", "document": "https://a.example/1", "line": 1}));
    // With another index besides, what is only read is not claimed.
    folder.run_on(&input, "clean - --level rules -q --against seen --index own").ends(0, &[]).says(&left);
    let own: serde_json::Value =
        serde_json::from_str(&folder.run("index stats own --json").stdout).expect("it is JSON");
    assert_eq!(own["documents"], 2);
}

#[test]
fn what_was_not_written_is_not_remembered() {
    let (good, bad) = (record("https://a.example/1", SHIP), "{\n");
    let folder = Folder::new();
    let stream = "clean - --level rules -q --index seen --on-bad-record stop -o out.jsonl";
    folder.run_on(format!("{good}{bad}"), stream).ends_with(3);
    assert!(!folder.exists("out.jsonl"));
    assert_eq!(stats(&folder)["fingerprints"], 0);
    folder.run_on(&good, stream).ends(0, &[]);
    assert_eq!(folder.read("out.jsonl"), good);
    assert_eq!(stats(&folder)["commits"], 1);
    let told = "error: configuration: a dry run that asks an index needs files, and standard input is none; save the input to a file";
    folder.run_on(&good, "clean - -n --index seen").ends(2, &[told]);
    let told = "error: seen/out: is the index seen or in it, where nothing else may be written; choose another place";
    folder.run_on(&good, "clean - --index seen -o seen/out").ends(2, &[told]);
}

#[test]
fn what_was_written_before_a_limit_is_remembered() {
    let folder = Folder::new();
    let stream = "clean - --level rules -q --index seen --stdin-name feed --on-limit stop --max-removed-document 0.1";
    let input = record("", SHIP) + &record("", &format!("{SHIP}\nMore."));
    let ran = folder.run_on(&input, stream);
    ran.ends_with(3).says(&(record("", SHIP) + &record("", "More.")));
    assert_eq!(stats(&folder)["documents"], 2);
}

#[test]
fn nothing_and_next_to_nothing_can_come() {
    let folder = Folder::new();
    for input in ["", "\n", "x", "{\"text\":\"\"}\n", "\u{feff}\n\n"] {
        let ran = folder.run_on(input, "clean - --framing none --index seen --stdin-name x -q");
        ran.ends_with(0).says(input);
    }
    folder.run("index verify seen").ends_with(0);
}

/// Pages of one site, whose lines around the text are templates where there are enough of them.
fn gazette(numbers: std::ops::Range<usize>) -> String {
    let page = |number: usize| {
        let what: String = ('a'..='z').cycle().skip(3 * number).take(9).collect();
        let text =
            format!("News | Sport\nHARBOUR Gazette »\nThe tale of {what}\nIn {what} they say that {what} came.\n");
        record(&format!("https://gazette.example/{number}"), &text)
    };
    numbers.map(page).collect()
}

#[test]
fn the_pages_of_a_site_profit_from_those_before_however_they_come() {
    let folder = Folder::new();
    let clean = "clean - -q --pack cnet --index";
    let ran = folder.run_on(gazette(0..24), &format!("{clean} seen"));
    let has_menu = |line: &str| line.contains("News | Sport");
    assert!(has_menu(ran.stdout.lines().next().expect("there are many")));
    assert!(!has_menu(ran.stdout.lines().last().expect("there are many")));
    // Indexes that are merged know the pages of all.
    for (index, numbers) in [("one", 0..6), ("two", 6..12)] {
        folder.run_on(gazette(numbers), &format!("{clean} {index}"));
    }
    assert!(has_menu(&folder.run_on(gazette(12..13), &format!("{clean} one")).stdout));
    folder.run("index merge all one two").ends(0, &[]);
    assert!(!has_menu(&folder.run_on(gazette(20..21), &format!("{clean} all")).stdout));
    // In two streams it is the same, and at any number of threads.
    let halves = [gazette(0..17), gazette(17..24)];
    for threads in [1, 2, 7] {
        let clean = format!("{clean} seen{threads} -j {threads}");
        let said: String = halves.iter().map(|half| folder.run_on(half, &clean).stdout).collect();
        assert_eq!(said, ran.stdout, "{threads} threads");
    }
}
