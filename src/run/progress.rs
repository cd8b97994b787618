//! Progress: what a run tells while it works.

/// Told of a run's progress, from any of its threads. Every method may be left as it is.
pub trait Progress: Sync {
    /// A phase begins, which will go through so many bytes, if that is known.
    fn begin(&self, phase: Phase, bytes: Option<u64>) {
        let _ = (phase, bytes);
    }

    /// So many more bytes of the input are done.
    fn advance(&self, bytes: u64) {
        let _ = bytes;
    }

    /// Something is bad, though the run goes on.
    fn warn(&self, message: &str) {
        let _ = message;
    }

    /// The phase is over.
    fn end(&self) {}

    /// Whether the run should stop. It is asked again and again; once it is so, the files in hand are finished, no other is
    /// begun, and the run ends with an error that [`is_stopped`](crate::Error::is_stopped).
    fn is_stopped(&self) -> bool {
        false
    }
}

/// Tells nobody.
impl Progress for () {}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The first pass: what repeats, and where first.
    Survey,
    /// The pass that learns templates.
    Learn,
    /// A pass that only measures what would go.
    Measure,
    /// The last pass: what goes is cut out, what stays is written.
    Rewrite,
    /// The one pass over an input that cannot be read twice.
    Stream,
}

impl Phase {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Survey => "survey",
            Phase::Learn => "learn",
            Phase::Measure => "measure",
            Phase::Rewrite => "rewrite",
            Phase::Stream => "stream",
        }
    }
}
