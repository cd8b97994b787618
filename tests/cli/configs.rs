//! A configuration file: its keys, the flags that go before it, and what is refused in it.

use super::support::{Folder, SHIP};

#[test]
fn a_file_configures_and_flags_go_before() {
    let page = format!("Skip to content\n{SHIP}\n\n{SHIP}\nEnd.\n");
    let config = "# Rules only.\noutput = \"out.txt\"\nscope = \"off\"\nquiet = true\njournal = \"journal\"\n";
    let folder = Folder::new().with("in.txt", &page).with("dehusk.toml", config);
    folder.run("clean in.txt --config dehusk.toml").ends(0, &[]).says("");
    assert_eq!(folder.read("out.txt"), format!("{SHIP}\n\n{SHIP}\nEnd.\n"));
    assert!(folder.exists("journal"));
    folder.run("clean in.txt --config dehusk.toml --scope corpus -o two.txt --journal two").ends(0, &[]);
    assert_eq!(folder.read("two.txt"), format!("{SHIP}\n\nEnd.\n"));
    folder
        .run("explain in.txt --config dehusk.toml --no-default-packs --level rules")
        .ends(0, &[])
        .says(&format!("     1   Skip to content\n     2   {SHIP}\n     3   \n     4   {SHIP}\n     5   End.\n"));
}

#[test]
fn a_list_given_as_a_flag_takes_the_place_of_the_files() {
    let folder = Folder::new().with("in.txt", SHIP).with("dehusk.toml", "pack = [\"nothing\"]\n");
    let error = "error: nothing: no such pack or file; the packs that come with dehusk are cnet, gutenberg, web-de, \
                 web-en, web-es, web-fr, web-it, web-ja, web-pt, web-ru, web-zh";
    folder.run("clean in.txt -o out.txt --config dehusk.toml").ends(2, &[error]);
    folder.run("clean in.txt -o out.txt --config dehusk.toml --pack cnet").ends_with(0);
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_its_line() {
    for (config, error) in [
        ("unit = \"line\"\nmin-char = 3\n", ":2: unknown field `min-char`, expected one of `output`, "),
        ("config = \"more.toml\"\n", ":1: unknown field `config`, expected one of `output`, "),
        ("min_chars = 3\n", ":1: unknown field `min_chars`, expected one of `output`, "),
        ("\n\nunit = \"parag\"\n", ":3: unknown variant `parag`, expected `line` or `paragraph`\n"),
        ("min-chars = \"60\"\n", ":1: invalid type: string \"60\", expected usize\n"),
        ("threads = -1\n", ":1: invalid value: integer `-1`, expected usize\n"),
        ("quiet = true\nquiet = true\n", ":2: duplicate key\n"),
        ("index = \"\"\n", ":1: the name of an index is empty; name its folder, or leave it out\n"),
        ("unit line\n", ":1: "),
    ] {
        let folder = Folder::new().with("in.txt", SHIP).with("dehusk.toml", config);
        for arguments in ["clean in.txt -o out.txt", "explain in.txt"] {
            let ran = folder.run(&format!("{arguments} --config dehusk.toml"));
            ran.ends_with(2).says("");
            assert!(ran.stderr.starts_with(&format!("error: dehusk.toml{error}")), "{config}: {}", ran.stderr);
            assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        }
        assert!(!folder.exists("out.txt"));
    }
}

#[test]
fn a_value_out_of_range_is_told_with_its_line() {
    for (config, error) in [
        ("unit = \"line\"\nthreads = 0\n", "2: threads is 0; give at least 1, or leave it out to use all processors"),
        ("\n\nmax-removed-run = 3.0\n", "3: max-removed-run is 3; give a share from 0 to 1"),
    ] {
        let folder = Folder::new().with("in.txt", SHIP).with("dehusk.toml", config);
        folder.run("clean in.txt -o out.txt --config dehusk.toml").ends(2, &[&format!("error: dehusk.toml:{error}")]);
        assert!(!folder.exists("out.txt"));
    }
}

#[test]
fn a_configuration_that_is_not_there_is_a_usage_error() {
    let folder = Folder::new().with("in.txt", SHIP);
    let error = "error: nothing.toml: reading failed: No such file or directory (os error 2); check the path";
    for arguments in ["clean in.txt -o out.txt", "explain in.txt"] {
        folder.run(&format!("{arguments} --config nothing.toml")).ends(2, &[error]).says("");
    }
    assert!(!folder.exists("out.txt"));
}

#[test]
fn values_that_do_not_go_together_are_refused() {
    let folder = Folder::new().with("in.txt", SHIP);
    for (arguments, error) in [
        ("--threads 0", "threads is 0; give at least 1, or leave it out to use all processors"),
        ("-j 0", "threads is 0; give at least 1, or leave it out to use all processors"),
        ("--max-removed-run 2", "max-removed-run is 2; give a share from 0 to 1"),
        ("--max-removed-document=-0.5", "max-removed-document is -0.5; give a share from 0 to 1"),
        ("--max-removed-document NaN", "max-removed-document is NaN; give a share from 0 to 1"),
        (
            "--keep none --scope off",
            "keep is \"none\" while scope is \"off\", so that nothing would be compared; change one",
        ),
        (
            "--format jsonl --framing nul",
            "framing is for plain text on standard input, but format is of another kind; leave one out",
        ),
        ("--stdin-name=", "stdin-name is empty; give the name that an index is to know the stream by"),
        ("--text-field=", "text-field is empty; name the field that is cleaned"),
        ("--url-field text", "text-field names the same field as id-field, url-field or site-field; tell them apart"),
    ] {
        let error = format!("error: configuration: {error}");
        folder.run(&format!("clean in.txt -o out.txt {arguments}")).ends(2, &[&error]);
        folder.run(&format!("explain in.txt {arguments}")).ends(2, &[&error]).says("");
    }
    let error = "error: configuration: keep is \"none\", which needs two passes over the input; \
                 save the input to a file, or let scope be \"document\"";
    folder.run_on(SHIP, "clean - --keep none").ends(2, &[error]).says("");
    folder
        .run_on(format!("{SHIP}\n{SHIP}\nEnd.\n"), "clean - --keep none --scope document --max-removed-run 1")
        .ends_with(0)
        .says("End.\n");
    assert_eq!(folder.files("."), ["in.txt"]);
}

#[test]
fn flags_that_are_none_are_refused() {
    let folder = Folder::new().with("in.txt", SHIP);
    for (arguments, error) in [
        ("--bogus", "error: unexpected argument '--bogus' found"),
        ("--threads many", "error: invalid value 'many' for '--threads <N>': invalid digit found in string"),
        ("--unit word", "error: invalid value 'word' for '--unit <UNIT>'"),
        ("-o another.txt", "error: the argument '--output <OUT>' cannot be used multiple times"),
    ] {
        let ran = folder.run(&format!("clean in.txt -o out.txt {arguments}"));
        ran.ends_with(2);
        assert_eq!(ran.stderr.lines().next(), Some(error));
    }
    assert_eq!(folder.files("."), ["in.txt"]);
}
