//! `dehusk explain`: a document with what would go struck out, and why.

use super::support::{BAKER, Folder, SHIP};

#[test]
fn each_line_is_shown_with_what_becomes_of_it() {
    let page = format!("Skip to content\n\n{SHIP}\n\n{BAKER}\n{SHIP}\nEnd.");
    let folder = Folder::new().with("page.txt", page);
    let plain = format!(
        "     1 - Skip to content  [rule web-en/skip-link]\n     2 -   [blank beside a cut]\n     3   {SHIP}\n     4   \n     \
         5   {BAKER}\n     6 - {SHIP}  [repeats page.txt:3]\n     7   End.\n"
    );
    let before = folder.tree(".");
    folder.run("explain --level rules page.txt").ends(0, &[]).says(&plain);
    folder.run("explain --level rules page.txt --color never").ends(0, &[]).says(&plain);
    let (dim, gone, why, end) = ("\u{1b}[2m", "\u{1b}[9m\u{1b}[31m", "\u{1b}[36m", "\u{1b}[0m");
    folder.run("explain --level rules page.txt --color always").ends(0, &[]).says(&format!(
        "{dim}     1{end} - {gone}Skip to content{end}  {why}[rule web-en/skip-link]{end}\n\
         {dim}     2{end} - {gone}{end}  {why}[blank beside a cut]{end}\n\
         {dim}     3{end}   {SHIP}\n\
         {dim}     4{end}   \n\
         {dim}     5{end}   {BAKER}\n\
         {dim}     6{end} - {gone}{SHIP}{end}  {why}[repeats page.txt:3]{end}\n\
         {dim}     7{end}   End.\n"
    ));
    assert_eq!(folder.tree("."), before);
}

#[test]
fn words_that_go_are_told_from_those_that_stay() {
    let pack = "format = 1\nname = \"test\"\nabout = \"Words\"\n\
                [[rule]]\nid = \"share\"\nmatch = \"suffix\"\npatterns = [\"share this\"]\nremove = \"words\"\n\
                removes = [{ line = \"Some news. Share this\", leaves = \"Some news. \" }]\nkeeps = [\"Share this bread.\"]\n";
    let folder = Folder::new().with("test.toml", pack).with("page.txt", "Some news. Share this\nMore.\n");
    folder
        .run("explain --level rules page.txt --no-default-packs --pack test.toml")
        .ends(0, &[])
        .says("     1 ~ Some news. Share this  [rule test/share]\n     2   More.\n");
}

#[test]
fn a_file_is_explained_as_one_of_its_corpus() {
    let folder = Folder::new()
        .with("in/a.txt", format!("{BAKER}\n{SHIP}\n"))
        .with("in/b.txt", format!("{SHIP}\nMore.\n"))
        .with("in/c.txt", "One.\nTwo.\n")
        .with("in/d.txt", "One.\nTwo.\n")
        .with("other.txt", SHIP);
    let alone = format!("     1   {SHIP}\n     2   More.\n");
    let among = format!("     1 - {SHIP}  [repeats a.txt:2]\n     2   More.\n");
    folder.run("explain --level rules in/b.txt").ends(0, &[]).says(&alone);
    folder.run("explain --level rules in/b.txt --among in").ends(0, &[]).says(&among);
    folder.run("explain --level rules in/b.txt --among in/a.txt in/b.txt").ends(0, &[]).says(&among);
    folder.run("explain --level rules in/b.txt --among in --scope document").ends(0, &[]).says(&alone);
    let copy = "  [copy of the document at c.txt:1]";
    folder
        .run("explain --level rules in/d.txt --among in")
        .ends(0, &[])
        .says(&format!("     1 - One.{copy}\n     2 - Two.{copy}\n"));
    folder
        .run("explain --level rules other.txt --among in")
        .ends(2, &["error: other.txt: not among the inputs; name it, or a folder that it is in"]);
}

#[test]
fn records_are_numbered_and_read_without_escapes() {
    let records = format!(
        "{{\"text\":\"Skip to content\\n{SHIP}\"}}\n\nbad\n{{\"text\":\"caf\\u00e9 \\/ \\\"tea\\\"\\n{SHIP}\"}}\n"
    );
    let folder = Folder::new().with("in.jsonl", records);
    for scope in ["", "--scope site --site-field nothing", "--scope document"] {
        let second = if scope.is_empty() { (" -", "  [repeats in.jsonl:1:2]") } else { ("  ", "") };
        folder.run(&format!("explain in.jsonl {scope}")).ends(0, &[]).says(&format!(
            "     1 - Skip to content  [rule web-en/skip-link]\n     2   {SHIP}\nrecord 4\n     1   café / \"tea\"\n     2{} {SHIP}{}\n",
            second.0, second.1
        ));
    }
}

#[test]
fn what_cannot_be_explained_is_told() {
    let folder = Folder::new().with("in/a.txt", SHIP);
    for (arguments, error) in [
        ("nothing.txt", "nothing.txt: no such file or folder; check the path"),
        ("in/a.txt --among nothing", "nothing: no such file or folder; check the path"),
        ("in", "in: not among the inputs; name it, or a folder that it is in"),
    ] {
        folder.run(&format!("explain {arguments}")).ends(2, &[&format!("error: {error}")]).says("");
    }
}
