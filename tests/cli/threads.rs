//! The same bytes for any number of threads, in files and in a stream.

use super::support::Folder;
use std::fmt::Write;

/// About 12 MB of records, which is several parts: prose, chrome, repeats within reach and far away, copies, bad records,
/// escapes, sites. The same at every call.
fn records() -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    const WORDS: [&str; 12] = [
        "harbour",
        "morning",
        "letter",
        "caf\\u00e9",
        "nobody",
        "winter",
        "the",
        "was",
        "of",
        "\\\"quiet\\\"",
        "ship",
        "and",
    ];
    const CHROME: [&str; 4] = ["Skip to content", "Accept all cookies", "Subscribe to our newsletter", "Yes."];
    let mut records = String::new();
    while records.len() < 12 << 20 {
        let site = next(40);
        if next(500) == 0 {
            records.push_str("{\"text\": no JSON\n");
            continue;
        }
        let _ =
            write!(records, "{{\"id\":{},\"url\":\"https://www.site{site}.example/page\",\"text\":\"", records.len());
        for line in 0..4 + next(12) {
            if line > 0 {
                records.push_str("\\n");
            }
            match next(10) {
                0 => records.push_str(CHROME[usize::try_from(next(4)).expect("four fit")]),
                // A line that many pages have, some of them of one site alone.
                1 | 2 => {
                    let _ = write!(
                        records,
                        "Number {} of the lines that stand on many pages of this corpus, here and there.",
                        next(2000)
                    );
                }
                3 => {}
                _ => {
                    for _ in 0..12 + next(30) {
                        records.push_str(WORDS[usize::try_from(next(12)).expect("twelve fit")]);
                        records.push(' ');
                    }
                    let _ = write!(records, "{}.", next(1_000_000_000));
                }
            }
        }
        records.push_str("\"}\n");
    }
    records
}

/// A folder with the records as one large file, some of them once more, and small files of text.
fn corpus() -> Folder {
    let records = records();
    let some = &records[..records[..1 << 19].rfind('\n').expect("a record ends there") + 1];
    let mut folder = Folder::new().with("in/b.jsonl", &records).with("in/sub/c.jsonl", some);
    for (number, record) in records.lines().filter(|line| line.ends_with("\"}")).take(60).enumerate() {
        let (_, text) = record.split_once("\"text\":\"").expect("a record has its text");
        folder = folder.with(&format!("in/{number}.txt"), text.replace("\\n", "\n"));
    }
    folder
}

#[test]
fn any_number_of_threads_and_any_memory_gives_the_same_bytes() {
    let folder = corpus();
    for arguments in ["", "--scope site --drop-empty --on-bad-record skip", "--keep none --scope corpus --fold letters"]
    {
        let mut outcomes = ["1", "2", "7", "2 --memory 256MiB --tmp-dir ."].map(|threads| {
            let ran = folder.run(&format!(
                "clean in -o out --force --journal journal --report report -j {threads} --max-removed-document 0.5 {arguments}"
            ));
            ran.ends_with(1);
            let mut report = folder.json("report");
            report["times"] = serde_json::Value::Null;
            (threads, ran.stderr, folder.tree("out"), folder.bytes("journal"), report)
        });
        let (first, others) = outcomes.split_first_mut().expect("there are four");
        assert!(first.4["removed"]["repeats"]["blocks"].as_u64() > Some(1000), "{}", first.4);
        for other in others {
            // Compared one by one, for a difference of megabytes cannot be read.
            assert_eq!(first.1, other.1, "{arguments} -j {}", other.0);
            assert_eq!(first.4, other.4, "{arguments} -j {}", other.0);
            assert!(first.2 == other.2, "outputs differ: {arguments} -j {}", other.0);
            assert!(first.3 == other.3, "journals differ: {arguments} -j {}", other.0);
        }
        std::fs::remove_dir_all(folder.path("out")).expect("the output is there");
    }
}

/// But for templates, which a stream cannot know before their pages have come.
#[test]
fn a_stream_and_a_file_give_the_same_bytes() {
    let records = records();
    let folder = Folder::new().with("in.jsonl", &records);
    folder.run("clean in.jsonl -o out.jsonl -q --level rules").ends_with(1);
    for threads in ["1", "2", "7"] {
        let ran = folder.run_on(&records, &format!("clean - -q -j {threads} --journal journal --force --level rules"));
        ran.ends_with(1);
        assert!(ran.stdout == folder.read("out.jsonl"), "-j {threads}");
    }
    folder.run("restore out.jsonl --journal journal -o back.jsonl").ends_with(0);
    assert!(folder.read("back.jsonl") == records);
}

#[test]
fn a_large_corpus_is_restored_bit_for_bit() {
    let folder = corpus();
    folder.run("clean in -o out --journal journal -q -j 2").ends_with(1);
    folder.run("restore out --journal journal -o back -q").ends(0, &[]);
    assert!(folder.tree("back") == folder.tree("in"));
}
