//! Text that is not UTF-8: decoded to be looked at, cut in its own bytes.

use super::support::{Folder, SHIP, packed, unpacked};

/// A text in an encoding, with a byte order mark where it is UTF-16.
fn encoded(name: &str, text: &str) -> Vec<u8> {
    match name {
        "utf-16le" => format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "utf-16be" => format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect(),
        label => {
            let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).expect("it is known");
            let (bytes, _, is_broken) = encoding.encode(text);
            assert!(!is_broken, "{label} has no {text:?}");
            bytes.into_owned()
        }
    }
}

/// A line of the language that an encoding is for; in some of the bytes there is a `\`, a `|` or a quote.
fn line_of(name: &str) -> &'static str {
    match name {
        "utf-16le" | "utf-16be" => "Ein Schiff, \u{4e00} \u{a0a} \u{d0a} \u{1f600}.",
        "shift_jis" => "ソ十表予能 ポケット ― 噂の貼り紙、ﾎﾝﾄ。",
        "gb18030" => "船在黎明时离开了港口，𠀀 船上有四十个人。",
        "big5" => "許功蓋：船在黎明時離開了港口。",
        "euc-kr" => "배는 새벽에 항구를 떠났다.",
        "windows-1251" => "Корабль вышел из гавани на рассвете.",
        "windows-1252" => "Un café crème, déjà froid, coûte 4 €.",
        _ => unreachable!("{name}"),
    }
}

const NAMES: [&str; 8] =
    ["utf-16le", "utf-16be", "shift_jis", "gb18030", "big5", "euc-kr", "windows-1251", "windows-1252"];

#[test]
fn every_format_is_cleaned_in_every_encoding_and_comes_back() {
    for name in NAMES {
        let line = line_of(name);
        let menu = "Skip to content\r\n";
        let jsonl = |menu: &str| {
            format!("{{\"id\":\"{line}\",\"text\":\"{menu}{line}\\n{SHIP}\\n\"}}\n\n{{\"text\":\"{menu}\"}}")
        };
        let csv = |menu: &str| format!("id,text\n\"{line}\",\"{menu}{line}\n\"\"{SHIP}\"\"\n\"\n");
        let files = [
            ("a.txt", format!("{menu}{line}\n{SHIP}\n"), format!("{line}\n{SHIP}\n")),
            ("b.txt", String::new(), String::new()),
            ("c.jsonl", jsonl("Skip to content\\r\\n"), jsonl("")),
            ("d.csv", csv(menu), csv("")),
        ];
        let mut folder = Folder::new();
        for (file, scraped, cleaned) in &files {
            folder = folder.with(&format!("in/{file}"), encoded(name, scraped));
            folder = folder.with(&format!("expected/{file}"), encoded(name, cleaned));
        }
        let arguments = format!("--encoding {name} --scope document --level rules");
        for threads in [1, 2, 7] {
            let run = format!("clean in -o out-{threads} --journal journal-{threads} -j {threads} {arguments}");
            folder.run(&run).ends_with(0);
            assert_eq!(folder.tree(&format!("out-{threads}")), folder.tree("expected"), "{name}");
            assert_eq!(folder.read(&format!("journal-{threads}")), folder.read("journal-1"));
        }
        folder.run("restore out-2 --journal journal-2 -o back").ends_with(0);
        assert_eq!(folder.tree("back"), folder.tree("in"), "{name}");
        let journal = folder.journal("journal-1");
        assert!(journal[1]["encoding"].as_str().is_some_and(|told| told.eq_ignore_ascii_case(name)), "{journal:?}");
        assert_eq!(journal[2]["text"], menu);
        let ids: Vec<_> = journal.iter().filter_map(|line| line["id"].as_str()).collect();
        assert_eq!(ids, [line, line], "{name}");
        // As a stream, which has the mark of the byte order, and as one that is packed.
        for (file, scraped, cleaned) in files.iter().filter(|(_, scraped, _)| !scraped.is_empty()) {
            let format = file.rsplit('.').next().expect("it has one").replace("txt", "text");
            let arguments = format!("clean - -o {file} --journal j-{file} --format {format} {arguments}");
            folder.run_on(encoded(name, scraped), &arguments).ends_with(0);
            assert_eq!(folder.bytes(file), encoded(name, cleaned), "{name}: {file}");
            folder.run(&format!("restore {file} --journal j-{file} -o back-{file}")).ends_with(0);
            assert_eq!(folder.bytes(&format!("back-{file}")), encoded(name, scraped), "{name}: {file}");
        }
        let folder = folder.with("packed.csv.zst", packed("zst", encoded(name, &csv(menu))));
        folder.run(&format!("clean packed.csv.zst -o cleaned.zst {arguments}")).ends_with(0);
        assert_eq!(unpacked("zst", &folder.bytes("cleaned.zst")), Some(encoded(name, &csv(""))), "{name}");
    }
}

#[test]
fn a_text_repeats_whatever_its_encoding() {
    let text = format!("{SHIP}\nÀ bientôt.\n");
    let folder = Folder::new().with("in/1.txt", encoded("utf-16le", &text)).with("in/2.txt", &text);
    let folder = folder.with("in/3.txt", encoded("windows-1252", &text)).with("in/4.txt", encoded("utf-16be", &text));
    folder.run("clean in -o out --encoding auto --journal journal --report report").ends_with(0);
    assert_eq!(folder.bytes("out/1.txt"), encoded("utf-16le", &text));
    assert_eq!([2, 3].map(|number| folder.bytes(&format!("out/{number}.txt"))), [b"", b""]);
    assert_eq!(folder.json("report")["removed"]["copies"]["bytes"], 2 * text.len() - 2 + 2 * text.chars().count());
    folder.run("restore out --journal journal -o back").ends_with(0);
    assert_eq!(folder.tree("back"), folder.tree("in"));
    let ran = folder.run("explain in/3.txt --among in --encoding auto --color never");
    assert!(ran.stdout.contains("- À bientôt.  [copy of the document at 1.txt:1]"), "{}", ran.stdout);
}

#[test]
fn auto_leaves_alone_what_is_utf8_and_guesses_the_rest() {
    let russian = "Корабль вышел из гавани на рассвете, и никто его больше не видел.\n".repeat(3);
    let stray = [russian.as_bytes(), b"\xe9\n"].concat();
    let folder = Folder::new().with("in/a.txt", &russian).with("in/b.txt", encoded("koi8-r", &russian));
    let folder = folder.with("in/c.txt", &stray).with("in/d.txt", "plain\n").with("in/e.txt", "");
    folder.run("clean in -o out --encoding auto --journal journal --scope off").ends_with(0);
    assert_eq!(folder.tree("out"), folder.tree("in"));
    let journal = folder.journal("journal");
    let told: Vec<_> = journal.iter().filter(|line| line.get("file").is_some()).map(|line| &line["encoding"]).collect();
    assert_eq!(told[1], "KOI8-U");
    assert!([0, 2, 3, 4].iter().all(|file| told[*file].is_null()), "{told:?}");
    // A stream is guessed by its first 64 KiB.
    for text in [encoded("koi8-r", &russian), stray, encoded("windows-1251", &russian.repeat(1000))] {
        let folder = Folder::new();
        folder.run_on(&text, "clean - -o out --encoding auto --journal journal --scope off").ends_with(0);
        assert_eq!(folder.bytes("out"), text);
    }
}

#[test]
fn what_cannot_be_decoded_stays_and_is_counted() {
    // A byte that begins a character of two, before one that cannot end it; and half a pair of UTF-16.
    let korean = [&encoded("euc-kr", "배는 \nSkip to content\n")[..], b"x\x81\n", SHIP.as_bytes(), b"\n\x82"].concat();
    let left = [&encoded("euc-kr", "배는 \n")[..], b"x\x81\n", SHIP.as_bytes(), b"\n\x82"].concat();
    let folder = Folder::new().with("in/a.txt", &korean);
    let ran = folder.run("clean in -o out --encoding euc-kr --journal journal --report report");
    let what = "with bytes that could not be decoded, which stay as they are, the first: a.txt; see --encoding";
    assert!(ran.stderr.contains(&format!("1 document {what}")), "{}", ran.stderr);
    ran.ends_with(0);
    assert_eq!(folder.bytes("out/a.txt"), left);
    assert_eq!(folder.json("report")["totals"]["documents_undecoded"], 1);
    assert_eq!(folder.json("report")["undecoded"][0], "a.txt");
    folder.run("restore out --journal journal -o back").ends_with(0);
    assert_eq!(folder.tree("back"), folder.tree("in"));

    let mut utf16 = encoded("utf-16le", "Skip to content\nThe ship ");
    utf16.extend(b"\0\xd8\n\0x");
    let folder = Folder::new().with("a.txt", &utf16);
    folder.run("clean a.txt -o out --journal journal --report report").ends_with(0);
    assert_eq!(folder.bytes("out"), [b"\xff\xfe", &utf16[34..]].concat());
    assert_eq!(folder.json("report")["totals"]["documents_undecoded"], 1);
    folder.run("restore out --journal journal -o back").ends_with(0);
    assert_eq!(folder.bytes("back"), utf16);

    // Bytes that are not UTF-8 are counted too; lines that differ in nothing else do not repeat.
    let text = [b"x\xff\n", SHIP.as_bytes(), b"\xe9\n", SHIP.as_bytes(), b"\xe8\n"].concat();
    let ran = Folder::new().run_on(&text, "clean - --framing lines -o out");
    assert!(ran.stderr.contains("3 documents with bytes"), "{}", ran.stderr);
    for encoding in ["utf-8", "euc-kr"] {
        let folder = Folder::new().with("a.txt", &text);
        folder.run(&format!("clean a.txt -o out --encoding {encoding}")).ends_with(0);
        assert_eq!(folder.bytes("out"), text, "{encoding}");
    }
}

#[test]
fn the_mark_stays_when_the_first_record_goes() {
    let records = format!("{{\"text\":\"Home\\nSkip to content\\n\"}}\n{{\"text\":\"{SHIP}\"}}\n");
    let left = format!("{{\"text\":\"{SHIP}\"}}\n");
    let with_mark = |text: &str| format!("\u{feff}{text}").into_bytes();
    let of_utf16 = |text: &str| encoded("utf-16be", text);
    for of in [&with_mark as &dyn Fn(&str) -> Vec<u8>, &of_utf16] {
        // Without a name that says so, it is told to be JSONL behind the mark.
        let folder = Folder::new().with("records", of(&records));
        folder.run("clean records -o out --drop-empty --journal journal").ends_with(0);
        assert_eq!(folder.bytes("out"), of(&left));
        folder.run("restore out --journal journal -o back").ends_with(0);
        assert_eq!(folder.bytes("back"), of(&records));
        assert_eq!(folder.run_on(of(&records), "clean - -o streamed --drop-empty").code, 0);
        assert_eq!(folder.bytes("streamed"), of(&left));
    }
}

#[test]
fn parts_of_a_large_file_do_not_show() {
    // Some 5 MB: two parts and a few pieces, with records that cross their bounds.
    let record = |number: u32| format!("{{\"id\":{number},\"text\":\"表 {number}\\n{SHIP} {}\\n\"}}\n", number / 2);
    let records: String = (0..30_000).map(record).collect();
    let folder = Folder::new().with("in.jsonl", encoded("shift_jis", &records)).with("utf8.jsonl", &records);
    folder.run("clean utf8.jsonl -o expected --level rules").ends_with(0);
    let expected = encoded("shift_jis", &folder.read("expected"));
    for threads in [1, 7] {
        let run =
            format!("clean in.jsonl -o out --journal journal --encoding shift_jis -j {threads} --level rules --force");
        folder.run(&run).ends_with(0);
        assert!(folder.bytes("out") == expected, "{threads}");
    }
    folder.run("restore out --journal journal -o back").ends_with(0);
    assert!(folder.bytes("back") == folder.bytes("in.jsonl"));
    folder.run_on(folder.bytes("in.jsonl"), "clean - -o streamed --encoding shift_jis --level rules").ends_with(0);
    assert!(folder.bytes("streamed") == expected);
}

#[test]
fn learn_and_eval_decode_too() {
    let page = |number: usize| {
        let story = format!("Story {}\\n", "x".repeat(number));
        format!("{{\"site\":\"a.example\",\"text\":\"Accueil du café\\n{story}Page {number} of 99\\n\"}}\n")
    };
    let pages: String = (0..12).map(page).collect();
    let folder = Folder::new().with("pages.jsonl", encoded("utf-16le", &pages)).with("utf8.jsonl", &pages);
    folder.run("learn pages.jsonl -o sites.toml").ends_with(0);
    folder.run("learn utf8.jsonl -o utf8.toml").ends_with(0);
    assert_eq!(folder.read("sites.toml"), folder.read("utf8.toml").replace("utf8", "sites"));
    assert!(folder.read("sites.toml").contains("accueil du café"), "{}", folder.read("sites.toml"));
    let gold = format!("{{\"text\":\"Skip to content\\nÀ {SHIP}\",\"labels\":[0,1]}}\n");
    let folder = folder.with("gold.jsonl", encoded("windows-1252", &gold)).with("gold8.jsonl", &gold);
    let expected = folder.run("eval gold8.jsonl");
    folder.run("eval gold.jsonl --encoding windows-1252").ends_with(0).says(&expected.stdout);
    folder.run("eval gold.jsonl --encoding auto").ends_with(0).says(&expected.stdout);
}

#[test]
fn names_that_are_none_are_refused() {
    let folder = Folder::new().with("a.txt", "Text.\n");
    for (name, what) in [
        ("utf-7", "not known; give a label of the Encoding Standard such as windows-1252 or shift_jis, or auto"),
        ("iso-2022-jp", "one in which what a byte means hangs on all before it; convert the text to UTF-8 before"),
    ] {
        let error = format!("error: configuration: encoding {name:?} is {what}");
        folder.run(&format!("clean a.txt -o out --encoding {name}")).ends(2, &[&error]);
    }
    assert!(!folder.exists("out"));
}
