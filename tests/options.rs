//! Every option has one home: a field of `Config`, a flag of the command and a key of a TOML file of one name.
#![cfg(feature = "cli")]

use assert_cmd::cargo::cargo_bin_cmd;
use dehusk::Config;
use dehusk::config::Size;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Flags that are not of the configuration: where it is read from, and questions to the command itself.
const NO_FIELDS: [&str; 3] = ["config", "help", "version"];

/// What `--help` says of a flag.
#[derive(Debug)]
struct Flag {
    takes_value: bool,
    possible_values: Vec<String>,
    default: Option<String>,
}

/// A configuration in which every field has a value.
fn full() -> toml::Table {
    let path = |name: &str| Some(PathBuf::from(name));
    let config = Config {
        output: path("out"),
        threads: Some(3),
        memory: Some(Size::new(1 << 30)),
        tmp_dir: path("tmp"),
        compress_level: Some(3),
        index: path("seen"),
        stdin_name: Some("feed".into()),
        journal: path("journal.jsonl"),
        report: path("report.json"),
        score_threshold: Some(0.9),
        weights: path("own.weights"),
        pack: vec!["cnet".into()],
        ..Config::default()
    };
    toml::Table::try_from(&config).expect("a configuration is a table")
}

/// The flags that a command's help shows, by their long names.
fn flags(command: &str) -> BTreeMap<String, Flag> {
    let output = cargo_bin_cmd!("dehusk").args([command, "--help"]).output().expect("the command can be run");
    let help = String::from_utf8(output.stdout).expect("help is UTF-8");
    let mut flags = BTreeMap::new();
    let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in help.lines() {
        match line.trim_start() {
            flag if flag.starts_with('-') && !flag.starts_with("- ") => sections.push((flag, Vec::new())),
            text => {
                if let Some((_, lines)) = sections.last_mut() {
                    lines.push(text);
                }
            }
        }
    }
    for (flag, lines) in sections {
        let (_, long) = flag.split_once("--").expect("every flag has a long name");
        let name: String =
            long.chars().take_while(|character| character.is_alphanumeric() || *character == '-').collect();
        let possible_values = lines.iter().filter_map(|line| line.strip_prefix("- ")?.split(':').next());
        let text = lines.join(" ");
        let default = text.split_once("[default: ").and_then(|(_, rest)| rest.split(']').next());
        let flag = Flag {
            takes_value: long.contains('<'),
            possible_values: possible_values.map(str::to_owned).collect(),
            default: default.map(str::to_owned),
        };
        assert!(flags.insert(name, flag).is_none(), "{long} stands twice");
    }
    flags
}

fn names_of<'n>(names: impl Iterator<Item = &'n String>) -> BTreeSet<&'n str> {
    names.map(String::as_str).collect()
}

#[test]
fn every_field_is_a_flag_and_every_flag_a_field() {
    let table = full();
    for command in ["clean", "explain", "learn", "eval"] {
        let flags = flags(command);
        // What is no field of the configuration says what to work on.
        let others = match command {
            "explain" => vec!["among"],
            "eval" => vec!["by", "folds", "json"],
            "learn" => vec!["facts", "files-from", "null"],
            _ => vec!["files-from", "null"],
        };
        let is_field = |name: &&str| !NO_FIELDS.contains(name) && !others.contains(name);
        let of_flags: BTreeSet<&str> = names_of(flags.keys()).into_iter().filter(is_field).collect();
        assert_eq!(of_flags, names_of(table.keys()), "{command}");
    }
}

#[test]
fn every_field_has_a_value_here_or_is_listed_in_a_message() {
    // An unknown key is answered with all that there are, so that a field that is not in `full` shows.
    let error = Config::parse("test", "no-such-key = 1").expect_err("the key is unknown");
    let told = error.to_string();
    let (_, listed) = told.split_once("expected one of ").expect("the message lists the keys");
    let listed: BTreeSet<&str> = listed.split(", ").map(|key| key.trim_matches('`')).collect();
    assert_eq!(listed, names_of(full().keys()));
}

#[test]
fn every_flag_says_the_value_that_the_field_has_by_default() {
    let defaults = toml::Table::try_from(Config::default()).expect("a configuration is a table");
    let flags = flags("clean");
    for (name, value) in &defaults {
        let flag = &flags[name.as_str()];
        let shown = match value {
            toml::Value::Boolean(_) => {
                assert_eq!((value.as_bool(), flag.takes_value), (Some(false), false), "{name}");
                None
            }
            toml::Value::Array(list) => {
                assert!(list.is_empty(), "{name}");
                None
            }
            toml::Value::String(text) => Some(text.clone()),
            _ if name == "verbose" => None,
            number => Some(number.to_string().trim_end_matches(".0").to_owned()),
        };
        assert_eq!(flag.default, shown, "{name}");
        if !flag.possible_values.is_empty() {
            assert!(flag.possible_values.contains(shown.as_ref().expect("a choice has a default")), "{name}");
        }
    }
}

/// Each value that a field can be seen to have: those that are listed, and one of another kind.
fn values(name: &str, value: &toml::Value, flag: &Flag) -> Vec<toml::Value> {
    if !flag.possible_values.is_empty() {
        return flag.possible_values.iter().map(|value| value.as_str().into()).collect();
    }
    vec![match value {
        toml::Value::Boolean(_) => true.into(),
        toml::Value::Integer(_) => 2.into(),
        toml::Value::Float(_) => 0.25.into(),
        toml::Value::Array(_) => vec!["gutenberg", "web-en"].into(),
        toml::Value::String(_) if name == "encoding" => "windows-1251".into(),
        toml::Value::String(_) if name == "memory" => "3GiB".into(),
        _ => format!("some-{name}").into(),
    }]
}

/// The flag as it stands on a command line.
fn arguments(name: &str, value: &toml::Value) -> Vec<String> {
    match value {
        toml::Value::Boolean(_) => vec![format!("--{name}")],
        toml::Value::Integer(count) if name == "verbose" => (0..*count).map(|_| format!("--{name}")).collect(),
        toml::Value::Array(list) => list.iter().flat_map(|item| arguments(name, item)).collect(),
        toml::Value::String(text) => vec![format!("--{name}"), text.clone()],
        number => vec![format!("--{name}"), number.to_string()],
    }
}

#[test]
fn a_key_and_a_flag_of_one_name_do_the_same() {
    let table = full();
    let flags = flags("clean");
    for (name, value) in &table {
        for value in values(name, value, &flags[name.as_str()]) {
            let source = toml::Table::from_iter([(name.clone(), value.clone())]).to_string();
            let config = Config::parse("test.toml", &source);
            assert!(config.is_ok(), "{source}: {config:?}");

            // As a key, as a flag, and as a flag against a key of another value: the reports tell what was used.
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            std::fs::write(folder.path().join("in.jsonl"), "{\"text\":\"Text.\"}\n").expect("a file can be written");
            let by_key = run(folder.path(), &source, &[]);
            let by_flag = run(folder.path(), "", &arguments(name, &value));
            assert_eq!(by_key, by_flag, "{name} = {value}");
        }
    }
}

/// What a run with a configuration file and flags came to: exit code, what it told, the files that it wrote, its report.
fn run(folder: &std::path::Path, config: &str, arguments: &[String]) -> (Option<i32>, String, Vec<(String, String)>) {
    std::fs::write(folder.join("dehusk.toml"), config).expect("a file can be written");
    let has = |name: &str| {
        config.starts_with(&format!("{name} =")) || arguments.iter().any(|argument| argument == &format!("--{name}"))
    };
    let mut command = cargo_bin_cmd!("dehusk");
    command.current_dir(folder).args(["clean", "in.jsonl", "--config", "dehusk.toml"]).args(arguments);
    for name in ["output", "report", "journal"] {
        if !has(name) {
            command.args([format!("--{name}"), format!("the-{name}")]);
        }
    }
    let output = command.output().expect("the command can be run");
    let stderr = String::from_utf8(output.stderr).expect("the command writes UTF-8");
    let told = stderr.lines().map(|line| line.rsplit_once("; ").map_or(line, |(before, _)| before)).collect();
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name().min_depth(1) {
        let entry = entry.expect("the folder can be walked");
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == "in.jsonl" || name == "dehusk.toml" || entry.file_type().is_dir() {
            continue;
        }
        let bytes = std::fs::read(entry.path()).expect("an output can be read");
        let text = String::from_utf8_lossy(&bytes);
        let without_time: Vec<&str> = text.split("\"times\":").take(1).flat_map(str::lines).collect();
        // The head of an index has something random.
        if name != "head" {
            files.push((name, without_time.join("\n")));
        }
        std::fs::remove_file(entry.path()).expect("an output can be removed");
    }
    (output.status.code(), told, files)
}
