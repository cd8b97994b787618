//! `dehusk eval`: a table of scores, JSON, folds, and what is wrong with labelled pages.

use super::support::{Folder, SHIP, packed};

/// Of the first page one of two lines of chrome goes, of the second all of its text.
const GOLD: &str = concat!(
    r#"{"id":"a","dataset":"news","site":"one.example","lang":"en","text":"Skip to content\nThe ship left at dawn.\nHusk","labels":[0,1,0]}"#,
    "\n",
    r#"{"id":"b","dataset":"shop","site":"five.example","page_type":"product","text":"Skip to content","gold":"Skip to content"}"#,
    "\n"
);

const TABLE: &str = "\
dataset                   n      P      R      F    rmP    rmR    rmF   loss   left  bad20
news                      1  0.833  1.000  0.909  1.000  0.500  0.667  0.000  0.250  0.000
shop                      1  0.000  0.000  0.000  0.000  1.000  0.000  1.000  0.000  1.000
shop:product              1  0.000  0.000  0.000  0.000  1.000  0.000  1.000  0.000  1.000
MACRO                     2  0.417  0.500  0.455  0.500  0.750  0.333  0.500  0.125  0.500
";

#[test]
fn a_table_tells_what_cleaning_is_worth() {
    let folder = Folder::new().with("gold.jsonl", GOLD);
    let before = folder.tree(".");
    folder.run("eval gold.jsonl").ends(0, &[]).says(TABLE);
    folder.run("eval gold.jsonl --threads 1 -q").ends(0, &[]).says(TABLE);
    folder.run_on(GOLD, "eval -").ends(0, &[]).says(TABLE);
    let worst = "\n  loss words lost  worst pages\n 1.000          3  b\n";
    folder.run("eval gold.jsonl -v").ends(0, &[]).says(&format!("{TABLE}{worst}"));
    // What goes where means nothing: nothing is written.
    folder.run("eval gold.jsonl -o out --journal cuts --report report -n --on-limit stop").ends(0, &[]).says(TABLE);
    folder.run("eval gold.jsonl --compress zstd --compress-level 3 --index seen").ends(0, &[]).says(TABLE);
    assert_eq!(folder.tree("."), before);
}

#[test]
fn rows_are_of_datasets_languages_or_kinds_of_pages() {
    let folder = Folder::new().with("gold.jsonl", GOLD);
    let names = |by: &str| {
        let ran = folder.run(&format!("eval gold.jsonl --by {by}"));
        ran.ends_with(0);
        let names = ran.stdout.lines().map(|line| line[..22].trim_end().to_owned());
        names.collect::<Vec<String>>()
    };
    assert_eq!(names("dataset"), ["dataset", "news", "shop", "shop:product", "MACRO"]);
    assert_eq!(names("lang"), ["lang", "(none)", "en", "MACRO"]);
    assert_eq!(names("page-type"), ["page type", "(none)", "product", "MACRO"]);
    folder.run("eval gold.jsonl --by site").ends_with(2);
    // Three pages of a site have a row; the mean is over the datasets that it is known by, if they are there.
    let page = r#"{"site":"one.example","dataset":"DATASET","text":"Text","gold":"Text"}"#;
    let pages = ["wcxb", "zyte", "other"].map(|dataset| page.replace("DATASET", dataset) + "\n").concat();
    let folder = Folder::new().with("gold.jsonl", pages);
    let ran = folder.run("eval gold.jsonl");
    ran.ends_with(0);
    let rows: Vec<&str> = ran.stdout.lines().skip(1).map(|line| line[..27].trim_end()).collect();
    assert_eq!(
        rows,
        [
            "other                     1",
            "wcxb                      1",
            "zyte                      1",
            "~sites>=3 pages           3",
            "MACRO                     2",
        ]
    );
}

#[test]
fn the_options_are_those_of_a_run() {
    let pack = "format = 1\nname = \"test\"\nabout = \"Husk\"\n\
                [[rule]]\nid = \"husk\"\nmatch = \"line\"\npatterns = [\"husk\"]\nremoves = [\"husk\"]\nkeeps = [\"grain\"]\n";
    let folder = Folder::new()
        .with("gold.jsonl", GOLD.replace("\"text\"", "\"body\""))
        .with("husk.toml", pack)
        .with("dehusk.toml", "no-default-packs = true\npack = [\"husk.toml\"]");
    let ran = folder.run("eval gold.jsonl --config dehusk.toml --text-field body --json");
    ran.ends(0, &[]);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!(told["macro"]["loss"], 0.0);
    assert_eq!(told["rows"][0]["removed_recall"], 0.5);
}

#[test]
fn json_tells_the_same() {
    let folder = Folder::new().with("gold.jsonl", GOLD);
    let ran = folder.run("eval gold.jsonl --json -v");
    ran.ends(0, &[]);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    let (precision, f) = (5.0 / 6.0, 10.0 / 11.0);
    let shop = |name: &str| {
        serde_json::json!({
            "name": name, "pages": 1, "precision": 0.0, "recall": 0.0, "f": 0.0, "removed_precision": 0.0,
            "removed_recall": 1.0, "removed_f": 0.0, "loss": 1.0, "left": 0.0, "bad20": 1.0,
        })
    };
    let expected = serde_json::json!({
        "schema_version": 1,
        "dehusk": env!("CARGO_PKG_VERSION"),
        "by": "dataset",
        "rows": [
            {
                "name": "news", "pages": 1, "precision": precision, "recall": 1.0, "f": told["rows"][0]["f"],
                "removed_precision": 1.0, "removed_recall": 0.5, "removed_f": 2.0 / 3.0, "loss": 0.0, "left": 0.25,
                "bad20": 0.0,
            },
            shop("shop"),
            shop("shop:product"),
        ],
        "macro": {
            "pages": 2, "precision": precision / 2.0, "recall": 0.5, "f": told["macro"]["f"],
            "removed_precision": 0.5, "removed_recall": 0.75, "removed_f": 1.0 / 3.0, "loss": 0.5, "left": 0.125,
            "bad20": 0.5,
        },
        "worst": [{"id": "b", "loss": 1.0, "words_lost": 3}],
    });
    assert_eq!(told, expected);
    assert!((told["macro"]["f"].as_f64().expect("a number") - f / 2.0).abs() < 1e-12);
}

#[test]
fn folds_tell_how_far_figures_differ() {
    // The sites are in different ones of two folds.
    let folder = Folder::new().with("gold.jsonl", GOLD);
    folder.run("eval gold.jsonl --folds 2").ends(0, &[]).says(&format!(
        "{TABLE}\
mean of 2 folds           2  0.417  0.500  0.455  0.500  0.750  0.333  0.500  0.125  0.500
standard deviation        2  0.589  0.707  0.643  0.707  0.354  0.471  0.707  0.177  0.707
"
    ));
    let ran = folder.run("eval gold.jsonl --folds 2 --json");
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    let each = told["folds"]["each"].as_array().expect("a list");
    let losses: Vec<_> = each.iter().map(|fold| (fold["fold"].as_u64(), fold["loss"].as_f64())).collect();
    assert_eq!(losses, [(Some(0), Some(0.0)), (Some(1), Some(1.0))]);
    assert_eq!(told["folds"]["mean"]["loss"], 0.5);
    for (arguments, error) in [
        ("--folds 1", "folds is 1; give at least 2, or leave it out"),
        ("--folds 0", "folds is 0; give at least 2, or leave it out"),
    ] {
        folder.run(&format!("eval gold.jsonl {arguments}")).ends(2, &[&format!("error: {error}")]).says("");
    }
    let one_site = Folder::new().with("gold.jsonl", GOLD.replace("five.example", "one.example"));
    one_site.run("eval gold.jsonl --folds 2").ends(
        2,
        &["error: all pages are in one of 2 folds, which are made by site; give pages of more sites, or leave folds out"],
    );
}

#[test]
fn a_fold_is_a_corpus_of_its_own() {
    let page = |site: &str| format!("{{\"site\":\"{site}.example\",\"text\":\"{SHIP}\",\"gold\":\"{SHIP}\"}}\n");
    let folder = Folder::new().with("gold.jsonl", page("one") + &page("five"));
    let loss = |arguments: &str| {
        let ran = folder.run(&format!("eval gold.jsonl --json {arguments}"));
        let told: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
        told["macro"]["loss"].as_f64()
    };
    // What repeats on two sites is no repeat where they are in two folds.
    assert_eq!(loss(""), Some(0.5));
    assert_eq!(loss("--folds 2"), Some(0.0));
    assert_eq!(loss("--scope site"), Some(0.0));
    assert_eq!(loss("--scope site --keep none"), Some(0.0));
    assert_eq!(loss("--keep none"), Some(1.0));
}

#[test]
fn what_cannot_be_measured_is_told() {
    let folder = Folder::new()
        .with("empty.jsonl", "")
        .with("byte.jsonl", "x")
        .with("zero.jsonl", "\0")
        .with("labels.jsonl", format!("{GOLD}{{\"text\":\"a\\nb\",\"labels\":[1]}}\n"))
        .with("gold.jsonl", GOLD)
        .with_folder("folder");
    for (arguments, code, error) in [
        ("nothing.jsonl", 2, "nothing.jsonl: no such file; check the path"),
        ("folder", 2, "folder: is a folder; name one file of labelled pages"),
        ("empty.jsonl", 3, "empty.jsonl: no pages; give JSONL with a labelled page on each line"),
        ("byte.jsonl", 3, "byte.jsonl:1: not a JSON object: expected value at byte 1; mend or remove the line"),
        ("zero.jsonl", 3, "zero.jsonl:1: not a JSON object: expected value at byte 1; mend or remove the line"),
        (
            "labels.jsonl",
            3,
            "labels.jsonl:3: \"labels\" has 1 values for 2 lines; give for each line of the text, cut at newlines, 1 (keep) \
             or 0 (remove)",
        ),
        (
            "gold.jsonl --text-field body",
            3,
            "gold.jsonl:1: no field \"body\"; name the field with the text with --text-field",
        ),
        ("gold.jsonl --max-removed-run 2", 2, "configuration: max-removed-run is 2; give a share from 0 to 1"),
    ] {
        folder.run(&format!("eval {arguments}")).ends(code, &[&format!("error: {error}")]).says("");
    }
    folder.run("eval").ends_with(2);
}

#[cfg(feature = "zstd")]
#[test]
fn compressed_pages_are_read_whatever_they_are_called() {
    let compress = |text: &str| packed("zst", text);
    let whole = compress(GOLD);
    let (first, second) = GOLD.split_at(100);
    // Frames one after the other, between them one that says that it is to be skipped.
    let frames = [compress(first), b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec(), compress(second)].concat();
    let cut = whole[..whole.len() - 10].to_vec();
    let last = whole.len() - 1;
    let mut changed = whole.clone();
    changed[last] ^= 1;
    let folder = Folder::new()
        .with("gold.jsonl.zst", &whole)
        .with("gold.jsonl", &frames)
        .with("cut.zst", cut)
        .with("changed.zst", changed)
        .with("magic.zst", &whole[..4]);
    for name in ["gold.jsonl.zst", "gold.jsonl"] {
        folder.run(&format!("eval {name}")).ends(0, &[]).says(TABLE);
    }
    folder.run_on(whole, "eval -").ends(0, &[]).says(TABLE);
    for name in ["cut.zst", "magic.zst", "changed.zst"] {
        let ran = folder.run(&format!("eval {name}"));
        ran.ends_with(3).says("");
        assert!(ran.stderr.starts_with(&format!("error: {name}: reading failed: ")), "{}", ran.stderr);
        assert!(ran.stderr.ends_with("; see that the file is whole and readable, then run again\n"), "{}", ran.stderr);
    }
    assert!(folder.run("eval changed.zst").stderr.contains("the zstd data is damaged"));
}
