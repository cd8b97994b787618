//! The one ordered pass over an input that cannot be read twice.
//!
//! ```text
//! reader thread ─▶ whole records that have come ─▶ look (all threads) ─▶ note, in order ─▶ edit (all threads) ─▶ write
//! ```
//!
//! A batch is what has come in while the last one was worked on, so that a slow input is answered at once and a fast one
//! is worked on in large pieces. Notes are made in input order, and a later note never changes what is first, so the
//! outcome does not depend on how the input falls into batches.

use super::Run;
use super::arriving::Arriving;
use super::conversion::Conversion;
use super::edits::{EditedRecord, Edits, PartBytes, edit_part};
use super::ledger::{CutSource, begin_journal, end_journal};
use super::memory::PartLimit;
use super::outline::{Outline, PartLooker};
use super::output::{Unfinished, output_codec};
use super::plan::{content_format, layout_of, may_be_encoded};
use super::progress::Phase;
use super::reading::Reading;
use super::report::{Counts, Report};
use super::templates::Learned;
use crate::clean::{Alone, Look, Looker};
use crate::codec::{Packer, Unpacked};
use crate::config::{Config, Format, OnBadRecord, OnLimit};
use crate::decide::{Keep, Repeats, Scope, Witnesses};
use crate::encoding::{Encoding, MARK_BYTES, Otherwise, looks_like};
use crate::error::{Error, Result};
use crate::index::{MemoryIndex, Notes, Place, Trace};
use crate::journal::{FileLine, First, KnownLocation, Line, Location, PartLine};
use crate::recall::UNKNOWN_BLOCK;
use crate::record::Layout;
use crate::text::Span;
use crate::visit::{Visited, Visits};
use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// The reader hands on what it has in pieces of at most so many bytes.
const READ_BYTES: usize = 1 << 18;
/// A batch is at most so many bytes, unless one record is larger.
const BATCH_BYTES: usize = 8 << 20;
/// So much of the input must have come to guess how its text is encoded.
const GUESS_BYTES: usize = 1 << 16;
/// What one worker takes of a batch.
const PIECE_BYTES: usize = 1 << 18;
/// So many pieces are worked on before the next: where each is a record, a batch may have millions.
const PIECES_AT_ONCE: usize = 1024;
/// How often it is asked whether to stop, while nothing comes.
const STOP_INTERVAL: Duration = Duration::from_millis(100);
/// So many bad records, and documents over the limit, are told one by one.
const TOLD: usize = 100;

pub(super) fn stream(
    run: &Run<'_>,
    input: impl Read + Send + 'static,
    output: &mut (dyn Write + Send),
    arriving: Option<&mut Arriving>,
) -> Result<Report> {
    let config = run.config;
    if config.keep == Keep::None && matches!(config.scope, Scope::Corpus | Scope::Site) {
        let what = "keep is \"none\", which needs two passes over the input; \
                    save the input to a file, or let scope be \"document\"";
        return Err(Error::config("configuration", what));
    }
    run.progress.begin(Phase::Stream, None);
    let (sender, receiver) = sync_channel(BATCH_BYTES / READ_BYTES);
    // Not waited for: when the output is gone, the input may never say another word.
    std::thread::spawn(move || read(input, &sender));
    let outcome = Stream::begin(run, output, arriving).and_then(|mut stream| {
        stream.run(&receiver)?;
        stream.end()
    });
    run.progress.end();
    outcome
}

/// Reads the input piece by piece, unpacked, until its end or until nobody takes more.
fn read(input: impl Read + Send + 'static, sender: &SyncSender<std::io::Result<Vec<u8>>>) {
    let mut input = match Unpacked::new(input) {
        Ok(input) => input,
        // Nobody takes it only when the run is over.
        Err(error) => return drop(sender.send(Err(error))),
    };
    loop {
        let mut bytes = vec![0; READ_BYTES];
        let piece = match input.read(&mut bytes) {
            Ok(0) => return,
            Ok(n_read) => {
                bytes.truncate(n_read);
                Ok(bytes)
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_last = piece.is_err();
        if sender.send(piece).is_err() || is_last {
            return;
        }
    }
}

struct Stream<'s> {
    run: &'s Run<'s>,
    output: Packer<&'s mut (dyn Write + Send)>,
    journal: Option<Unfinished>,
    /// What the input is, once it has begun to come.
    kind: Option<Kind>,
    /// What is known of the whole scope; nothing where each document is decided on by itself, or held against indexes.
    known: Option<Known>,
    /// The indexes that documents are held against, if there are any.
    arriving: Option<&'s mut Arriving>,
    counts: Counts,
    bad_records: Vec<String>,
    n_records: u64,
    bytes_in: u64,
    hasher: blake3::Hasher,
}

/// What the input is, and how its text is encoded if not as UTF-8.
#[derive(Clone, Debug)]
struct Kind {
    layout: Layout,
    encoding: Option<Encoding>,
}

impl Kind {
    fn reading(&self) -> Reading<'_> {
        Reading { layout: &self.layout, encoding: self.encoding }
    }
}

/// What was seen so far: a part for each piece of a batch.
#[derive(Default)]
struct Known {
    index: MemoryIndex,
    traces: Vec<Trace>,
    records_before: Vec<u64>,
    n_blocks: usize,
    witnesses: Witnesses,
}

impl Known {
    /// What to decide by. The first copy stays: what comes later is not known.
    fn repeats(&self) -> Repeats<'_, MemoryIndex> {
        let Known { index, traces, witnesses, .. } = self;
        Repeats { lookup: index, traces, witnesses, keep: Keep::First, displaced: None }
    }
}

/// A piece of a batch that was looked at.
struct Looked<'b> {
    source: PartBytes<'b>,
    look: Look,
    outline: Outline,
    /// What indexes know of its one document, where it is held against any.
    visited: Option<Visited>,
}

/// What came of a piece.
struct Edited {
    out: Vec<u8>,
    journal: Vec<u8>,
    counts: Counts,
}

impl<'s> Stream<'s> {
    fn begin(run: &'s Run<'s>, output: &'s mut (dyn Write + Send), arriving: Option<&'s mut Arriving>) -> Result<Self> {
        let has_scope = matches!(run.config.scope, Scope::Corpus | Scope::Site) && arriving.is_none();
        let codec = output_codec(run.config.compress, None);
        let output = Packer::new(codec, run.config.compress_level, output).map_err(Error::to_standard_output)?;
        let stream = Stream {
            run,
            output,
            journal: begin_journal(run.config)?,
            kind: None,
            known: has_scope.then(Known::default),
            arriving,
            counts: Counts::default(),
            bad_records: Vec::new(),
            n_records: 0,
            bytes_in: 0,
            hasher: blake3::Hasher::new(),
        };
        Ok(stream)
    }

    /// Takes all that comes.
    fn run(&mut self, receiver: &Receiver<std::io::Result<Vec<u8>>>) -> Result<()> {
        let fails = |source| Error::reading("standard input".as_ref(), source);
        let mut pending: Vec<u8> = Vec::new();
        // How much of what is pending is known to hold no end of a record.
        let (mut searched, mut wanted) = (0, 0);
        let mut is_ended = false;
        while !is_ended {
            match self.receive(receiver)? {
                Some(piece) => pending.extend(piece.map_err(fails)?),
                None => is_ended = true,
            }
            while pending.len() < BATCH_BYTES
                && let Ok(piece) = receiver.try_recv()
            {
                pending.extend(piece.map_err(fails)?);
            }
            let kind = match &self.kind {
                Some(kind) => kind.clone(),
                None => match kind(self.run.config, &pending, is_ended)? {
                    Some(kind) => self.begin_file(kind)?,
                    None => continue,
                },
            };
            if !is_ended && pending.len() < wanted {
                continue;
            }
            let end = if is_ended { pending.len() } else { kind.reading().last_end(&pending, searched).unwrap_or(0) };
            if end > 0 || (is_ended && kind.layout == Layout::Whole) {
                self.batch(kind.reading(), &pending[..end])?;
                pending.drain(..end);
            }
            searched = pending.len();
            if searched > PartLimit::of(self.run.config).text_bytes() {
                let what = format!("-:{}: too large to be worked on in the memory that is allowed", self.n_records + 1);
                return Err(Error::limit(what, "allow more with --memory, or split it"));
            }
            // A record that does not end is looked at again when it has doubled.
            let is_slow = kind.layout.terminator().is_none() && searched > READ_BYTES;
            wanted = if is_slow { 2 * searched } else { 0 };
        }
        Ok(())
    }

    fn begin_file(&mut self, kind: Kind) -> Result<Kind> {
        let mut line = Vec::new();
        let encoding = kind.encoding.map(|encoding| encoding.name().into());
        let written = Conversion::of(self.run.config, &kind.layout).map(|conversion| conversion.name().into());
        Line::File(FileLine {
            file: "-".into(),
            cleaned: None,
            packed: None,
            encoding,
            written,
            dropped: false,
            rows: None,
        })
        .write(&mut line);
        self.write_journal(&line)?;
        Ok(self.kind.insert(kind).clone())
    }

    /// Waits for what comes next, unless the run should stop.
    fn receive(&self, receiver: &Receiver<std::io::Result<Vec<u8>>>) -> Result<Option<std::io::Result<Vec<u8>>>> {
        loop {
            if self.run.progress.is_stopped() {
                return Err(Error::stopped("the input was not read to its end", "begin anew"));
            }
            match receiver.recv_timeout(STOP_INTERVAL) {
                Ok(piece) => return Ok(Some(piece)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    fn batch(&mut self, reading: Reading<'_>, bytes: &[u8]) -> Result<()> {
        let config = self.run.config;
        // What is held against indexes is so one by one.
        let piece_bytes = if self.arriving.is_some() { 1 } else { PIECE_BYTES };
        let pieces = pieces(reading, bytes, self.bytes_in, piece_bytes);
        for pieces in pieces.chunks(PIECES_AT_ONCE) {
            self.work_on(pieces, reading)?;
            // A file has its name when all is done, and not before.
            if let Some(arriving) = self.arriving.as_mut().filter(|_| config.output.is_none())
                && arriving.is_commit_due()
            {
                self.output.flush().map_err(Error::to_standard_output)?;
                arriving.commit()?;
            }
        }
        self.output.flush().map_err(Error::to_standard_output)?;
        if self.journal.is_some() {
            self.hasher.update(bytes);
        }
        self.run.progress.advance(bytes.len() as u64);
        if config.on_limit == OnLimit::Stop
            && let Some(crossed) = self.counts.first_over_limit(config, |(_, record)| format!("-:{}", record + 1))
        {
            return Err(Error::limit(crossed, "stopped behind it; look at it with --dry-run, or raise the limit"));
        }
        Ok(())
    }

    /// Looks at some pieces, decides on them, and writes what is left of them.
    fn work_on(&mut self, pieces: &[PartBytes<'_>], reading: Reading<'_>) -> Result<()> {
        let (run, config) = (self.run, self.run.config);
        let (has_ids, has_facts) =
            self.arriving.as_ref().map_or((false, false), |arriving| (true, arriving.visits().has_sites()));
        let looked = run.workers.each(
            pieces.len(),
            || {
                let looker = Looker::new(config, run.scorer.as_ref()).with_facts(has_facts);
                PartLooker::new(looker.with_ids(has_ids))
            },
            |looker, piece_idx| {
                let mut look = Look::default();
                let source = pieces[piece_idx];
                let outline = looker.look(&run.rules, source, &mut look)?;
                Ok(Looked { source, look, outline, visited: None })
            },
        );
        let mut looked = looked.into_iter().collect::<Result<Vec<Looked<'_>>>>()?;
        // For each piece, how many records came before it.
        let mut before = Vec::with_capacity(looked.len());
        for piece in &mut looked {
            before.push(self.n_records);
            for bad in &piece.outline.bad {
                let place = format!("-:{}", self.n_records + bad.record_idx as u64 + 1);
                if config.on_bad_record == OnBadRecord::Stop {
                    return Err(Error::record(place, bad.what.clone(), "stopped, as --on-bad-record says"));
                }
                let message = format!("{place}: {}", bad.what);
                run.progress.warn(&message);
                if self.bad_records.len() < TOLD {
                    self.bad_records.push(message);
                }
            }
            if let Some(known) = &mut self.known {
                let part = u32::try_from(known.traces.len()).expect("2^32 pieces do not fit in memory");
                let mut trace = Trace::default();
                piece.look.note(&known.index, part, &mut trace)?;
                trace.shrink();
                known.n_blocks += trace.n_blocks();
                known.traces.push(trace);
                known.records_before.push(self.n_records);
            }
            if let Some(arriving) = &mut self.arriving {
                let place = reading.layout.is_splittable().then_some(self.n_records);
                piece.visited = arriving.visit(&mut piece.look, place, run.progress)?;
            }
            self.n_records += piece.outline.n_records as u64;
            self.bytes_in += piece.source.bytes.len() as u64;
        }
        if let Some(known) = &self.known
            && !PartLimit::of(config).allows_index(known.index.len(), known.n_blocks)
        {
            let what = format!(
                "-:{}: what must be remembered of the stream takes more memory than is allowed",
                self.n_records
            );
            return Err(Error::limit(what, "allow more with --memory, or save the stream to a file, which needs less"));
        }
        let visits = self.arriving.as_ref().map(|arriving| arriving.visits());
        let editor = Editor { run, known: self.known.as_ref(), visits, journal: self.journal.is_some() };
        let edited = run.workers.each(
            looked.len(),
            || (),
            |(), piece_idx| editor.edit(&looked[piece_idx], looked.len() - piece_idx, before[piece_idx]),
        );
        for edited in edited {
            let edited = edited?;
            if !config.dry_run {
                self.output.write_all(&edited.out).map_err(Error::to_standard_output)?;
            }
            self.write_journal(&edited.journal)?;
            self.counts.merge(config, edited.counts);
        }
        Ok(())
    }

    fn write_journal(&mut self, lines: &[u8]) -> Result<()> {
        let Some(journal) = &mut self.journal else {
            return Ok(());
        };
        let path = self.run.config.journal.as_deref().unwrap_or("journal".as_ref());
        journal.write_all(lines).map_err(|source| Error::writing(path, source))
    }

    fn end(mut self) -> Result<Report> {
        let mut line = Vec::new();
        let blake3 = self.hasher.finalize().to_hex().to_string().into();
        Line::Part(PartLine { bytes: self.bytes_in, blake3, ends_group: false }).write(&mut line);
        self.write_journal(&line)?;
        self.output.finish().and_then(Write::flush).map_err(Error::to_standard_output)?;
        let (config, rules) = (self.run.config, &self.run.rules);
        let has_records = self.kind.as_ref().is_some_and(|kind| kind.layout.is_splittable());
        let known = self.known.as_ref();
        let tell_first = |place: Place| match known {
            Some(known) => location(&known.traces, &known.records_before, place).shown(has_records),
            None => "an earlier block".into(),
        };
        let mut report = self.counts.report(
            config,
            rules,
            |(_, record)| format!("-:{}", record + 1),
            |(_, record), block| {
                let (record, line) = (record + 1, u64::from(block) + 1);
                Location { file: "-".into(), record, line }.shown(has_records)
            },
            tell_first,
        );
        report.bad_records = self.bad_records;
        report.totals.files = 1;
        if config.on_limit == OnLimit::Stop
            && let Some(crossed) = report.limits_crossed.first()
        {
            let written = if config.output.is_some() { "no output" } else { "all" };
            let remedy = format!("{written} was written; look at it with --dry-run, or raise the limit");
            return Err(Error::limit(crossed.clone(), remedy));
        }
        if let Some(journal) = self.journal.take() {
            end_journal(config, journal, 1)?;
        }
        Ok(report)
    }
}

/// Edits pieces, on any thread.
struct Editor<'s> {
    run: &'s Run<'s>,
    known: Option<&'s Known>,
    visits: Option<&'s Visits>,
    journal: bool,
}

impl Editor<'_> {
    /// Edits the piece that is the `from_last`-th of all so far, counted from the last.
    fn edit(&self, piece: &Looked<'_>, from_last: usize, before: u64) -> Result<Edited> {
        let config = self.run.config;
        let mut edited = Edited { out: Vec::new(), journal: Vec::new(), counts: Counts::default() };
        let mut edits = Edits::default();
        let source = piece.source;
        match (&piece.visited, self.known) {
            (Some(visited), _) => {
                let learned: Vec<Learned> =
                    visited.templated.iter().map(|&(block, template)| Learned { block, template }).collect();
                let locate = |place: Place| self.locate_visited(visited, before, place);
                edit_part(config, source, &visited.copies, &learned, &piece.outline, &mut edits, |record| {
                    self.tell(piece, before, record, &locate, &mut edited);
                });
            }
            (None, Some(known)) => {
                let part = known.traces.len() - from_last;
                let part = u32::try_from(part).expect("2^32 pieces do not fit in memory");
                let copies = known.repeats().of_part(part);
                let locate = |place: Place| First::Here(location(&known.traces, &known.records_before, place));
                edit_part(config, source, &copies, &[], &piece.outline, &mut edits, |record| {
                    self.tell(piece, before, record, &locate, &mut edited);
                });
            }
            (None, None) => {
                let alone = Alone::of(&piece.look)?;
                let copies = alone.copies(config.keep);
                let locate = |place: Place| First::Here(location(&alone.traces, &[before], place));
                edit_part(config, source, &copies, &[], &piece.outline, &mut edits, |record| {
                    self.tell(piece, before, record, &locate, &mut edited);
                });
            }
        }
        if Conversion::of(config, source.reading.layout).is_none() {
            edits.apply(source.bytes, &mut edited.out);
        }
        edited.counts.add_bytes(piece.source.bytes.len(), edited.out.len());
        Ok(edited)
    }

    /// Where a place is that a document knows by itself: in the document, or in one that an index knows.
    fn locate_visited<'l>(&'l self, visited: &'l Visited, record_idx: u64, place: Place) -> First<'l> {
        let line = (place.block != UNKNOWN_BLOCK).then_some(u64::from(place.block) + 1);
        let source = (place.part as usize).checked_sub(1).and_then(|other| visited.sources.get(other));
        match source {
            None => First::Here(Location { file: "-".into(), record: record_idx + 1, line: line.unwrap_or_default() }),
            Some((against, id)) => {
                let index = self.visits.and_then(|visits| visits.name(*against)).map(Into::into);
                First::Known(KnownLocation { index, document: id.into(), line })
            }
        }
    }

    fn tell<'l>(
        &'l self,
        piece: &'l Looked<'_>,
        records_before: u64,
        record: &EditedRecord<'_>,
        locate: &dyn Fn(Place) -> First<'l>,
        edited: &mut Edited,
    ) {
        let number = records_before + record.record_idx as u64;
        edited.counts.add(self.run.config, (0, number), record);
        if let Some(conversion) = Conversion::of(self.run.config, piece.source.reading.layout) {
            let is_left_out = conversion.write(self.run.config, piece.source, record, None, &mut edited.out);
            edited.counts.add_left_out(u64::from(is_left_out));
        }
        if self.journal {
            let source = CutSource { rules: &self.run.rules, source: piece.source };
            source.write(number + 1, record, locate, &mut edited.journal);
        }
        if self.run.config.dry_run {
            edited.counts.add_to_top(self.run.config, (0, number), piece.source, record);
        }
    }
}

/// What the input is: as the configuration says, or by how it starts, once enough has come to tell.
fn kind(config: &Config, start: &[u8], is_ended: bool) -> Result<Option<Kind>> {
    let otherwise = config.otherwise();
    let is_open = (start.len() < MARK_BYTES && start.first().is_none_or(|byte| !byte.is_ascii()))
        || (otherwise == Otherwise::Guessed && start.len() < GUESS_BYTES);
    if is_open && !is_ended {
        return Ok(None);
    }
    let guess = || Ok::<_, Error>(looks_like(&start[..start.len().min(GUESS_BYTES)], is_ended));
    let encoding = otherwise.encoding(start, guess)?;
    let shown = encoding.filter(|_| may_be_encoded(content_format(start)));
    let shown = shown.map(|encoding| encoding.shown(start).into_bytes());
    let layout = layout(config, shown.as_deref().unwrap_or(start), is_ended)?;
    Ok(layout.map(|layout| Kind { encoding: encoding.filter(|_| layout.may_be_encoded()), layout }))
}

fn layout(config: &Config, start: &[u8], is_ended: bool) -> Result<Option<Layout>> {
    let text = Layout::of_text(config.framing);
    if text != Layout::Whole {
        return Ok(Some(text));
    }
    let format = match config.format {
        Format::Auto if start.iter().all(u8::is_ascii_whitespace) && !is_ended => return Ok(None),
        Format::Auto => content_format(start),
        format => format,
    };
    // What is read of a table's first row is all of it, once a newline has come, but for one in quotes.
    let needs_row = matches!(format, Format::Csv | Format::Tsv);
    if needs_row && !is_ended && start.len() < READ_BYTES && !start.contains(&b'\n') {
        return Ok(None);
    }
    layout_of(config, format, |_| Ok(start.to_vec())).map(Some).map_err(|error| error.at("standard input".as_ref()))
}

/// Cuts a batch, which starts at a byte of the input, into pieces of whole records, of so many bytes if there are.
fn pieces<'b>(reading: Reading<'b>, bytes: &'b [u8], batch_start: u64, piece_bytes: usize) -> Vec<PartBytes<'b>> {
    let piece = |span: Span| PartBytes { reading, bytes: span.of(bytes), start: batch_start + span.start as u64 };
    if !reading.layout.is_splittable() {
        return vec![piece(Span::new(0, bytes.len()))];
    }
    let mut pieces = Vec::new();
    let mut start = 0;
    for record in reading.records(bytes) {
        if record.end - start >= piece_bytes || record.end == bytes.len() {
            pieces.push(piece(Span::new(start, record.end)));
            start = record.end;
        }
    }
    pieces
}

fn location(traces: &[Trace], records_before: &[u64], place: Place) -> Location<'static> {
    let part = place.part as usize;
    let record_idx = traces[part].document_at(place.block);
    let start = traces[part].blocks_of(record_idx).start as u64;
    Location {
        file: "-".into(),
        record: records_before[part] + record_idx as u64 + 1,
        line: u64::from(place.block) - start + 1,
    }
}
