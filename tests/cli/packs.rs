//! `dehusk packs`: listed, shown, and tested by their own examples.

use super::support::{Folder, SHIP};

/// The packs that come with dehusk, in the order they are listed in.
const BUILT_IN: [&str; 11] =
    ["cnet", "gutenberg", "web-de", "web-en", "web-es", "web-fr", "web-it", "web-ja", "web-pt", "web-ru", "web-zh"];

const SHOP: &str = r#"format = 1
name = "shop"
about = "Buttons and banners of a shop"

[[rule]]
id = "add-to-cart"
match = "line"
patterns = ["add to cart", "feed # to the cat"]
removes = ["Add to cart", "+ Feed 2 to the Cat »"]
keeps = ["Add to cart abandonment the cost of returns."]
"#;

#[test]
fn packs_are_listed() {
    let ran = Folder::new().run("packs list");
    ran.ends(0, &[]);
    let names: Vec<&str> = ran.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, BUILT_IN);
    let number = |line: &str, word: &str| -> Option<usize> {
        let words: Vec<&str> = line.split_whitespace().collect();
        words[words.iter().position(|other| *other == word)? - 1].parse().ok()
    };
    let n_patterns: usize = ran.stdout.lines().filter_map(|line| number(line, "patterns")).sum();
    assert!(n_patterns >= 400, "{n_patterns} patterns");
    assert!(ran.stdout.lines().all(|line| number(line, "rules").is_some_and(|rules| rules > 0)), "{}", ran.stdout);
}

#[test]
fn a_pack_is_shown_as_it_is_written() {
    let folder = Folder::new().with("shop.toml", SHOP);
    let source = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/rules/packs/cnet.toml"));
    folder.run("packs show cnet").ends(0, &[]).says(source);
    folder.run("packs show shop.toml").ends(0, &[]).says(SHOP);
    let error =
        format!("error: nothing: no such pack or file; the packs that come with dehusk are {}", BUILT_IN.join(", "));
    folder.run("packs show nothing").ends(2, &[&error]).says("");
    folder.run("packs test nothing").ends(2, &[&error]).says("");
}

#[test]
fn the_packs_that_come_with_dehusk_pass_their_tests() {
    let ran = Folder::new().run("packs test");
    ran.ends(0, &[]);
    for (line, name) in ran.stdout.lines().zip(BUILT_IN) {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!([words[0], words[2], words[4], words[5]], [&*format!("{name}:"), "of", "examples", "hold"]);
        assert_eq!(words[1], words[3], "{line}");
    }
    assert_eq!(ran.stdout.lines().count(), BUILT_IN.len(), "{}", ran.stdout);
    Folder::new()
        .with("shop.toml", SHOP)
        .run("packs test shop.toml")
        .ends(0, &[])
        .says("shop.toml: 3 of 3 examples hold\n");
}

#[test]
fn an_example_that_fails_is_named_with_file_and_line() {
    let pack = SHOP
        .replace("removes = [", "removes = [\n  \"Buy now\",\n  ")
        .replace("returns.\"]", "returns.\",\n  \"ADD TO CART\"]");
    let folder = Folder::new().with("shop.toml", pack);
    let failures = [
        "error: shop.toml:10: rule \"add-to-cart\": \"Buy now\" must go, but stays; widen \"add-to-cart\" or mend the example",
        "error: shop.toml:13: rule \"add-to-cart\": \"ADD TO CART\" must stay, but shop/add-to-cart leaves \"\"; \
         narrow the rule",
    ];
    folder.run("packs test shop.toml").ends(1, &failures).says("shop.toml: 3 of 5 examples hold\n");
    let ran = folder.run("packs test shop.toml gutenberg");
    ran.ends(1, &failures);
    assert!(ran.stdout.starts_with("shop.toml: 3 of 5 examples hold\ngutenberg: "), "{}", ran.stdout);
}

#[test]
fn a_pack_of_ones_own_cleans() {
    let folder =
        Folder::new().with("shop.toml", SHOP).with("in.txt", format!("Skip to content\n{SHIP}\nFeed 3 to the cat\n"));
    let cut = |packs: &str| {
        folder.run(&format!("clean in.txt -o out.txt --force {packs}")).ends_with(0);
        folder.read("out.txt")
    };
    assert_eq!(cut(""), format!("{SHIP}\nFeed 3 to the cat\n"));
    assert_eq!(cut("--pack shop.toml"), format!("{SHIP}\n"));
    assert_eq!(cut("--pack shop.toml --pack cnet --pack web-en"), format!("{SHIP}\n"));
    assert_eq!(cut("--no-default-packs --pack shop.toml"), format!("Skip to content\n{SHIP}\n"));
    assert_eq!(cut("--no-default-packs --pack shop.toml --pack web-en"), format!("{SHIP}\n"));
    assert_eq!(cut("--no-default-packs"), folder.read("in.txt"));
}

#[test]
fn a_pack_that_cannot_be_is_refused_with_its_line() {
    for (pack, error) in [
        (SHOP.replace("match =", "mtch ="), ":7: unknown field `mtch`, expected one of `id`, `about`, `match`, "),
        (SHOP.replace("\"line\"", "\"lines\""), ":7: unknown variant `lines`, expected one of `line`, `prefix`, "),
        (SHOP.replace("format = 1", "format = 2"), ":1: format 2 is not known; this version reads format 1\n"),
        (
            SHOP.replace("\"add to cart\"", "\"\""),
            ":6: rule \"add-to-cart\": pattern is empty; delete it or give at least 2 characters\n",
        ),
        (
            format!("{SHOP}\n{}", &SHOP[SHOP.find("[[rule]]").expect("the pack has a rule")..]),
            ":13: rule \"add-to-cart\": the id stands twice; rename one\n",
        ),
        (
            SHOP.replace("removes = [\"Add to cart\", \"+ Feed 2 to the Cat »\"]", "removes = []"),
            ":6: rule \"add-to-cart\": it needs an example in \"removes\" and one in \"keeps\"; add them\n",
        ),
        ("format = \n".into(), ":1: "),
    ] {
        let folder = Folder::new().with("shop.toml", pack).with("in.txt", SHIP);
        for arguments in [
            "packs test shop.toml",
            "packs show shop.toml",
            "clean in.txt -o out --pack shop.toml",
            "explain in.txt --pack shop.toml",
        ] {
            let ran = folder.run(arguments);
            ran.ends_with(2).says("");
            assert!(ran.stderr.starts_with(&format!("error: shop.toml{error}")), "{arguments}: {}", ran.stderr);
        }
        assert!(!folder.exists("out"));
    }
    let folder = Folder::new().with("latin.toml", b"name = \"\xe9\"");
    folder
        .run("packs test latin.toml")
        .ends(2, &["error: latin.toml:1: not UTF-8; a pack is a TOML file, save it as UTF-8"]);
}
