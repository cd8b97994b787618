//! Compression: what bytes are packed with, told by how they start, and how they are unpacked and packed.
//!
//! A file may be of many members (gzip), frames (zstd, lz4) or streams (xz, bzip2), one after the other; what is written is
//! one. Data that ends too soon, or whose checksum is wrong, is an error, never the end of the file.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
    Lz4,
}

/// Bytes of a file's start that are enough to tell.
pub(crate) const MAGIC_BYTES: usize = 10;

impl Codec {
    pub(crate) const ALL: [Codec; 5] = [Codec::Gzip, Codec::Zstd, Codec::Xz, Codec::Bzip2, Codec::Lz4];

    /// What bytes that start so are compressed with, if they are.
    pub(crate) fn of(start: &[u8]) -> Option<Codec> {
        match start {
            [0x1f, 0x8b, 8, ..] => Some(Codec::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Codec::Zstd),
            // A skippable frame, which zstd files may start with.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Codec::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Codec::Xz),
            // The first block's mark, or that of the end: text may start with the letters.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Some(Codec::Bzip2),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Codec::Lz4),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Codec::Gzip => "gzip",
            Codec::Zstd => "zstd",
            Codec::Xz => "xz",
            Codec::Bzip2 => "bzip2",
            Codec::Lz4 => "lz4",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Codec> {
        Self::ALL.into_iter().find(|codec| codec.name() == name)
    }

    /// What the names of its files end with, without the dot.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Codec::Gzip => "gz",
            Codec::Zstd => "zst",
            Codec::Xz => "xz",
            Codec::Bzip2 => "bz2",
            Codec::Lz4 => "lz4",
        }
    }

    /// Whether readers go to a member of a file by its offset.
    pub(crate) fn has_random_access(self) -> bool {
        matches!(self, Codec::Gzip | Codec::Zstd)
    }

    /// The level that is taken if none is asked for: what its own program takes.
    fn usual_level(self) -> u32 {
        match self {
            Codec::Gzip | Codec::Xz => 6,
            Codec::Zstd => 3,
            Codec::Bzip2 => 9,
            Codec::Lz4 => 1,
        }
    }
}

/// Bytes, unpacked if they were packed.
pub(crate) enum Unpacked<'r, R> {
    Plain(Peeked<R>),
    Packed(Box<dyn Read + Send + 'r>, Codec),
}

impl<'r, R: Read + Send + 'r> Unpacked<'r, R> {
    /// Unpacks what `input` is packed with, if it is.
    pub(crate) fn new(input: R) -> Result<Self> {
        let peeked = Peeked::new(input)?;
        match Codec::of(peeked.rest()) {
            None => Ok(Unpacked::Plain(peeked)),
            Some(codec) => Ok(Unpacked::Packed(unpack(codec, BufReader::with_capacity(1 << 16, peeked))?, codec)),
        }
    }

    /// What they were packed with.
    pub(crate) fn codec(&self) -> Option<Codec> {
        match self {
            Unpacked::Plain(_) => None,
            Unpacked::Packed(_, codec) => Some(*codec),
        }
    }

    /// Appends the next bytes, so many or all that are left.
    pub(crate) fn read_up_to(&mut self, n_bytes: usize, bytes: &mut Vec<u8>) -> Result<()> {
        let n_bytes = n_bytes as u64;
        match self {
            // Not through `read`, so that a file can be read into memory that nobody has written to.
            Unpacked::Plain(peeked) => peeked.read_up_to(n_bytes, bytes),
            Unpacked::Packed(reader, codec) => {
                reader.take(n_bytes).read_to_end(bytes).map(drop).map_err(|error| explained(error, *codec))
            }
        }
    }
}

impl<'r, R: Read + Send + 'r> Read for Unpacked<'r, R> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        match self {
            Unpacked::Plain(peeked) => peeked.read(bytes),
            Unpacked::Packed(reader, codec) => reader.read(bytes).map_err(|error| explained(error, *codec)),
        }
    }
}

/// What a decoder said, in words that name the format.
fn explained(error: Error, codec: Codec) -> Error {
    if error.raw_os_error().is_some() || error.kind() == ErrorKind::Interrupted || is_of_a_server(error.kind()) {
        return error;
    }
    let name = codec.name();
    match error.kind() {
        ErrorKind::UnexpectedEof => Error::new(ErrorKind::UnexpectedEof, format!("the {name} data ends too soon")),
        kind => Error::new(kind, format!("the {name} data is damaged ({error})")),
    }
}

/// Whether an error is what a server says of the input, and no decoder of what is in it.
fn is_of_a_server(kind: ErrorKind) -> bool {
    use ErrorKind::{ConnectionAborted, HostUnreachable, NotFound, NotSeekable, PermissionDenied};
    matches!(kind, ConnectionAborted | HostUnreachable | NotFound | NotSeekable | PermissionDenied)
        || matches!(kind, ErrorKind::StaleNetworkFileHandle | ErrorKind::TimedOut)
}

/// An input whose start was looked at.
pub(crate) struct Peeked<R> {
    start: Vec<u8>,
    /// So much of the start is read.
    at: usize,
    input: R,
}

impl<R: Read> Peeked<R> {
    /// Reads enough to tell what it is, or all.
    fn new(mut input: R) -> Result<Self> {
        let mut start = Vec::with_capacity(MAGIC_BYTES);
        input.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut start)?;
        Ok(Peeked { start, at: 0, input })
    }

    fn rest(&self) -> &[u8] {
        &self.start[self.at..]
    }

    fn read_up_to(&mut self, n_bytes: u64, bytes: &mut Vec<u8>) -> Result<()> {
        let n_peeked = self.rest().len().min(usize::try_from(n_bytes).unwrap_or(usize::MAX));
        bytes.extend_from_slice(&self.rest()[..n_peeked]);
        self.at += n_peeked;
        self.input.by_ref().take(n_bytes - n_peeked as u64).read_to_end(bytes).map(drop)
    }
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        let rest = self.rest();
        if rest.is_empty() {
            return self.input.read(bytes);
        }
        let n_bytes = rest.len().min(bytes.len());
        bytes[..n_bytes].copy_from_slice(&rest[..n_bytes]);
        self.at += n_bytes;
        Ok(n_bytes)
    }
}

fn unpack<'r>(codec: Codec, input: impl BufRead + Send + 'r) -> Result<Box<dyn Read + Send + 'r>> {
    match codec {
        #[cfg(feature = "gzip")]
        Codec::Gzip => Ok(Box::new(Members::new(input, flate2::bufread::GzDecoder::new))),
        #[cfg(feature = "zstd")]
        Codec::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            // What `zstd --long=31` writes.
            decoder.window_log_max(31)?;
            Ok(Box::new(decoder))
        }
        #[cfg(feature = "xz")]
        Codec::Xz => Ok(Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(input))),
        #[cfg(feature = "bzip2")]
        Codec::Bzip2 => Ok(Box::new(bzip2::bufread::MultiBzDecoder::new(input))),
        #[cfg(feature = "lz4")]
        Codec::Lz4 => Ok(Box::new(Members::new(input, |input| {
            lz4_flex::frame::FrameDecoder::new(Ended { input, is_ended: false })
        }))),
        #[cfg(not(all(feature = "gzip", feature = "zstd", feature = "xz", feature = "bzip2", feature = "lz4")))]
        codec => {
            drop(input);
            Err(not_built(codec))
        }
    }
}

#[cfg(not(all(feature = "gzip", feature = "zstd", feature = "xz", feature = "bzip2", feature = "lz4")))]
fn not_built(codec: Codec) -> Error {
    let name = codec.name();
    Error::new(ErrorKind::Unsupported, format!("{name} is not in this build; build it with --features {name}"))
}

/// A decoder of one member, which gives back the input that it read from.
#[cfg(any(feature = "gzip", feature = "lz4"))]
trait Member: Read {
    type Input: BufRead;

    /// The input, where the member ended; an error if it did not.
    fn into_rest(self) -> Result<Self::Input>;

    /// Whether zeros may follow the last member, as they do on tapes.
    const MAY_BE_PADDED: bool;
}

#[cfg(feature = "gzip")]
impl<R: BufRead> Member for flate2::bufread::GzDecoder<R> {
    type Input = R;

    fn into_rest(self) -> Result<R> {
        Ok(self.into_inner())
    }

    const MAY_BE_PADDED: bool = true;
}

/// Remembers whether its end was met. The decoder of lz4 takes an input that ends between two blocks for a whole one.
#[cfg(feature = "lz4")]
struct Ended<R> {
    input: R,
    is_ended: bool,
}

#[cfg(feature = "lz4")]
impl<R: Read> Read for Ended<R> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        let n_bytes = self.input.read(bytes)?;
        self.is_ended |= n_bytes == 0 && !bytes.is_empty();
        Ok(n_bytes)
    }
}

#[cfg(feature = "lz4")]
impl<R: BufRead> Member for lz4_flex::frame::FrameDecoder<Ended<R>> {
    type Input = R;

    fn into_rest(self) -> Result<R> {
        let Ended { input, is_ended } = self.into_inner();
        if is_ended { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(input) }
    }

    const MAY_BE_PADDED: bool = false;
}

/// Members one after the other, up to the end of the input.
#[cfg(any(feature = "gzip", feature = "lz4"))]
struct Members<D: Member, F> {
    member: Option<D>,
    begin: F,
}

#[cfg(any(feature = "gzip", feature = "lz4"))]
impl<D: Member, F: Fn(D::Input) -> D> Members<D, F> {
    fn new(input: D::Input, begin: F) -> Self {
        Members { member: Some(begin(input)), begin }
    }
}

#[cfg(any(feature = "gzip", feature = "lz4"))]
impl<D: Member, F: Fn(D::Input) -> D> Read for Members<D, F> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        while let Some(member) = &mut self.member {
            let n_bytes = member.read(bytes)?;
            if n_bytes > 0 || bytes.is_empty() {
                return Ok(n_bytes);
            }
            let member = self.member.take().expect("it was just read from");
            let mut rest = member.into_rest()?;
            let is_end = rest.fill_buf()?.is_empty() || (D::MAY_BE_PADDED && is_padding(&mut rest)?);
            if !is_end {
                self.member = Some((self.begin)(rest));
            }
        }
        Ok(0)
    }
}

/// Whether nothing but zeros is left; they are read, if there are some.
#[cfg(any(feature = "gzip", feature = "lz4"))]
fn is_padding(rest: &mut impl BufRead) -> Result<bool> {
    if rest.fill_buf()?.first() != Some(&0) {
        return Ok(false);
    }
    loop {
        let bytes = rest.fill_buf()?;
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(Error::new(ErrorKind::InvalidData, "other data behind the last member"));
        }
        let n_bytes = bytes.len();
        if n_bytes == 0 {
            return Ok(true);
        }
        rest.consume(n_bytes);
    }
}

/// Packs what is written to it, or passes it on.
pub(crate) struct Packer<W: Write> {
    encoder: Encoder<W>,
    /// What is to be packed next. Some encoders give other bytes when theirs come in other pieces, so they get pieces of
    /// one size.
    pending: Vec<u8>,
}

const PIECE_BYTES: usize = 1 << 17;

enum Encoder<W: Write> {
    Plain(W),
    #[cfg(feature = "gzip")]
    Gzip(flate2::write::GzEncoder<W>),
    #[cfg(feature = "zstd")]
    Zstd(zstd::stream::write::Encoder<'static, W>),
    #[cfg(feature = "xz")]
    Xz(liblzma::write::XzEncoder<W>),
    #[cfg(feature = "bzip2")]
    Bzip2(bzip2::write::BzEncoder<W>),
    #[cfg(feature = "lz4")]
    Lz4(Box<lz4_flex::frame::FrameEncoder<W>>),
}

impl<W: Write> std::fmt::Debug for Packer<W> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Packer")
    }
}

impl<W: Write> Packer<W> {
    /// Begins to pack, at a level that the codec has, or at its usual one.
    pub(crate) fn new(codec: Option<Codec>, level: Option<u32>, writer: W) -> Result<Self> {
        Ok(Packer { encoder: Encoder::new(codec, level, writer)?, pending: Vec::new() })
    }

    /// Writes what is still held back, and gives the writer.
    pub(crate) fn finish(mut self) -> Result<W> {
        self.encoder.write_all(&self.pending)?;
        self.encoder.finish()
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if let Some(writer) = self.encoder.plain() {
            return writer.write(bytes);
        }
        let (taken, _) = bytes.split_at(bytes.len().min(PIECE_BYTES - self.pending.len()));
        self.pending.extend_from_slice(taken);
        if self.pending.len() == PIECE_BYTES {
            self.encoder.write_all(&self.pending)?;
            self.pending.clear();
        }
        Ok(taken.len())
    }

    /// Passes on what was written, if it is not packed: where packed bytes were flushed would show when their input came.
    fn flush(&mut self) -> Result<()> {
        self.encoder.plain().map_or(Ok(()), Write::flush)
    }
}

impl<W: Write> Encoder<W> {
    /// The writer, if nothing is packed.
    fn plain(&mut self) -> Option<&mut W> {
        match self {
            Encoder::Plain(writer) => Some(writer),
            #[cfg(any(feature = "bzip2", feature = "gzip", feature = "lz4", feature = "xz", feature = "zstd"))]
            _ => None,
        }
    }

    fn new(codec: Option<Codec>, level: Option<u32>, writer: W) -> Result<Self> {
        let Some(codec) = codec else {
            return Ok(Encoder::Plain(writer));
        };
        let level = level.unwrap_or(codec.usual_level());
        match codec {
            #[cfg(feature = "gzip")]
            Codec::Gzip => Ok(Encoder::Gzip(flate2::write::GzEncoder::new(writer, flate2::Compression::new(level)))),
            #[cfg(feature = "zstd")]
            Codec::Zstd => {
                let level = i32::try_from(level).expect("it is one of the codec's levels");
                let mut encoder = zstd::stream::write::Encoder::new(writer, level)?;
                encoder.include_checksum(true)?;
                Ok(Encoder::Zstd(encoder))
            }
            #[cfg(feature = "xz")]
            Codec::Xz => Ok(Encoder::Xz(liblzma::write::XzEncoder::new(writer, level))),
            #[cfg(feature = "bzip2")]
            Codec::Bzip2 => Ok(Encoder::Bzip2(bzip2::write::BzEncoder::new(writer, bzip2::Compression::new(level)))),
            #[cfg(feature = "lz4")]
            Codec::Lz4 => {
                let info = lz4_flex::frame::FrameInfo::new().content_checksum(true);
                Ok(Encoder::Lz4(Box::new(lz4_flex::frame::FrameEncoder::with_frame_info(info, writer))))
            }
            #[cfg(not(all(feature = "gzip", feature = "zstd", feature = "xz", feature = "bzip2", feature = "lz4")))]
            codec => {
                let _ = level;
                Err(not_built(codec))
            }
        }
    }

    fn finish(self) -> Result<W> {
        match self {
            Encoder::Plain(writer) => Ok(writer),
            #[cfg(feature = "gzip")]
            Encoder::Gzip(encoder) => encoder.finish(),
            #[cfg(feature = "zstd")]
            Encoder::Zstd(encoder) => encoder.finish(),
            #[cfg(feature = "xz")]
            Encoder::Xz(encoder) => encoder.finish(),
            #[cfg(feature = "bzip2")]
            Encoder::Bzip2(encoder) => encoder.finish(),
            #[cfg(feature = "lz4")]
            Encoder::Lz4(mut encoder) => {
                // An empty file is a frame too, which the encoder begins with the first bytes only.
                encoder.write_all(&[])?;
                encoder.finish().map_err(Error::other)
            }
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self {
            Encoder::Plain(writer) => writer.write(bytes),
            #[cfg(feature = "gzip")]
            Encoder::Gzip(encoder) => encoder.write(bytes),
            #[cfg(feature = "zstd")]
            Encoder::Zstd(encoder) => encoder.write(bytes),
            #[cfg(feature = "xz")]
            Encoder::Xz(encoder) => encoder.write(bytes),
            #[cfg(feature = "bzip2")]
            Encoder::Bzip2(encoder) => encoder.write(bytes),
            #[cfg(feature = "lz4")]
            Encoder::Lz4(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(codec: Codec, text: &[u8]) -> Vec<u8> {
        let mut packer = Packer::new(Some(codec), None, Vec::new()).expect("the codec is built in");
        packer.write_all(text).expect("memory can be written");
        packer.finish().expect("memory can be written")
    }

    fn unpacked(bytes: &[u8]) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        Unpacked::new(bytes)?.read_to_end(&mut text)?;
        Ok(text)
    }

    fn text() -> Vec<u8> {
        (0..30_000_u32).flat_map(|number| (number.wrapping_mul(2_654_435_761) >> 13).to_string().into_bytes()).collect()
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        for codec in Codec::ALL {
            for text in [&text()[..], b"x", b""] {
                let packed = packed(codec, text);
                assert_eq!(Codec::of(&packed), Some(codec));
                assert!(unpacked(&packed).is_ok_and(|unpacked| unpacked == text), "{}", codec.name());
            }
        }
    }

    #[test]
    fn how_the_text_comes_does_not_show() {
        for codec in Codec::ALL {
            let text = text();
            let whole = packed(codec, &text);
            for n_bytes in [1_000, 77_777] {
                let mut packer = Packer::new(Some(codec), None, Vec::new()).expect("the codec is built in");
                for piece in text.chunks(n_bytes) {
                    packer.write_all(piece).and_then(|()| packer.flush()).expect("memory can be written");
                }
                assert!(packer.finish().is_ok_and(|packed| packed == whole), "{}: {n_bytes}", codec.name());
            }
        }
    }

    #[test]
    fn members_follow_each_other() {
        for codec in Codec::ALL {
            let bytes = [packed(codec, b"one "), packed(codec, b""), packed(codec, &text())].concat();
            let whole = [b"one ", &text()[..]].concat();
            assert!(unpacked(&bytes).is_ok_and(|unpacked| unpacked == whole), "{}", codec.name());
        }
    }

    #[test]
    fn data_that_ends_too_soon_is_an_error() {
        let text = text();
        for codec in Codec::ALL {
            let packed = packed(codec, &text);
            // From where on it can be told what it is; a whole skippable frame is no end either.
            for end in (MAGIC_BYTES..64).chain((64..packed.len()).step_by(997)).chain(packed.len() - 12..packed.len()) {
                let outcome = unpacked(&packed[..end]);
                assert!(outcome.is_err(), "{}: {end} of {} bytes", codec.name(), packed.len());
            }
        }
    }

    #[test]
    fn damaged_data_is_an_error() {
        let text = text();
        for codec in Codec::ALL {
            let packed = packed(codec, &text);
            for at in (MAGIC_BYTES + 20..packed.len() - 20).step_by(packed.len() / 17) {
                let mut damaged = packed.clone();
                damaged[at] ^= 0x10;
                let outcome = unpacked(&damaged);
                assert!(outcome.is_err(), "{}: byte {at}", codec.name());
            }
        }
    }

    #[test]
    fn zeros_may_follow_gzip_and_nothing_else_may() {
        let packed = packed(Codec::Gzip, b"text");
        for n_zeros in [1, 512, 100_000] {
            let padded = [&packed[..], &vec![0; n_zeros]].concat();
            assert!(unpacked(&padded).is_ok_and(|text| text == b"text"), "{n_zeros}");
        }
        assert!(unpacked(&[&packed[..], b"more"].concat()).is_err());
        assert!(unpacked(&[&packed[..], b"\0\0more"].concat()).is_err());
    }

    #[test]
    fn text_is_not_taken_for_packed() {
        for text in [&b""[..], b"B", b"BZh9 is a name", b"\x1f\x8b", b"{\"text\": 1}", b"\xfd7zXZ"] {
            assert_eq!(Codec::of(text), None);
            assert!(unpacked(text).is_ok_and(|unpacked| unpacked == text));
        }
    }
}
