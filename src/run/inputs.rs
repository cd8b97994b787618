//! What a run works on: paths as they are named, found by patterns, or read from lists.
//!
//! In an output, an input goes by its last name. Where files are found or listed that would clash, since each folder of a
//! crawl has its `page.txt`. So once there is a pattern or a list, every input goes by its path below the folder that all of
//! them have in common; a pattern is in the folder before its first wildcard, whatever it finds:
//!
//! ```text
//! named    a/x.txt b/c           OUT/x.txt   OUT/c/…
//! found    crawl/*/page.txt      OUT/one/page.txt   OUT/two/page.txt
//! listed   a/x.txt a/b/x.txt     OUT/x.txt   OUT/b/x.txt
//! ```

use super::pattern::{PathPattern, has_wildcard};
use crate::error::{Error, Result};
use crate::store::{canonical, is_url, names_of, refuse_url};
use crate::text::is_blank;
use std::ffi::OsString;
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

/// What a [`Run`](super::Run) works on: files and folders, in order.
///
/// Slices of paths turn into inputs as they are, and their outputs go by last names. With a pattern or a list among them,
/// outputs keep their paths below the folder that all inputs have in common. With the feature `remote`, URLs are paths too:
/// `s3://BUCKET/KEY`, `s3://BUCKET/PREFIX/` for a folder, `https://HOST/NAME`.
///
/// ```
/// use dehusk::run::{Inputs, Run, Separator};
/// use dehusk::Config;
///
/// let folder = tempfile::tempdir()?;
/// for page in ["crawl/one", "crawl/two", "more"] {
///     std::fs::create_dir_all(folder.path().join(page))?;
///     std::fs::write(folder.path().join(page).join("page.txt"), format!("Skip to content\nThis is {page}.\n"))?;
/// }
/// let mut inputs = Inputs::default();
/// inputs.add(folder.path().join("crawl/*/page.txt"))?;
/// let names = format!("{}\n", folder.path().join("more/page.txt").display());
/// inputs.add_names(names.as_bytes(), "names", Separator::Newline)?;
/// let output = folder.path().join("out");
/// let config = Config { output: Some(output.clone()), ..Config::default() };
/// assert!(Run::new(&config, &())?.files(inputs)?.is_fine());
/// assert_eq!(std::fs::read_to_string(output.join("crawl/two/page.txt"))?, "This is crawl/two.\n");
/// assert_eq!(std::fs::read_to_string(output.join("more/page.txt"))?, "This is more.\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    paths: Vec<PathBuf>,
    /// The folders before the first wildcards of patterns.
    pattern_folders: Vec<PathBuf>,
    keeps_paths: bool,
}

/// What names in a list are separated by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Separator {
    /// A newline, with or without a carriage return before it; blank lines are no names.
    #[default]
    Newline,
    /// A zero byte, as `find -print0` writes it.
    Nul,
}

/// What inputs go by in an output.
pub(super) enum Places {
    /// Their last names.
    LastNames,
    /// Their paths below a folder, which is absolute and without `..`.
    Below(PathBuf),
}

impl Inputs {
    /// Adds a file or folder, or if there is none of that name but it has one of the wildcards `*`, `?` and `[`, all files
    /// and folders that it matches as a pattern, sorted by path.
    ///
    /// `*` stands for any part of a name, `**` for any folders, `?` for one character, `[a-z]` and `[!a-z]` for one that is
    /// or is not of these. As in a shell, a wildcard stands for no dot at the start of a name, and a `/` at the end finds only
    /// folders. What is in a folder that matches is not found once more by itself. Links are followed, but not in circles.
    ///
    /// # Errors
    ///
    /// When a pattern is none, matches nothing, or a folder that it looks into cannot be read. That a path is there is seen
    /// to by the run.
    pub fn add(&mut self, input: impl Into<PathBuf>) -> Result<()> {
        let input = input.into();
        let is_pattern = !is_url(&input) && has_wildcard(&input) && std::fs::symlink_metadata(&input).is_err();
        match input.to_str().filter(|_| is_pattern) {
            Some(pattern) => self.add_pattern(pattern),
            None => {
                self.paths.push(input);
                Ok(())
            }
        }
    }

    /// Adds the files and folders whose names are in a file. Names are no patterns.
    ///
    /// # Errors
    ///
    /// As [`Inputs::add_names`], and when there is no such file.
    pub fn add_list(&mut self, list: &Path, separator: Separator) -> Result<()> {
        refuse_url(list, "a list")?;
        let file = std::fs::File::open(list).map_err(|source| match source.kind() {
            ErrorKind::NotFound => Error::usage(format!("{}: no such list; check the path", list.display())),
            _ => Error::reading(list, source),
        })?;
        self.add_names(file, &list.display().to_string(), separator)
    }

    /// Adds the files and folders whose names are read from `names`, which messages call `origin`.
    ///
    /// # Errors
    ///
    /// When `names` cannot be read or has no names, or something that it names is not there.
    pub fn add_names(&mut self, mut names: impl Read, origin: &str, separator: Separator) -> Result<()> {
        let mut bytes = Vec::new();
        names.read_to_end(&mut bytes).map_err(|source| Error::reading(origin.as_ref(), source))?;
        let separating = match separator {
            Separator::Newline => b'\n',
            Separator::Nul => 0,
        };
        let n_before = self.paths.len();
        for (number, name) in (1_u64..).zip(bytes.split(|byte| *byte == separating)) {
            let name = match separator {
                Separator::Newline if is_blank(name) => continue,
                Separator::Newline => name.strip_suffix(b"\r").unwrap_or(name),
                Separator::Nul if name.is_empty() => continue,
                Separator::Nul => name,
            };
            let place = format!("{origin}:{number}");
            if name.contains(&0) {
                let what = "the name has a zero byte; if names end in such, say so with --null";
                return Err(Error::usage(format!("{place}: {what}")));
            }
            let path = PathBuf::from(os_string(name, &place)?);
            if !is_url(&path)
                && let Err(source) = std::fs::metadata(&path)
            {
                let is_many = separator == Separator::Nul && name.contains(&b'\n');
                return Err(match source.kind() {
                    _ if is_many => Error::usage(format!(
                        "{place}: no such file or folder, and the name has newlines; if they separate names, leave --null out"
                    )),
                    ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename => {
                        Error::usage(format!("{place}: {}: no such file or folder; check the list", path.display()))
                    }
                    _ => Error::reading(&path, source),
                });
            }
            self.paths.push(path);
        }
        if self.paths.len() == n_before {
            return Err(Error::usage(format!("{origin}: the list names nothing; give it a name of a file or folder")));
        }
        self.keeps_paths = true;
        Ok(())
    }

    /// The files and folders, in order.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Whether the output is a folder with an entry for each input, and not what becomes of the only one.
    pub(super) fn become_entries(&self) -> bool {
        self.paths.len() > 1 || self.keeps_paths
    }

    /// Takes some of the inputs out.
    pub(super) fn take_out(&mut self, mut is_taken: impl FnMut(&Path) -> Result<bool>) -> Result<Vec<PathBuf>> {
        let mut taken = Vec::new();
        let mut left = Vec::new();
        for path in std::mem::take(&mut self.paths) {
            let list = if is_taken(&path)? { &mut taken } else { &mut left };
            list.push(path);
        }
        self.paths = left;
        Ok(taken)
    }

    pub(super) fn places(&self) -> Result<Places> {
        if !self.keeps_paths {
            return Ok(Places::LastNames);
        }
        let folder_of = |path: &PathBuf| {
            let mut folder = absolute(path)?;
            folder.pop();
            Ok(folder)
        };
        let of_patterns = self.pattern_folders.iter().map(|folder| absolute(folder));
        let mut common: Option<PathBuf> = None;
        for folder in self.paths.iter().map(folder_of).chain(of_patterns) {
            let folder = folder?;
            match &mut common {
                None => common = Some(folder),
                Some(common) => while !folder.starts_with(&common) && common.pop() {},
            }
        }
        Ok(Places::Below(common.unwrap_or_default()))
    }

    fn add_pattern(&mut self, text: &str) -> Result<()> {
        let nothing = |why: &str| Error::usage(format!("{text}: no such file or folder, and {why}; check the path"));
        let pattern = PathPattern::parse(text).map_err(|why| nothing(&format!("no pattern: {why}")))?;
        let mut found = pattern.find()?;
        if found.is_empty() {
            return Err(nothing("as a pattern it matches nothing"));
        }
        self.paths.append(&mut found);
        self.pattern_folders.push(pattern.folder().to_owned());
        self.keeps_paths = true;
        Ok(())
    }
}

impl From<&Inputs> for Inputs {
    fn from(inputs: &Inputs) -> Self {
        inputs.clone()
    }
}

impl From<&[PathBuf]> for Inputs {
    fn from(paths: &[PathBuf]) -> Self {
        Inputs { paths: paths.to_vec(), ..Inputs::default() }
    }
}

impl From<&Vec<PathBuf>> for Inputs {
    fn from(paths: &Vec<PathBuf>) -> Self {
        paths.as_slice().into()
    }
}

impl<const N: usize> From<&[PathBuf; N]> for Inputs {
    fn from(paths: &[PathBuf; N]) -> Self {
        paths.as_slice().into()
    }
}

impl Places {
    /// The path of an input in an output. It has no `..`, and so leads nowhere else.
    pub(super) fn of(&self, input: &Path) -> Result<PathBuf> {
        let place: PathBuf = match self {
            Places::LastNames if names_of(input).file_name().is_some() => {
                names_of(input).file_name().into_iter().collect()
            }
            Places::LastNames => {
                let path = canonical(input).map_err(|source| Error::reading(input, source))?;
                path.file_name().into_iter().collect()
            }
            Places::Below(folder) => {
                let path = absolute(input)?;
                let below = path.strip_prefix(folder).unwrap_or(&path);
                below.components().filter(|part| matches!(part, Component::Normal(_))).collect()
            }
        };
        if place.as_os_str().is_empty() {
            let what = format!("{}: has no name to call its output by; name a folder in it", input.display());
            return Err(Error::usage(what));
        }
        Ok(place)
    }
}

/// A path from the root, without `..`, or of a URL from the host or the bucket. Links are not followed: outputs are called
/// as inputs are.
fn absolute(path: &Path) -> Result<PathBuf> {
    if is_url(path) {
        return Ok(names_of(path).to_owned());
    }
    let mut plain = PathBuf::new();
    // An empty path is the folder that the command runs in.
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    for part in std::path::absolute(path).map_err(|source| Error::reading(path, source))?.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    Ok(plain)
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere not all bytes are names")]
fn os_string(name: &[u8], _place: &str) -> Result<OsString> {
    use std::os::unix::ffi::OsStringExt;
    Ok(OsString::from_vec(name.to_vec()))
}

#[cfg(not(unix))]
fn os_string(name: &[u8], place: &str) -> Result<OsString> {
    let name = String::from_utf8(name.to_vec());
    let name = name.map_err(|_| Error::usage(format!("{place}: the name is not UTF-8; save the list as UTF-8")))?;
    Ok(name.into())
}
