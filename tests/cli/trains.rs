//! `dehusk train` and the weights that it makes: the same for the same pages, and refused when they are damaged.

use super::support::Folder;
use std::fmt::Write;

/// Labelled pages of eight sites, with menus, articles and footers of made-up words.
fn gold(n_pages: usize) -> Vec<String> {
    const MENU: [&str; 6] = ["Home", "About us", "Contact", "Sign in", "Subscribe now", "Latest stories"];
    const FOOTER: [&str; 4] = ["Terms of use", "Privacy policy", "Follow us", "All rights reserved"];
    let mut pages = Vec::new();
    for page in 0..n_pages {
        let mut text = MENU.join("\n");
        let mut labels = vec!["0"; MENU.len()];
        for line in 0..8 {
            let number = page * 31 + line * 7;
            let _ = write!(
                text,
                "\nThe {} of the {} town number {number} said that it was a fine day for the harvest, and so it went on until dusk.",
                ["baker", "miller", "mayor", "smith"][number % 4],
                ["lower", "upper", "old"][number % 3],
            );
            labels.push("1");
        }
        for line in FOOTER {
            let _ = write!(text, "\n{line}");
            labels.push("0");
        }
        let text = serde_json::Value::String(text);
        let labels = labels.join(",");
        pages.push(format!(
            "{{\"id\":\"p{page}\",\"site\":\"s{}.example\",\"text\":{text},\"labels\":[{labels}]}}\n",
            page % 8
        ));
    }
    pages
}

#[test]
fn the_same_pages_give_the_same_weights() {
    let pages = gold(24);
    let reversed: Vec<String> = pages.iter().rev().cloned().collect();
    let folder = Folder::new().with("gold.jsonl", pages.concat()).with("reversed.jsonl", reversed.concat());
    let ran = folder.run("train gold.jsonl -o a.weights");
    ran.ends_with(0);
    assert!(ran.stderr.starts_with("learned from 24 pages and "), "{}", ran.stderr);
    folder.run("train gold.jsonl -o b.weights -q").ends(0, &[]);
    folder.run("train reversed.jsonl -o c.weights -q").ends(0, &[]);
    folder.run("train gold.jsonl -o d.weights -q --seed 2").ends(0, &[]);
    let weights = folder.bytes("a.weights");
    assert!(weights == folder.bytes("b.weights") && weights == folder.bytes("c.weights"));
    assert!(weights != folder.bytes("d.weights"));
    let refused = ["error: a.weights: exists; choose another, or replace it with --force"];
    folder.run("train gold.jsonl -o a.weights -q").ends(2, &refused);
    folder.run("train gold.jsonl -o a.weights -q --force").ends(0, &[]);
    // What it learned it finds again; what it was not given to learn from, it says nothing about.
    folder.run("eval gold.jsonl --weights a.weights --scope off").ends_with(0);
    let ran = folder.run("eval gold.jsonl --weights a.weights --scope off");
    assert!(ran.stderr.contains("the score was learned from 24 of these 24 pages"), "{}", ran.stderr);
    folder.run("eval gold.jsonl --scope off").ends(0, &[]);
}

#[test]
fn folds_are_scored_by_what_was_learned_from_others() {
    let folder = Folder::new().with("gold.jsonl", gold(24).concat());
    folder.run("train gold.jsonl -o own.weights -q").ends(0, &[]);
    let ran = folder.run("eval gold.jsonl --weights own.weights --folds 2 --scope off --no-default-packs");
    ran.ends(0, &[]);
    assert!(ran.stdout.contains("mean of 2 folds"), "{}", ran.stdout);
}

#[test]
fn pages_that_teach_nothing_are_refused() {
    let one_site = r#"{"site":"a.example","text":"One\nTwo","labels":[0,1]}"#;
    let no_chrome = "{\"site\":\"a.example\",\"text\":\"One\",\"labels\":[1]}\n{\"site\":\"d.example\",\"text\":\"Two\",\"labels\":[1]}";
    let folder = Folder::new().with("one.jsonl", one_site).with("none.jsonl", no_chrome).with("empty.jsonl", "");
    let what = "error: the pages are too few to learn from: they must be of several sites, and have lines that stay and that \
                go; give more pages";
    folder.run("train one.jsonl -o w").ends(2, &[what]);
    folder.run("train none.jsonl -o w").ends(2, &[what]);
    folder
        .run("train empty.jsonl -o w")
        .ends(3, &["error: empty.jsonl: no pages; give JSONL with a labelled page on each line"]);
    assert!(!folder.exists("w"));
}

#[test]
fn damaged_weights_are_refused() {
    let folder = Folder::new().with("gold.jsonl", gold(16).concat()).with("page.txt", "One.\n");
    folder.run("train gold.jsonl -o own.weights -q").ends(0, &[]);
    folder.run("clean page.txt -o out.txt -q --weights own.weights").ends(0, &[]);
    let weights = folder.bytes("own.weights");
    let mut flipped = weights.clone();
    flipped[weights.len() / 2] ^= 1;
    let mut older = b"dehusk line score 0\n".to_vec();
    older.extend(&weights[20..]);
    let folder = folder
        .with("flipped", flipped)
        .with("short", &weights[..weights.len() - 1])
        .with("older", older)
        .with("other", "One.\n")
        .with("nothing", "");
    let damaged = "the weights are damaged; get the file again";
    let none = "no weights of the line score; make them with \"dehusk train\"";
    for (name, what) in [
        ("flipped", damaged),
        ("short", damaged),
        ("older", "weights of version 0, where 3 is wanted; train them again"),
        ("other", none),
        ("nothing", none),
    ] {
        folder
            .run(&format!("clean page.txt -o {name}.txt --weights {name}"))
            .ends(2, &[&format!("error: {name}: {what}")]);
    }
    let missing = folder.run("clean page.txt -o x.txt --weights gone");
    missing.ends_with(2);
    assert!(missing.stderr.starts_with("error: gone: "), "{}", missing.stderr);
}
