//! Patterns of paths: what of a tree of folders they match.

use crate::error::{Error, Result};
use crate::store::into_io_error;
use glob::{MatchOptions, Pattern};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

/// Names and patterns are compared as a shell does it: a wildcard stands for no `/`, and for no dot at the start of a name.
const AS_IN_A_SHELL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// A pattern of paths.
pub(super) struct PathPattern {
    /// What is before the first part with a wildcard.
    folder: PathBuf,
    /// The rest.
    below: Pattern,
    /// Its parts up to the first `**`.
    parts: Vec<Pattern>,
    /// How many parts it has, if none is `**`.
    depth: Option<usize>,
    names_hidden: bool,
    only_folders: bool,
}

impl PathPattern {
    /// Reads a pattern; where it is none, says why.
    pub(super) fn parse(pattern: &str) -> Result<Self, &'static str> {
        let is_fixed = |part: &Component<'_>| !has_wildcard(part.as_ref());
        let folder: PathBuf = Path::new(pattern).components().take_while(is_fixed).collect();
        let below: PathBuf = Path::new(pattern).components().skip_while(is_fixed).collect();
        let parse = |part: &OsStr| Pattern::new(&part.to_string_lossy()).map_err(|error| error.msg);
        let is_recursive = |part: &OsStr| part == "**";
        let parts = below.iter().take_while(|part| !is_recursive(part)).map(parse);
        Ok(PathPattern {
            folder,
            below: parse(below.as_os_str())?,
            parts: parts.collect::<Result<_, _>>()?,
            depth: if below.iter().any(is_recursive) { None } else { Some(below.iter().count()) },
            names_hidden: below.iter().any(is_hidden),
            only_folders: pattern.ends_with(std::path::is_separator),
        })
    }

    /// The folder before the first wildcard; empty if it is the one that the process works in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// All that it matches, sorted; of a folder that it matches nothing more.
    pub(super) fn find(&self) -> Result<Vec<PathBuf>> {
        let root = if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder };
        let below = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_owned();
        let walk =
            walkdir::WalkDir::new(root).follow_links(true).min_depth(1).max_depth(self.depth.unwrap_or(usize::MAX));
        let mut walk = walk.into_iter().filter_entry(|entry| self.leads_on(entry.depth(), entry.file_name()));
        let mut found = Vec::new();
        while let Some(entry) = walk.next() {
            match entry {
                Ok(entry) => {
                    let is_folder = entry.file_type().is_dir();
                    if (is_folder || !self.only_folders) && self.matches(&below(entry.path())) {
                        found.push(self.folder.join(below(entry.path())));
                        if is_folder {
                            walk.skip_current_dir();
                        }
                    }
                }
                // A link to a folder that it is in leads to what is found there anyway.
                Err(error) if error.loop_ancestor().is_some() => {}
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    let source = into_io_error(error);
                    if self.matches(&below(&path)) {
                        // A link to nothing: the run tells.
                        found.push(self.folder.join(below(&path)));
                    } else if source.kind() == ErrorKind::PermissionDenied || path.is_dir() {
                        return Err(Error::reading(&path, source));
                    }
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Whether it matches a path below its folder. A name that is not UTF-8 is matched as it is shown, so that no file is left
    /// out for its name.
    fn matches(&self, path: &Path) -> bool {
        self.below.matches_with(&path.to_string_lossy(), AS_IN_A_SHELL)
    }

    /// Whether what it matches may be of this name at this depth, or be in a folder of it. What is elsewhere is not looked
    /// into, so that it need not be readable.
    fn leads_on(&self, depth: usize, name: &OsStr) -> bool {
        match depth.checked_sub(1).map(|part_idx| self.parts.get(part_idx)) {
            None => true,
            Some(Some(part)) => part.matches_with(&name.to_string_lossy(), AS_IN_A_SHELL),
            Some(None) => self.names_hidden || !is_hidden(name),
        }
    }
}

/// Whether a path has anything that is special in a pattern.
pub(super) fn has_wildcard(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use super::PathPattern;
    use std::ffi::OsStr;

    #[test]
    fn only_folders_that_lead_to_matches_are_looked_into() {
        for (pattern, depth, name, leads_on) in [
            ("in/*/a.txt", 0, "in", true),
            ("in/*/a.txt", 1, "sub", true),
            ("in/*/a.txt", 1, ".git", false),
            ("in/*/a.txt", 2, "b.txt", false),
            ("in/.g*/a.txt", 1, ".git", true),
            ("in/o?/**/*.txt", 1, "on", true),
            ("in/o?/**/*.txt", 1, "off", false),
            ("in/o?/**/*.txt", 2, "off", true),
            ("in/o?/**/*.txt", 9, ".git", false),
            ("in/o?/**/.git/*", 9, ".git", true),
        ] {
            let parsed = PathPattern::parse(pattern).expect("it is a pattern");
            assert_eq!(parsed.leads_on(depth, OsStr::new(name)), leads_on, "{pattern} {depth} {name}");
        }
    }
}
