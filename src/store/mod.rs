//! Where files are, and what can be done there: look, list, open, put. On this machine, or with the feature `remote` on servers.
//!
//! A path that is written as a URL is one; all others are of this machine. Whoever has an [`Address`] need not know which it is.

#[cfg(feature = "remote")]
mod remote;

use crate::error::{Error, Result};
#[cfg(feature = "remote")]
use remote::{Answer, Remote, Servers};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
#[cfg(feature = "remote")]
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// Finds out where paths and URLs lead.
#[derive(Debug, Default)]
pub(crate) struct Store {
    #[cfg(feature = "remote")]
    servers: Servers,
}

/// Where a file or a folder is.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    Local(PathBuf),
    #[cfg(feature = "remote")]
    Remote(Remote),
}

/// What is known of a file without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) is_folder: bool,
    pub(crate) bytes: u64,
    pub(crate) version: Version,
}

/// What a file has another of when it was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) modified: Option<SystemTime>,
    /// What a server calls the version, if it names it.
    pub(crate) tag: Option<String>,
}

/// A file that was found in a folder.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) address: Address,
    /// Its path in the folder.
    pub(crate) relative: PathBuf,
    /// What is known of it, if that was told with its name.
    stat: Option<Stat>,
}

/// A file that is open for reading.
pub(crate) struct Opened {
    /// Its bytes. Boxed as they are: a file can be read into memory that nobody has written to.
    pub(crate) bytes: Box<dyn Read + Send>,
    pub(crate) position: Position,
}

/// How much of a file was read.
#[derive(Debug)]
pub(crate) enum Position {
    Local(Arc<File>),
    #[cfg(feature = "remote")]
    Remote(Arc<AtomicU64>),
}

/// How a URL is to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    /// A bucket and a key.
    S3,
    /// What a server has at an address; it can only be read.
    Http,
}

impl Scheme {
    /// The scheme of a URL, and what stands behind it.
    fn of(path: &Path) -> Option<(Self, &str)> {
        let (scheme, rest) = path.to_str()?.split_once("://")?;
        match scheme.to_ascii_lowercase().as_str() {
            "s3" => Some((Scheme::S3, rest)),
            "http" | "https" => Some((Scheme::Http, rest)),
            _ => None,
        }
    }
}

/// Whether a path is a URL.
pub(crate) fn is_url(path: &Path) -> bool {
    Scheme::of(path).is_some()
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether nothing can be written to a path, whatever is there.
pub(crate) fn is_read_only(path: &Path) -> bool {
    matches!(Scheme::of(path), Some((Scheme::Http, _)))
}

/// Refuses a URL for something that must be on this machine.
pub(crate) fn refuse_url(path: &Path, what: &str) -> Result<()> {
    if !is_url(path) {
        return Ok(());
    }
    let (path, remedy) = (path.display(), "name one on this machine");
    Err(Error::usage(format!("{path}: is on a server, where {what} cannot be; {remedy}")))
}

/// What a path says of folders and names: the path itself, or of a URL what stands behind the scheme, up to the query.
pub(crate) fn names_of(path: &Path) -> &Path {
    match Scheme::of(path) {
        None => path,
        Some((Scheme::S3, rest)) => Path::new(rest),
        Some((Scheme::Http, rest)) => Path::new(rest.split(['?', '#']).next().unwrap_or(rest)),
    }
}

/// The one path of what may be written in many ways. A URL is it already.
pub(crate) fn canonical(path: &Path) -> std::io::Result<PathBuf> {
    if is_url(path) { Ok(path.to_owned()) } else { path.canonicalize() }
}

/// The canonical form of a path that may not exist yet.
pub(crate) fn canonical_to_be(path: &Path) -> Option<PathBuf> {
    if is_url(path) {
        return Some(path.to_owned());
    }
    let mut canonical = PathBuf::new();
    for component in std::path::absolute(path).ok()?.components() {
        match component {
            Component::ParentDir => {
                canonical.pop();
            }
            component => {
                canonical.push(component);
                canonical = canonical.canonicalize().unwrap_or(canonical);
            }
        }
    }
    Some(canonical)
}

impl Store {
    /// Where a path leads. Nobody is asked whether something is there.
    pub(crate) fn at(&self, path: &Path) -> Result<Address> {
        match Scheme::of(path) {
            None => Ok(Address::local(path)),
            #[cfg(feature = "remote")]
            Some((scheme, rest)) => self.servers.at(scheme, rest, path).map(Address::Remote),
            #[cfg(not(feature = "remote"))]
            Some(_) => {
                let what = "is on a server, which is not in this build; build it with --features remote";
                Err(Error::usage(format!("{}: {what}", path.display())))
            }
        }
    }
}

/// What is at addresses, in their order. That nothing is there is misuse where one can see for oneself: on this machine.
pub(crate) fn stats<'a>(addresses: impl IntoIterator<Item = &'a Address>) -> Vec<Result<Stat>> {
    ask_all(addresses, Address::ask_stat, |address, answer| {
        answer.map_err(|source| match (source.kind(), address) {
            (ErrorKind::NotFound, Address::Local(path)) => {
                Error::usage(format!("{}: no such file or folder; check the path", path.display()))
            }
            _ => Error::reading(address.path(), source),
        })
    })
}

/// Whether something is at addresses, in their order, that may not be replaced: a file, or a folder that has something in it.
/// What `is_nobodys` by its path does not count.
pub(crate) fn taken<'a>(
    addresses: impl IntoIterator<Item = &'a Address>,
    is_nobodys: impl Fn(&Path) -> bool,
) -> Vec<Result<bool>> {
    ask_all(
        addresses,
        |address| address.ask_taken(&is_nobodys),
        |address, answer| answer.map_err(|source| Error::writing(address.path(), source)),
    )
}

/// So many questions are asked at once.
const QUESTIONS: usize = 32;

/// Asks something of each address, and gives what is told of each.
fn ask_all<'a, A, T>(
    addresses: impl IntoIterator<Item = &'a Address>,
    ask: impl Fn(&Address) -> Question<A>,
    tell: impl Fn(&Address, std::io::Result<A>) -> T,
) -> Vec<T> {
    let mut told = Vec::new();
    let mut asked: VecDeque<(&Address, Question<A>)> = VecDeque::new();
    for address in addresses {
        if asked.len() == QUESTIONS {
            told.extend(asked.pop_front().map(|(address, question)| tell(address, question.answer())));
        }
        asked.push_back((address, ask(address)));
    }
    told.extend(asked.into_iter().map(|(address, question)| tell(address, question.answer())));
    told
}

/// Something that was asked of an address.
enum Question<A> {
    Answered(std::io::Result<A>),
    #[cfg(feature = "remote")]
    Asked(Answer<A>),
}

impl<A> Question<A> {
    fn answer(self) -> std::io::Result<A> {
        match self {
            Question::Answered(answer) => answer,
            #[cfg(feature = "remote")]
            Question::Asked(answer) => answer.wait(),
        }
    }
}

impl Address {
    /// Of a path on this machine.
    pub(crate) fn local(path: &Path) -> Self {
        Address::Local(path.to_owned())
    }

    /// How it is written: a path or a URL.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Address::Local(path) => path,
            #[cfg(feature = "remote")]
            Address::Remote(remote) => remote.written(),
        }
    }

    /// The path, if it is on this machine.
    pub(crate) fn local_path(&self) -> Option<&Path> {
        match self {
            Address::Local(path) => Some(path),
            #[cfg(feature = "remote")]
            Address::Remote(_) => None,
        }
    }

    pub(crate) fn display(&self) -> std::path::Display<'_> {
        self.path().display()
    }

    /// The address of something below this one.
    pub(crate) fn join(&self, relative: &Path) -> Result<Self> {
        match self {
            Address::Local(path) => Ok(Address::Local(path.join(relative))),
            #[cfg(feature = "remote")]
            Address::Remote(remote) => remote.join(relative).map(Address::Remote),
        }
    }

    /// The same, as a folder: whether a URL is of one shows in how it is written.
    pub(crate) fn as_folder(&self) -> Self {
        match self {
            Address::Local(_) => self.clone(),
            #[cfg(feature = "remote")]
            Address::Remote(remote) => Address::Remote(remote.as_folder()),
        }
    }

    /// Whether it is a folder, or is written as one.
    pub(crate) fn is_folder(&self) -> bool {
        match self {
            Address::Local(path) => path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/"),
            #[cfg(feature = "remote")]
            Address::Remote(remote) => remote.is_folder(),
        }
    }

    /// Whether a file is there that keeps a folder from being made.
    pub(crate) fn is_file(&self) -> bool {
        self.local_path().is_some_and(Path::is_file)
    }

    fn ask_stat(&self) -> Question<Stat> {
        match self {
            Address::Local(path) => Question::Answered(std::fs::metadata(path).map(Stat::of)),
            #[cfg(feature = "remote")]
            Address::Remote(remote) => Question::Asked(remote.ask_stat()),
        }
    }

    fn ask_taken(&self, is_nobodys: impl Fn(&Path) -> bool) -> Question<bool> {
        match self {
            Address::Local(path) => Question::Answered(Ok(match std::fs::read_dir(path) {
                Ok(mut entries) => entries.any(|entry| entry.map_or(true, |entry| !is_nobodys(&entry.path()))),
                Err(_) => path.exists(),
            })),
            #[cfg(feature = "remote")]
            Address::Remote(remote) => Question::Asked(remote.ask_taken()),
        }
    }

    /// What is there.
    pub(crate) fn stat(&self) -> std::io::Result<Stat> {
        self.ask_stat().answer()
    }

    /// Whether a file that was read to its end is still what it was.
    pub(crate) fn is_still(&self, bytes: u64, version: &Version) -> std::io::Result<bool> {
        #[cfg(feature = "remote")]
        if matches!(self, Address::Remote(_)) && bytes > 0 {
            // A server said so with all that it gave.
            return Ok(true);
        }
        let stat = self.stat()?;
        Ok((stat.bytes, &stat.version) == (bytes, version))
    }

    /// Whether something is there.
    pub(crate) fn is_there(&self) -> Result<bool> {
        match self {
            Address::Local(path) => Ok(path.exists()),
            #[cfg(feature = "remote")]
            Address::Remote(remote) => {
                remote.ask_taken().wait().map_err(|source| Error::writing(remote.written(), source))
            }
        }
    }

    /// All files below a folder, sorted by the names on their ways, or what keeps them from being read.
    pub(crate) fn files(&self) -> Box<dyn Iterator<Item = Result<Found>> + '_> {
        match self {
            Address::Local(folder) => Box::new(walk(folder)),
            #[cfg(feature = "remote")]
            Address::Remote(remote) => match remote.list() {
                Ok(found) => Box::new(found.into_iter().map(Ok)),
                Err(source) => Box::new(std::iter::once(Err(Error::reading(remote.written(), source)))),
            },
        }
    }

    /// Opens a file for reading. From a server comes the version that is asked for, or an error.
    #[cfg_attr(not(feature = "remote"), expect(unused_variables, reason = "a file is read as it is"))]
    pub(crate) fn open(&self, bytes: u64, version: &Version) -> std::io::Result<Opened> {
        match self {
            Address::Local(path) => {
                let file = Arc::new(File::open(path)?);
                Ok(Opened { bytes: Box::new(Arc::clone(&file)), position: Position::Local(file) })
            }
            #[cfg(feature = "remote")]
            Address::Remote(remote) => {
                let ranges = remote.read(bytes, version);
                let position = Position::Remote(ranges.position());
                Ok(Opened { bytes: Box::new(ranges), position })
            }
        }
    }
}

impl Stat {
    fn of(metadata: std::fs::Metadata) -> Self {
        let version = Version { modified: metadata.modified().ok(), tag: None };
        Stat { is_folder: metadata.is_dir(), bytes: metadata.len(), version }
    }
}

impl Found {
    /// A file by itself, of which something is known.
    pub(crate) fn of(address: &Address, stat: Stat) -> Self {
        Found { address: address.clone(), relative: PathBuf::new(), stat: Some(stat) }
    }

    /// What is known of it.
    pub(crate) fn stat(&self) -> Result<Stat> {
        let asked = || self.address.stat().map_err(|source| Error::reading(self.address.path(), source));
        self.stat.clone().map_or_else(asked, Ok)
    }
}

impl Position {
    /// Bytes of the file that were read.
    pub(crate) fn bytes(&self) -> std::io::Result<u64> {
        match self {
            Position::Local(file) => (&**file).stream_position(),
            #[cfg(feature = "remote")]
            Position::Remote(bytes) => Ok(bytes.load(Ordering::Relaxed)),
        }
    }
}

fn walk(folder: &Path) -> impl Iterator<Item = Result<Found>> + '_ {
    let entries = walkdir::WalkDir::new(folder).follow_links(true).min_depth(1).sort_by_file_name().into_iter();
    entries.filter_map(move |entry| match entry {
        Ok(entry) if !entry.file_type().is_file() => None,
        Ok(entry) => {
            let relative = entry.path().strip_prefix(folder).unwrap_or(entry.path()).to_owned();
            Some(Ok(Found { address: Address::local(entry.path()), relative, stat: None }))
        }
        Err(error) => {
            let path = error.path().unwrap_or(folder).to_owned();
            Some(Err(Error::reading(&path, into_io_error(error))))
        }
    })
}

/// What the operating system said, without the path, which the message names already.
pub(crate) fn into_io_error(error: walkdir::Error) -> std::io::Error {
    let what = error.to_string();
    error.into_io_error().unwrap_or_else(|| std::io::Error::other(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_told_by_their_schemes() {
        for (path, names) in [
            ("s3://bucket/crawl/a?b#c.txt", Some("bucket/crawl/a?b#c.txt")),
            ("S3://bucket/", Some("bucket/")),
            ("https://host:80/x/a.jsonl.gz?key=a/b#c", Some("host:80/x/a.jsonl.gz")),
            ("http://host#", Some("host")),
            ("s3:/bucket/a", None),
            ("./s3://bucket/a", None),
            ("gs://bucket/a", None),
            ("", None),
        ] {
            let path = Path::new(path);
            assert_eq!((is_url(path), names_of(path)), (names.is_some(), names.map_or(path, Path::new)));
        }
    }

    #[cfg(not(feature = "remote"))]
    #[test]
    fn a_build_that_knows_no_servers_says_so() {
        let error = Store::default().at(Path::new("s3://bucket/a")).expect_err("it is on a server");
        assert!(error.to_string().ends_with("--features remote"), "{error}");
    }
}
