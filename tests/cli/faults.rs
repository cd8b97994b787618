//! Bad inputs and machines that have no more to give: what is told, the exit code, what is kept, and that others come through.

use super::support::{BAKER, Folder, PACKED, SHIP, packed};

/// A record that is cleaned, whatever stands beside it.
fn record() -> String {
    format!("{{\"text\":\"Skip to content\\n{SHIP}\"}}\n")
}

#[test]
fn bad_records_of_each_kind_are_told_and_stay() {
    let cleaned = format!("{{\"text\":\"{SHIP}\"}}\n");
    let no_string = "field \"text\" is no string; name the field with the text with --text-field";
    for (bad, told) in [
        ("{\"text\":7}", no_string),
        ("{\"text\":null}", no_string),
        ("{\"text\":[\"a\"]}", no_string),
        ("{\"body\":\"a\"}", "no field \"text\"; name the field with the text with --text-field"),
        (
            "{\"text\":\"a\0b\"}",
            "not valid JSON at byte 10: control character (\\u0000-\\u001F) found while parsing a string; mend or remove the line",
        ),
    ] {
        let folder = Folder::new()
            .with("in/a.jsonl", format!("{}{bad}\n", record()))
            .with("in/b.txt", format!("Skip to content\n{BAKER}\n"));
        let ran = folder.run("clean in -o out --journal journal");
        ran.ends_with(1);
        assert_eq!(ran.stderr.lines().next(), Some(&*format!("warning: a.jsonl:2: {told}")));
        assert_eq!(folder.read("out/a.jsonl"), format!("{cleaned}{bad}\n"));
        assert_eq!(folder.read("out/b.txt"), format!("{BAKER}\n"));
        folder.run("restore out --journal journal -o back -q").ends(0, &[]);
        assert_eq!(folder.tree("back"), folder.tree("in"));
    }
}

#[test]
fn strange_records_are_cleaned_like_any_other() {
    for depth in [100, 100_000] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        let nested = |text: &str| format!("{{\"deep\":{open}{close},\"text\":\"{text}\"}}\n");
        let folder = Folder::new()
            .with("in/nested.jsonl", nested(&format!("Skip to content\\n{SHIP}")))
            .with("in/nul.txt", "one\0two\nSkip to content\nthree\0\n")
            .with("in/nul.jsonl", "{\"text\":\"a\\u0000b\\nSkip to content\"}\n");
        folder.run("clean in -o out -q").ends(0, &[]);
        assert_eq!(folder.read("out/nested.jsonl"), nested(SHIP));
        assert_eq!(folder.read("out/nul.txt"), "one\0two\nthree\0\n");
        assert_eq!(folder.read("out/nul.jsonl"), "{\"text\":\"a\\u0000b\\n\"}\n");
    }
}

#[test]
fn a_file_with_a_wrong_checksum_or_that_cannot_be_read_fails_alone() {
    for extension in PACKED {
        let mut damaged = packed(extension, record().repeat(50));
        // Within the checksum at the end, or in the data where the end is something else.
        let at = damaged.len() - if extension == "xz" { 40 } else { 6 };
        damaged[at] ^= 1;
        let name = format!("in/a.jsonl.{extension}");
        for scope in ["corpus", "off"] {
            let folder = Folder::new()
                .with(&name, &damaged)
                .with("in/b.jsonl", record())
                .with_link("in/c.txt", "/proc/self/mem")
                .with("in/d.txt", format!("Skip to content\n{BAKER}\n"));
            let ran = folder.run(&format!("clean in -o out -q --scope {scope}"));
            ran.ends_with(1);
            let told: Vec<&str> = ran.stderr.lines().collect();
            assert_eq!(told.len(), 2, "{}", ran.stderr);
            for (told, place) in told.iter().zip([&name, "in/c.txt"]) {
                assert!(told.starts_with(&format!("error: {place}: reading failed: ")), "{told}");
                assert!(told.ends_with("; see that the file is whole and readable, then run again"), "{told}");
            }
            // It is over: nothing is left to go on with.
            assert_eq!(folder.files("out"), ["b.jsonl", "d.txt"]);
            assert_eq!(folder.read("out/b.jsonl"), format!("{{\"text\":\"{SHIP}\"}}\n"));
            assert_eq!(folder.read("out/d.txt"), format!("{BAKER}\n"));
        }
    }
}

/// Forty files of which each takes 20 KB.
fn corpus() -> Folder {
    let mut folder = Folder::new();
    for number in 0..40 {
        let line =
            |line: usize| format!("Line {line} of file {number} is told here and nowhere else in the whole corpus.\n");
        let text: String = (0..280).map(line).collect();
        folder = folder.with(&format!("in/{number:02}.txt"), format!("Skip to content\n{text}"));
    }
    folder.run("clean in -o whole --journal whole-journal -q").ends(0, &[]);
    folder
}

/// All files of an unfinished run are whole.
fn assert_whole(folder: &Folder, output: &str) {
    let whole = folder.tree("whole");
    let files = folder.tree(output).into_iter().filter(|(name, _)| name != ".dehusk-run");
    files.for_each(|file| assert!(whole.contains(&file), "{} is not whole", file.0));
}

#[test]
fn a_full_disk_stops_the_run_which_is_gone_on_with() {
    let folder = corpus();
    let can_mount = "mkdir -p disk && unshare -rm mount -t tmpfs -o size=400k dehusk disk";
    if folder.shell(can_mount).code != 0 {
        // Only where file systems may be mounted, which a test cannot ask for.
        return;
    }
    let script = "
        mount -t tmpfs -o size=400k dehusk disk
        $DEHUSK clean in -o disk/out --journal disk/journal -q; echo $?
        cp -r disk half
        mount -o remount,size=8m disk
        $DEHUSK clean in -o disk/out --journal disk/journal -q --resume; echo $?
        cp -r disk all
        mount -o remount,ro disk
        $DEHUSK clean in -o disk/more -q; echo $?";
    let ran = folder.shell(&format!("unshare -rm sh -c '{script}'"));
    assert_eq!(ran.stdout, "3\n0\n3\n", "{}", ran.stderr);
    let told: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(told.len(), 2, "{}", ran.stderr);
    assert!(
        told[0].starts_with("error: disk/") && told[0].ends_with("; free some space, then run again"),
        "{}",
        told[0]
    );
    assert!(told[1].ends_with("(os error 30); choose an output that may be written"), "{}", told[1]);
    assert!(!folder.exists("half/journal") && folder.files("half/out").len() > 5);
    assert_whole(&folder, "half/out");
    assert!(folder.tree("all/out") == folder.tree("whole"));
    assert_eq!(folder.read("all/journal"), folder.read("whole-journal"));
}

#[test]
fn a_limit_on_the_size_of_files_fails_those_that_are_larger() {
    let folder = corpus().with("in/large.txt", format!("{BAKER} 1\n").repeat(9000));
    folder.run("clean in -o whole --force -q").ends(0, &[]);
    let ran = folder.shell("trap '' XFSZ; ulimit -f 400; $DEHUSK clean in -o out -q");
    ran.ends_with(1);
    assert!(ran.stderr.starts_with("error: out/large.txt: writing failed: File too large"), "{}", ran.stderr);
    assert_eq!(folder.files("out").len(), 41);
    assert_whole(&folder, "out");
    folder.run("clean in -o out -q --resume").ends(0, &[]);
    assert!(folder.tree("out") == folder.tree("whole"));
}

#[test]
fn few_file_handles_are_enough_and_too_few_are_told() {
    let folder = corpus();
    folder.shell("ulimit -n 16; $DEHUSK clean in -o out -q -j 2 --journal journal").ends(0, &[]);
    assert!(folder.tree("out") == folder.tree("whole"));
    let ran = folder.shell("ulimit -n 5; $DEHUSK clean in -o few -q -j 2 --journal few-journal");
    ran.ends_with(3);
    assert!(
        ran.stderr.ends_with("(os error 24); allow more open files (ulimit -n), or use fewer threads (-j)\n"),
        "{}",
        ran.stderr
    );
    assert_whole(&folder, "few");
    folder.run("clean in -o few -q --journal few-journal --resume").ends(0, &[]);
    assert!(folder.tree("few") == folder.tree("whole"));
    assert_eq!(folder.read("few-journal"), folder.read("whole-journal"));
}

#[test]
fn a_file_that_fails_leaves_nothing_in_the_place_of_its_output() {
    let folder = Folder::new().with("in.csv", "id,body\n1,a\n");
    folder.run("clean in.csv -o out.csv").ends_with(1);
    assert_eq!(folder.files("."), ["in.csv"]);
    assert!(!folder.exists("out.csv"));
}
