//! Packed inputs and outputs: told by how they start, whole or refused.

use super::support::{BAKER, Folder, PACKED, SHIP, packed, unpacked};

fn records() -> String {
    format!("{{\"text\":\"Skip to content\\n{SHIP}\"}}\n{{\"text\":\"{BAKER}\\n{SHIP}\"}}\n")
}

fn cleaned() -> String {
    format!("{{\"text\":\"{SHIP}\"}}\n{{\"text\":\"{BAKER}\\n\"}}\n")
}

#[test]
fn a_packed_file_comes_out_packed_and_is_restored() {
    for extension in PACKED {
        let name = format!("in/a.jsonl.{extension}");
        let folder = Folder::new().with(&name, packed(extension, records())).with("in/b.txt", "Skip to content\n");
        folder.run("clean in -o out --journal journal").ends_with(0);
        let out = format!("out/a.jsonl.{extension}");
        assert_eq!(unpacked(extension, &folder.bytes(&out)), Some(cleaned().into_bytes()), "{extension}");
        assert_eq!(folder.read("out/b.txt"), "");
        folder.run("restore out --journal journal -o back").ends_with(0);
        let back = folder.bytes(&format!("back/a.jsonl.{extension}"));
        assert_eq!(unpacked(extension, &back), Some(records().into_bytes()), "{extension}");
        assert_eq!(folder.read("back/b.txt"), "Skip to content\n");
    }
}

#[test]
fn what_a_file_is_packed_with_is_told_by_its_bytes() {
    for extension in PACKED {
        let folder =
            Folder::new().with("a.jsonl", packed(extension, records())).with("b", packed(extension, records()));
        for name in ["a.jsonl", "b"] {
            folder.run(&format!("clean {name} -o out --force")).ends_with(0);
            assert_eq!(unpacked(extension, &folder.bytes("out")), Some(cleaned().into_bytes()), "{extension}");
        }
        // A name alone packs nothing.
        let folder = Folder::new().with(&format!("a.jsonl.{extension}"), records());
        folder.run(&format!("clean a.jsonl.{extension} -o out")).ends_with(0);
        assert_eq!(folder.read("out"), cleaned());
    }
}

#[test]
fn standard_output_is_packed_only_if_asked() {
    for extension in PACKED {
        let folder = Folder::new().with("a.jsonl", packed(extension, records()));
        folder.run("clean a.jsonl -o -").ends_with(0).says(&cleaned());
        folder.run_on(packed(extension, records()), "clean -").ends_with(0).says(&cleaned());
        folder.run_on(packed(extension, records()), "clean - -o out --journal journal").ends_with(0);
        assert_eq!(folder.read("out"), cleaned());
    }
    let folder = Folder::new().with("a.jsonl", records());
    for (codec, extension) in [("gzip", "gz"), ("zstd", "zst"), ("xz", "xz"), ("bzip2", "bz2"), ("lz4", "lz4")] {
        folder.run_on(records(), &format!("clean - -o out --force --compress {codec}")).ends_with(0);
        assert_eq!(unpacked(extension, &folder.bytes("out")), Some(cleaned().into_bytes()), "{codec}");
    }
}

#[test]
fn outputs_can_be_packed_otherwise_and_are_named_so() {
    let folder = Folder::new()
        .with("in/a.jsonl.gz", packed("gz", records()))
        .with("in/sub/b.jsonl", records().replace("ship", "boat").replace("baker", "cook"));
    folder.run("clean in -o out --compress zstd --compress-level 19 --journal journal").ends_with(0);
    assert_eq!(folder.files("out"), ["a.jsonl.zst", "sub/b.jsonl.zst"]);
    assert_eq!(unpacked("zst", &folder.bytes("out/a.jsonl.zst")), Some(cleaned().into_bytes()));
    folder.run("restore out --journal journal -o back").ends_with(0);
    assert_eq!(folder.files("back"), ["a.jsonl.gz", "sub/b.jsonl"]);
    assert_eq!(unpacked("gz", &folder.bytes("back/a.jsonl.gz")), Some(records().into_bytes()));
    assert_eq!(folder.bytes("back/sub/b.jsonl"), folder.bytes("in/sub/b.jsonl"));
    folder.run("clean in/a.jsonl.gz -o plain/ --compress none").ends_with(0);
    assert_eq!(folder.read("plain/a.jsonl"), cleaned());
    // Two names may become one.
    let folder = folder.with("in/a.jsonl.xz", packed("xz", records()));
    let error = "error: in/a.jsonl.gz and in/a.jsonl.xz would both be written to none/a.jsonl; \
                 rename one, or clean them one by one";
    folder.run("clean in -o none --compress none").ends(2, &[error]);
}

#[test]
fn levels_are_those_of_the_codec() {
    let folder = Folder::new().with("a.txt", "Text.\n");
    for (options, what) in [
        ("--compress gzip --compress-level 10", "10; give one from 0 to 9"),
        ("--compress zstd --compress-level 0", "0; give one from 1 to 22"),
        ("--compress-level 19", "19; give one from 1 to 9"),
        ("--compress lz4 --compress-level 1", "1; what is written has no levels; leave it out, or change --compress"),
    ] {
        let error = format!("error: command line: compress-level is {what}");
        let ran = folder.run(&format!("clean a.txt -o out {options}"));
        assert!(ran.stderr.contains(&format!("compress-level is {what}")), "{error} / {}", ran.stderr);
        ran.ends_with(2);
    }
}

#[test]
fn a_packed_file_that_is_not_whole_fails_alone() {
    for extension in PACKED {
        let whole = packed(extension, records().repeat(50));
        let name = format!("in/a.jsonl.{extension}");
        let folder = Folder::new()
            .with(&name, &whole[..whole.len() - 5])
            .with("in/b.jsonl", format!("{{\"text\":\"{SHIP}\"}}\n"));
        let ran = folder.run("clean in -o out --journal journal");
        ran.ends_with(1);
        let codec = match extension {
            "gz" => "gzip",
            "zst" => "zstd",
            "bz2" => "bzip2",
            other => other,
        };
        let error = format!("{name}: reading failed: the {codec} data ");
        assert!(ran.stderr.contains(&error), "{error} / {}", ran.stderr);
        assert!(!folder.exists(&format!("out/a.jsonl.{extension}")));
        // What stands in a file that failed is no first copy.
        assert_eq!(folder.read("out/b.jsonl"), format!("{{\"text\":\"{SHIP}\"}}\n"));
    }
}

#[test]
fn members_follow_each_other_and_zeros_may_follow() {
    let (first, second) = (records(), format!("{{\"text\":\"The third.\\n{BAKER}\"}}\n"));
    let members = [packed("gz", &first), packed("gz", ""), packed("gz", &second), vec![0; 1000]].concat();
    let folder = Folder::new().with("a.jsonl.gz", members);
    folder.run("clean a.jsonl.gz -o out").ends_with(0);
    let cleaned = cleaned() + "{\"text\":\"The third.\\n\"}\n";
    // What is written is one member.
    assert_eq!(unpacked("gz", &folder.bytes("out")), Some(cleaned.into_bytes()));
}

#[test]
fn a_file_that_expands_too_far_is_refused() {
    let zeros = packed("zst", vec![b' '; 70 << 20]);
    let folder = Folder::new().with("in/a.jsonl.zst", zeros).with("in/b.txt", "Text.\n");
    let ran = folder.run("clean in -o out");
    ran.ends_with(1);
    let error =
        "in/a.jsonl.zst: expands more than 250-fold; see that it is no bomb, then allow it with --max-expansion";
    assert!(ran.stderr.contains(error), "{}", ran.stderr);
    assert_eq!(folder.files("out"), ["b.txt"]);
    folder.run("clean in -o out --force --max-expansion 0").ends_with(0);
    assert_eq!(folder.files("out"), ["a.jsonl.zst", "b.txt"]);
}

#[test]
fn large_packed_files_are_worked_on_by_all_threads_and_come_out_the_same() {
    let record = |number: u32| format!("{{\"text\":\"Page {number}\\n{SHIP} {}\\nRead more\"}}\n", number % 1000);
    let text: String = (0..60_000).map(record).collect();
    let folder = Folder::new()
        .with("in/a.jsonl.zst", packed("zst", &text))
        .with("in/b.jsonl", &text[..text.len() / 2])
        .with("in/c.jsonl.gz", packed("gz", &text[..text.len() / 3]));
    for threads in [1, 2, 7] {
        let run = format!("clean in -o out{threads} -j {threads} --journal journal{threads} --report report{threads}");
        // Cutting the middle of a record makes it a bad one.
        folder.run(&run).ends_with(1);
    }
    for threads in [2, 7] {
        assert_eq!(folder.tree(&format!("out{threads}")), folder.tree("out1"));
        assert_eq!(folder.bytes(&format!("journal{threads}")), folder.bytes("journal1"));
    }
    for codec in ["gzip", "zstd"] {
        for threads in [1, 2, 7] {
            let run = format!("clean in -o - -j {threads} --compress {codec}");
            assert_eq!(folder.output_of(&run), folder.output_of(&format!("clean in -o - -j 1 --compress {codec}")));
        }
    }
    // As without packing.
    let plain = Folder::new().with("in/a.jsonl", &text).with("in/b.jsonl", &text[..text.len() / 2]);
    plain.run("clean in -o out").ends_with(1);
    assert_eq!(unpacked("zst", &folder.bytes("out1/a.jsonl.zst")), Some(plain.bytes("out/a.jsonl")));
    folder.run("restore out1 --journal journal1 -o back").ends_with(0);
    assert_eq!(unpacked("zst", &folder.bytes("back/a.jsonl.zst")), Some(text.into_bytes()));
}
