//! `dehusk packs`.

use crate::args::PacksCommand;
use crate::{BAD, FINE, print, terminal};
use dehusk::check_examples;
use dehusk::rules::Pack;
use std::fmt::Write;

pub(crate) fn packs(command: PacksCommand) -> anyhow::Result<u8> {
    match command {
        PacksCommand::List => {
            let mut list = String::new();
            for name in Pack::built_in_names() {
                let pack = Pack::open(name)?;
                let (rules, patterns) = (pack.rules.len(), pack.n_patterns());
                writeln!(list, "{name:<12} {rules:>4} rules {patterns:>5} patterns  {}", pack.about)?;
            }
            print(list.as_bytes())
        }
        PacksCommand::Show { pack } => match Pack::built_in_source(&pack) {
            Some(source) => print(source.as_bytes()),
            None => {
                // Reading it as a pack first gives a good error for what is none.
                Pack::open(&pack)?;
                print(&std::fs::read(&pack)?)
            }
        },
        PacksCommand::Test { packs } => {
            let names = if packs.is_empty() { Pack::built_in_names().map(str::to_owned).collect() } else { packs };
            let mut is_fine = true;
            for name in names {
                let (n_examples, failures) = check_examples(&Pack::open(&name)?)?;
                for failure in &failures {
                    terminal::error(&failure.to_string());
                }
                is_fine &= failures.is_empty();
                let n_fine = n_examples - failures.len();
                print(format!("{name}: {n_fine} of {n_examples} examples hold\n").as_bytes())?;
            }
            Ok(if is_fine { FINE } else { BAD })
        }
    }
}
