//! What can go wrong, said with the place, the reason and the remedy.

use std::fmt;
use std::path::{Path, PathBuf};

/// The result of what can fail in this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error: what happened, where, and what to do about it.
///
/// The kinds are told apart with the `is_*` predicates; what the operating system or a parser said is the
/// [`source`](std::error::Error::source).
#[derive(Debug)]
pub struct Error(Box<Kind>);

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Kind {
    #[error("{what}")]
    Usage { what: String },
    #[error("{origin}: {what}")]
    Config { origin: String, what: String },
    #[error("{place}: {what}")]
    Pack { place: String, what: String },
    #[error("{}: {action} failed: {source}; {remedy}", path.display())]
    Io { path: PathBuf, action: &'static str, remedy: &'static str, source: std::io::Error },
    #[error("{place}: {what}; {remedy}")]
    Record { place: String, what: String, remedy: String },
    #[error("{path}:{line}: {what}", path = path.display())]
    Journal { path: PathBuf, line: usize, what: String },
    #[error("{}: the index is damaged: {what}; {remedy}", path.display())]
    Damaged { path: PathBuf, what: String, remedy: &'static str },
    #[error("{}: keeping temporary files failed: {source}; {remedy}", folder.display())]
    Scratch { folder: PathBuf, remedy: &'static str, source: std::io::Error },
    #[error("{what}; {remedy}")]
    Limit { what: String, remedy: String },
    #[error("stopped: {what}; {remedy}")]
    Stopped { what: String, remedy: &'static str },
    #[error(
        "the index is full: it holds {capacity} different blocks; split the corpus, or compare within sites or documents (--scope)"
    )]
    IndexFull { capacity: u64 },
}

impl Error {
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Kind::Usage { what: what.into() }.into()
    }

    /// The same, of a file.
    pub(crate) fn at(self, path: &Path) -> Self {
        Error::usage(format!("{}: {self}", path.display()))
    }

    pub(crate) fn config(origin: impl Into<String>, what: impl Into<String>) -> Self {
        Kind::Config { origin: origin.into(), what: what.into() }.into()
    }

    pub(crate) fn pack(place: impl Into<String>, what: impl Into<String>) -> Self {
        Kind::Pack { place: place.into(), what: what.into() }.into()
    }

    /// Reading failed at `path`.
    pub(crate) fn reading(path: &Path, source: std::io::Error) -> Self {
        let remedy = match source.kind() {
            _ if has_no_handles(source.raw_os_error()) => MORE_HANDLES,
            std::io::ErrorKind::NotFound => "check the path",
            std::io::ErrorKind::PermissionDenied => "check its permissions",
            std::io::ErrorKind::OutOfMemory => "allow the process more memory, or split the file",
            std::io::ErrorKind::InvalidFilename => "rename it",
            std::io::ErrorKind::NotSeekable => "download it, and name the file",
            std::io::ErrorKind::StaleNetworkFileHandle => "run again when nothing writes to it",
            kind if is_of_network(kind) => SERVER,
            _ => "see that the file is whole and readable, then run again",
        };
        Kind::Io { path: path.to_owned(), action: "reading", remedy, source }.into()
    }

    /// Writing failed at `path`.
    pub(crate) fn writing(path: &Path, source: std::io::Error) -> Self {
        let remedy = match source.kind() {
            _ if has_no_handles(source.raw_os_error()) => MORE_HANDLES,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                "choose an output that may be written"
            }
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => "free some space, then run again",
            std::io::ErrorKind::ResourceBusy => "wait until it has ended",
            kind if is_of_network(kind) => SERVER,
            _ => "see that the folder exists and has space, then run again",
        };
        Kind::Io { path: path.to_owned(), action: "writing", remedy, source }.into()
    }

    /// Writing or reading temporary files in `folder` failed.
    pub(crate) fn scratch(folder: &Path, source: std::io::Error) -> Self {
        let remedy = match source.kind() {
            _ if has_no_handles(source.raw_os_error()) => MORE_HANDLES,
            _ => "free some space, or choose another folder with --tmp-dir",
        };
        Kind::Scratch { folder: folder.to_owned(), remedy, source }.into()
    }

    /// Writing to standard output failed.
    pub(crate) fn to_standard_output(source: std::io::Error) -> Self {
        Error::writing("standard output".as_ref(), source)
    }

    pub(crate) fn record(place: impl Into<String>, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Kind::Record { place: place.into(), what: what.into(), remedy: remedy.into() }.into()
    }

    pub(crate) fn journal(path: &Path, line: usize, what: impl Into<String>) -> Self {
        Kind::Journal { path: path.to_owned(), line, what: what.into() }.into()
    }

    /// A file of an index is not what was written.
    pub(crate) fn damaged_index(path: &Path, what: &str) -> Self {
        let remedy = "take the index from a backup, or make it anew";
        Kind::Damaged { path: path.to_owned(), what: what.to_owned(), remedy }.into()
    }

    pub(crate) fn limit(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Kind::Limit { what: what.into(), remedy: remedy.into() }.into()
    }

    /// The run was told to stop.
    pub(crate) fn stopped(what: impl Into<String>, remedy: &'static str) -> Self {
        Kind::Stopped { what: what.into(), remedy }.into()
    }

    pub(crate) fn index_full(capacity: u64) -> Self {
        Kind::IndexFull { capacity }.into()
    }

    /// Whether inputs and outputs do not go together, or an option was misused.
    pub fn is_usage(&self) -> bool {
        matches!(*self.0, Kind::Usage { .. })
    }

    /// Whether the configuration was refused.
    pub fn is_config(&self) -> bool {
        matches!(*self.0, Kind::Config { .. })
    }

    /// Whether a pack was refused, or one of its examples failed.
    pub fn is_pack(&self) -> bool {
        matches!(*self.0, Kind::Pack { .. })
    }

    /// Whether the operating system refused to read or write.
    pub fn is_io(&self) -> bool {
        matches!(*self.0, Kind::Io { .. } | Kind::Scratch { .. })
    }

    /// Whether a record was bad and the run was told to stop at one, or a labelled page is bad.
    pub fn is_record(&self) -> bool {
        matches!(*self.0, Kind::Record { .. })
    }

    /// Whether a journal cannot be read, or does not belong to what is restored with it.
    pub fn is_journal(&self) -> bool {
        matches!(*self.0, Kind::Journal { .. })
    }

    /// Whether a file of an index is not what was written.
    pub fn is_damaged_index(&self) -> bool {
        matches!(*self.0, Kind::Damaged { .. })
    }

    /// Whether more would have been removed than was allowed.
    pub fn is_limit(&self) -> bool {
        matches!(*self.0, Kind::Limit { .. })
    }

    /// Whether the run was told to stop, and did.
    pub fn is_stopped(&self) -> bool {
        matches!(*self.0, Kind::Stopped { .. })
    }

    /// Whether something is used up, or fails, that every file needs: space on the disk, file handles, temporary files.
    pub(crate) fn is_exhausted(&self) -> bool {
        use std::io::ErrorKind::{OutOfMemory, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        let Kind::Io { source, .. } = &*self.0 else { return matches!(*self.0, Kind::Scratch { .. }) };
        has_no_handles(source.raw_os_error())
            || matches!(source.kind(), OutOfMemory | QuotaExceeded | ReadOnlyFilesystem | StorageFull)
    }

    /// Whether the index holds as many different blocks as it can.
    pub fn is_index_full(&self) -> bool {
        matches!(*self.0, Kind::IndexFull { .. })
    }

    /// Whether the operating system refused to write.
    pub(crate) fn is_writing(&self) -> bool {
        matches!(*self.0, Kind::Io { action: "writing", .. })
    }

    /// Whether the reader of an output went away, which for a command in a pipe is success.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(&*self.0, Kind::Io { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

const MORE_HANDLES: &str = "allow more open files (ulimit -n), or use fewer threads (-j)";

const SERVER: &str = "see that the server can be reached, then run again";

/// Whether a server did not answer as it should.
fn is_of_network(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, HostUnreachable, TimedOut};
    matches!(kind, ConnectionAborted | HostUnreachable | TimedOut)
}

/// Whether the process, or the system, may open no more files: EMFILE and ENFILE, which have no kind.
fn has_no_handles(code: Option<i32>) -> bool {
    cfg!(unix) && matches!(code, Some(23 | 24))
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Error(Box::new(kind))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
