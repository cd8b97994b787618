//! Parquet: one column is cleaned, all others are as they were.

use super::parquet_file::{Parquet, file};
use super::support::{BAKER, Folder, SHIP, packed};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

/// Two groups of rows: chrome, a repeat in the other group, a row that is only chrome, a null, a text that nothing is cut from.
fn scraped() -> Parquet {
    Parquet::default()
        .with_group(&[Some(&format!("Skip to content\n{SHIP}\n")[..]), Some("Skip to content\n"), None])
        .with_group(&[Some(&format!("{BAKER}\n{SHIP}\n")[..]), Some("Nothing to cut.")])
}

/// What is left of the texts.
fn cleaned() -> Parquet {
    Parquet::default()
        .with_group(&[Some(&format!("{SHIP}\n")[..]), Some(""), None])
        .with_group(&[Some(&format!("{BAKER}\n")[..]), Some("Nothing to cut.")])
}

/// The rows of a file, by groups, in words.
fn rows(parquet: &Parquet) -> Vec<Vec<String>> {
    Parquet::read(&parquet.bytes())
}

/// What the end of a file says.
fn metadata(bytes: &[u8]) -> ParquetMetaData {
    let reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required);
    reader.parse_and_finish(&file(bytes)).expect("it is Parquet")
}

const NULL: &str = "the text is null; fill it, or drop such rows with --on-bad-record skip";

#[test]
fn texts_are_cleaned_and_all_else_stays() {
    let folder = Folder::new().with("in/a.parquet", scraped().bytes()).with("b", scraped().bytes());
    folder.run("clean in -o out --journal journal").ends(
        1,
        &[
            &format!("warning: a.parquet:3: {NULL}"),
            "cleaned 1 file, 4 documents: 135 of 351 bytes of text removed (38.5 %), 2 blocks by rules, 1 repeat, 0 of copies; \
             1 document left without text; 1 record bad; _ s",
        ],
    );
    assert_eq!(Parquet::read(&folder.bytes("out/a.parquet")), rows(&cleaned()));
    let cut = &folder.journal("journal")[2];
    assert_eq!((cut["id"].as_str(), cut["record"].as_u64()), (Some("0"), Some(1)), "{cut}");
    folder.run("restore out --journal journal -o back").ends_with(0);
    assert_eq!(Parquet::read(&folder.bytes("back/a.parquet")), rows(&scraped()));
    // What the file is shows by its start, too.
    folder.run("clean b -o c").ends_with(1);
    assert_eq!(folder.bytes("c"), folder.bytes("out/a.parquet"));
    folder.run("explain b --level rules").ends_with(0);
}

#[test]
fn other_columns_are_copied_with_all_that_is_said_of_them() {
    let folder = Folder::new().with("a.parquet", scraped().bytes());
    folder.run("clean a.parquet -o out -q").ends_with(1);
    let [was, is] = ["a.parquet", "out"].map(|name| metadata(&folder.bytes(name)));
    let [of_was, of_is] = [was.file_metadata(), is.file_metadata()];
    assert_eq!(of_was.key_value_metadata(), of_is.key_value_metadata());
    assert_eq!(of_was.created_by(), of_is.created_by());
    assert_eq!(of_was.schema(), of_is.schema());
    for group_idx in 0..2 {
        let [of_was, of_is] = [was.row_group(group_idx), is.row_group(group_idx)];
        let [index_was, index_is] = [&was, &is].map(|metadata| metadata.page_index_for_row_group(group_idx));
        for (column_idx, (was, is)) in of_was.columns().iter().zip(of_is.columns()).enumerate() {
            assert_eq!(was.compression(), is.compression());
            assert_eq!(was.encodings_mask(), is.encodings_mask());
            assert_eq!(was.bloom_filter_length(), is.bloom_filter_length());
            assert!(index_is.offset_index(column_idx).is_some());
            if was.column_path().string() != "text" {
                assert_eq!(was.compressed_size(), is.compressed_size());
                assert_eq!(was.statistics(), is.statistics());
                assert_eq!(index_was.column_index(column_idx), index_is.column_index(column_idx));
            }
        }
    }
}

#[test]
fn rows_are_dropped_and_come_back() {
    let folder = Folder::new().with("a.parquet", scraped().bytes());
    let only = Parquet::default().with_group(&[Some("Skip to content\n")]).with_group(&[Some(BAKER)]);
    let folder = folder.with("b.parquet", only.bytes());
    folder.run("clean a.parquet b.parquet -o out --journal journal --drop-empty --on-bad-record skip").ends_with(1);
    let mut left = rows(&cleaned());
    left[0].remove(2);
    left[0].remove(1);
    assert_eq!(Parquet::read(&folder.bytes("out/a.parquet")), left);
    assert_eq!(Parquet::read(&folder.bytes("out/b.parquet")), [[] as [String; 0]; 0]);
    folder.run("restore out --journal journal -o back").ends_with(0);
    assert_eq!(Parquet::read(&folder.bytes("back/a.parquet")), rows(&scraped()));
    assert_eq!(Parquet::read(&folder.bytes("back/b.parquet")), rows(&only));
}

#[test]
fn threads_do_not_show() {
    let text = |number: u32| {
        format!("Skip to content\nThe ship left harbour {number} at dawn, bound for the northern isles.\n")
    };
    let texts: Vec<String> = (0..20_000).map(|number| text(number / 2).repeat(5)).collect();
    let texts: Vec<Option<&str>> = texts.iter().map(|text| Some(&text[..])).collect();
    let parquet = texts.chunks(7_000).fold(Parquet::default(), |parquet, texts| parquet.with_group(texts));
    let folder = Folder::new().with("in/a.parquet", parquet.bytes());
    for threads in [1, 2, 7] {
        folder
            .run(&format!(
                "clean in -o out-{threads} --journal j-{threads} -j {threads} --level rules -q --max-removed-run 1"
            ))
            .ends_with(0);
        assert_eq!(folder.bytes("out-1/a.parquet"), folder.bytes(&format!("out-{threads}/a.parquet")));
        assert_eq!(folder.bytes("j-1"), folder.bytes(&format!("j-{threads}")));
    }
    assert!(folder.bytes("out-1/a.parquet").len() < folder.bytes("in/a.parquet").len());
    folder.run("restore out-7 --journal j-7 -o back").ends_with(0);
    assert_eq!(Parquet::read(&folder.bytes("back/a.parquet")), rows(&parquet));
}

#[test]
fn a_file_that_is_cut_short_is_named_and_the_others_come_through() {
    let bytes = scraped().bytes();
    let folder = Folder::new()
        .with("in/a.parquet", &bytes[..bytes.len() - 100])
        .with("in/b.txt", format!("Skip to content\n{SHIP}\n"))
        .with("in/c.parquet", Parquet::default().with_group(&[Some(BAKER)]).bytes());
    folder.run("clean in -o out --journal journal").ends(
        1,
        &[
            "error: in/a.parquet: reading failed: the Parquet data is damaged (does not start and end as Parquet does: cut short, \
             or something else); see that the file is whole and readable, then run again",
            "cleaned 2 files, 2 documents: 16 of 216 bytes of text removed (7.4 %), 1 block by rules, 0 repeats, 0 of copies; \
             1 file failed; _ s",
        ],
    );
    // Nothing of the first one counts as a first copy.
    assert_eq!(folder.files("out"), ["b.txt", "c.parquet"]);
    assert_eq!(folder.read("out/b.txt"), format!("{SHIP}\n"));
    assert!(folder.bytes("out/c.parquet").len() > 100);
    folder.run("restore out --journal journal -o back").ends(0, &["restored 2 files, put 1 cut back"]);
}

#[test]
fn damage_of_any_kind_is_an_error_of_the_file_alone() {
    let bytes = scraped().bytes();
    for step in [1, 7, 31] {
        let mut folder = Folder::new().with("in/ok.txt", "Skip to content\nAll is well.\n");
        for number in 0..40 {
            let mut damaged = bytes.clone();
            // Bytes of pages first, then of what the end says.
            for damage in 0..1 + number % 3 {
                let at = 4 + (number * 97 * step + damage * 1009) % (bytes.len() - 12);
                damaged[at] = damaged[at].wrapping_add(u8::try_from(1 + 50 * damage).expect("it is small"));
            }
            if number % 10 == 9 {
                damaged.truncate(bytes.len() * number / 40);
            }
            folder = folder.with(&format!("in/{number}.parquet"), damaged);
        }
        for flags in ["", "--drop-empty --on-bad-record skip"] {
            folder.run(&format!("clean in -o out --force -q {flags}")).ends_with(1);
            assert_eq!(folder.read("out/ok.txt"), "All is well.\n");
        }
    }
}

#[test]
fn what_cannot_be_done_is_told_with_the_remedy() {
    let folder = Folder::new()
        .with("a.parquet", scraped().bytes())
        .with("a.parquet.gz", packed("gz", scraped().bytes()))
        .with("encrypted.parquet", [&b"PARE"[..], &[0; 20], b"PARE"].concat())
        .with("empty.parquet", "")
        .with("one.parquet", "P")
        .with("text.parquet", "no Parquet at all, but text");
    let fails = |arguments: &str, code: i32, message: &str| {
        let ran = folder.run(arguments);
        assert_eq!((ran.code, ran.stderr.lines().next().unwrap_or_default()), (code, message), "{arguments}");
    };
    let stream = "error: a.parquet is Parquet, which cannot be written to a stream; name a file or a folder as output";
    fails("clean a.parquet -o -", 2, stream);
    let column = "error: a.parquet: no column \"body\" among the strings \"text\", \"url\", \"nested.text\"; name the column with \
                  the text with --text-field";
    fails("clean a.parquet -o out --text-field body", 1, column);
    let number = "error: a.parquet: column \"number\" is no string; name the column with the text with --text-field";
    fails("clean a.parquet -o out --text-field number", 1, number);
    let compress = "error: a.parquet: Parquet packs its columns itself, which stay as they are; leave --compress out";
    fails("clean a.parquet -o out --compress zstd", 1, compress);
    let packed = "error: a.parquet.gz: Parquet packed with gzip cannot be read from its end; unpack it";
    fails("clean a.parquet.gz -o out", 1, packed);
    let encrypted = "error: encrypted.parquet: reading failed: the Parquet file is encrypted; decrypt it; \
                     see that the file is whole and readable, then run again";
    fails("clean encrypted.parquet -o out", 1, encrypted);
    for name in ["empty", "one", "text"] {
        let message = format!(
            "error: {name}.parquet: reading failed: the Parquet data is damaged (does not start and end as Parquet does: cut \
             short, or something else); see that the file is whole and readable, then run again"
        );
        fails(&format!("clean {name}.parquet -o out"), 1, &message);
    }
    let ran = folder.run_on(scraped().bytes(), "clean -");
    ran.ends(2, &["error: standard input: Parquet is read from its end; save it to a file, and name that"]);
    assert!(!folder.exists("out"));
}

#[test]
fn a_text_that_is_not_utf_8_is_told_and_comes_back() {
    let texts: [&[u8]; 3] = [b"Skip to content\nOne.\n", b"Skip to content\n\xff\n", b"Skip to content\nTwo.\n"];
    let parquet = Parquet::default().with_group(&texts.map(Some));
    let folder = Folder::new().with("a.parquet", parquet.bytes());
    let warning = "warning: a.parquet:2: the text is not UTF-8; mend it, or drop such rows with --on-bad-record skip";
    for (flags, n_rows) in [("", 3), ("--on-bad-record skip", 2)] {
        let ran = folder.run(&format!("clean a.parquet -o out --journal journal --force --level rules {flags}"));
        assert_eq!((ran.code, ran.stderr.lines().next()), (1, Some(warning)));
        assert_eq!(metadata(&folder.bytes("out")).file_metadata().num_rows(), n_rows);
        folder.run("restore out --journal journal -o back --force").ends_with(0);
        // What came back is cut as the original was.
        folder.run("clean back -o again --force --level rules --format parquet").ends_with(1);
        assert_eq!(metadata(&folder.bytes("again")).file_metadata().num_rows(), 3);
    }
}

#[test]
fn a_field_of_a_struct_can_be_the_text() {
    let folder = Folder::new().with("a.parquet", scraped().bytes());
    folder.run("clean a.parquet -o out --text-field nested.text --journal journal").ends_with(0);
    let mut left = rows(&scraped());
    for row in left.iter_mut().flatten() {
        *row = row.replace("Skip to content\nkept", "kept");
    }
    assert_eq!(Parquet::read(&folder.bytes("out")), left);
}

#[test]
fn a_file_without_rows_or_groups_comes_through() {
    let folder = Folder::new()
        .with("in/groups.parquet", Parquet::default().bytes())
        .with("in/rows.parquet", Parquet::default().with_group::<&str>(&[]).with_group(&[Some("One.")]).bytes());
    for flags in ["", "--drop-empty"] {
        folder.run(&format!("clean in -o out --journal journal --force {flags}")).ends_with(0);
        folder.run("restore out --journal journal -o back --force").ends_with(0);
        for name in ["groups", "rows"] {
            let [was, is] = ["in", "back"].map(|of| Parquet::read(&folder.bytes(&format!("{of}/{name}.parquet"))));
            assert_eq!((was.len(), &was), (is.len(), &is), "{name}");
        }
    }
}
