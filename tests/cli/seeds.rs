//! The two real articles that the project began with.

use super::support::{Folder, SHIP};

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpora/seeds");
const CNET: &str = "000_af2bfa08f6d4c670.txt";
const TWICE: &str = "004_0f58fac146a473dc.txt";

fn seed(name: &str) -> String {
    std::fs::read_to_string(format!("{SEEDS}/{name}")).expect("the seed is in the repository")
}

#[test]
fn the_seeds_come_out_as_promised() {
    let folder = Folder::new();
    let told = "cleaned 2 files, 2 documents: 2,881 of 8,553 bytes of text removed (33.7 %), \
                3 blocks by rules, 11 repeats, 0 of copies; _ s";
    folder.run(&format!("clean {SEEDS} -o out --journal journal.jsonl")).ends(0, &[told]).says("");
    assert_eq!(folder.files("out"), [CNET, TWICE]);

    let original = seed(CNET);
    let headline = original.find("China claims").expect("the article has its headline");
    assert_eq!(folder.read(&format!("out/{CNET}")), original[headline..]);

    // The body, all but the first line of it, stands twice.
    let original = seed(TWICE);
    let lines: Vec<&str> = original.split_inclusive('\n').collect();
    assert_eq!(lines[1..11], lines[12..22]);
    assert_eq!(lines[11].trim_end(), lines[22]);
    assert_eq!(folder.read(&format!("out/{TWICE}")), lines[..12].concat());

    folder.run("restore out --journal journal.jsonl -o back").ends(0, &["restored 2 files, put 15 cuts back"]);
    assert_eq!((folder.read(&format!("back/{CNET}")), folder.read(&format!("back/{TWICE}"))), (seed(CNET), original));
}

#[test]
fn each_cut_in_the_seeds_has_its_reason() {
    let folder = Folder::new();
    let ran = folder.run(&format!("explain --level rules {SEEDS}/{CNET}"));
    let cuts: Vec<&str> = ran.stdout.lines().filter(|line| line.get(7..8) == Some("-")).collect();
    let reasons: Vec<&str> = cuts.iter().filter_map(|line| line.rsplit_once("  [")).map(|(_, why)| why).collect();
    assert_eq!(
        reasons,
        ["rule cnet/live-topics]", "rule cnet/notify-prompt]", "rule cnet/notify-buttons]", "blank beside a cut]"]
    );

    let ran = folder.run(&format!("explain --level rules {SEEDS}/{TWICE}"));
    let cuts: Vec<&str> = ran.stdout.lines().filter(|line| line.get(7..8) == Some("-")).collect();
    let reasons: Vec<&str> = cuts.iter().filter_map(|line| line.rsplit_once("  [")).map(|(_, why)| why).collect();
    let wanted: Vec<String> = (2..=12).map(|line| format!("repeats {TWICE}:{line}]")).collect();
    assert_eq!(reasons, wanted);
}

#[test]
fn the_header_falls_as_a_kind_of_chrome() {
    let article = "\nA ship without a crew\n\nNobody knows who steered the ship into the harbour on Monday night.\n";
    let prompt = "Want CNET to notify you of price drops and the latest stories?\nNo, thank you\nAccept\n";
    for topics in [
        "Live: Amazon Product Event Prime Sale Lenovo Duet 3 Windows 11 Update HP OLED Laptop Gift Card Deal\n",
        "Your Guide to a Better Future\nApple Event iPhone 14 Pro Galaxy Z Fold 4 Dream SMP Best VPN Stimulus Check\n",
        "Black Friday Deals PS5 Restock Wordle Tips Roku Express iPad Mini Best Laptops Tesla Recall\n",
        "CNET\n\nLive: Prime Day Deals, PS5 Restock, Best VPN\nYour guide to a better future\n\n",
    ] {
        let folder = Folder::new().with("page.txt", format!("{topics}{prompt}{article}"));
        folder.run("clean page.txt -o clean.txt").ends_with(0);
        assert_eq!(folder.read("clean.txt"), article[1..], "{topics}");
    }
}

#[test]
fn the_same_words_without_that_company_stay() {
    let text = "Live: the band's new album\n\nThe band played all of it on Friday.\n\n\
                \"Would you like another cup?\"\nNo, thank you\nHe rose and left the room without a word.\n";
    let folder = Folder::new().with("story.txt", text);
    folder.run("clean story.txt -o clean.txt").ends_with(0);
    assert_eq!(folder.read("clean.txt"), text);
}

/// A bar of topics goes also where it does not begin with "Live:" and a slogan stands between it and the prompt.
#[test]
fn a_slogan_may_stand_between_topics_and_prompt() {
    let topics = "Black Friday Deals PS5 Restock Wordle Tips Roku Express iPad Mini Best Laptops Tesla Recall";
    let prompt = "Want CNET to notify you of price drops and the latest stories?\nNo, thank you";
    let page = format!("{topics}\nYour guide to a better future\n{prompt}\n\nA ship without a crew\n\n{SHIP}\n");
    let folder = Folder::new().with("page.txt", page);
    folder.run("clean page.txt -o clean.txt").ends_with(0);
    assert_eq!(folder.read("clean.txt"), format!("A ship without a crew\n\n{SHIP}\n"));
}
