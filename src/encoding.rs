//! Encodings: text that is not UTF-8 is decoded to be looked at, and cut in its own bytes.
//!
//! ```text
//! bytes of the file    C  a  f  E9    \n          (windows-1252)
//! the text             C  a  f  C3 A9 \n
//! lengths            1:1 1:1 1:1 2:1 1:1          text : bytes, one for each character
//! ```
//!
//! With the lengths, an offset in the text becomes one in the bytes. So nothing is ever encoded: what stays is the file's own
//! bytes, and what cannot be decoded stays with them.

use crate::text::Span;
#[cfg(feature = "encodings")]
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

/// How text that is not UTF-8 is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf16Le,
    Utf16Be,
    /// In which bytes below 128 are ASCII wherever they begin a character, and newlines wherever they are.
    #[cfg(feature = "encodings")]
    Legacy(&'static encoding_rs::Encoding),
}

/// What text is that does not say so by a byte order mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Otherwise {
    Utf8,
    Encoded(Encoding),
    /// UTF-8, or what it looks like.
    Guessed,
}

/// So many bytes of a file are enough to see a byte order mark.
pub(crate) const MARK_BYTES: usize = 3;

/// A byte that cannot be decoded is this character and as many more as its value: each is told from every other, so that
/// texts that differ in them do not become the same, and no text has them.
const UNDECODED: u32 = 0x10_fe00;

impl Otherwise {
    /// What a name stands for: `auto`, or a label of the Encoding Standard. Says what is wrong with it if it is none.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Ok(Otherwise::Utf8),
            "utf-16le" | "utf-16" => Ok(Otherwise::Encoded(Encoding::Utf16Le)),
            "utf-16be" => Ok(Otherwise::Encoded(Encoding::Utf16Be)),
            label => legacy(label),
        }
    }

    /// How text is encoded that starts so; nothing if it is UTF-8. `guess` tells what it looks like.
    pub(crate) fn encoding<E>(
        self,
        start: &[u8],
        guess: impl FnOnce() -> Result<Option<Encoding>, E>,
    ) -> Result<Option<Encoding>, E> {
        match (start, self) {
            ([0xef, 0xbb, 0xbf, ..], _) => Ok(None),
            ([0xff, 0xfe, ..], _) => Ok(Some(Encoding::Utf16Le)),
            ([0xfe, 0xff, ..], _) => Ok(Some(Encoding::Utf16Be)),
            (_, Otherwise::Utf8) => Ok(None),
            (_, Otherwise::Encoded(encoding)) => Ok(Some(encoding)),
            (_, Otherwise::Guessed) => guess(),
        }
    }
}

#[cfg(feature = "encodings")]
fn legacy(label: &str) -> Result<Otherwise, String> {
    if label == "auto" {
        return Ok(Otherwise::Guessed);
    }
    match encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()) {
        Some(encoding) if encoding == encoding_rs::UTF_8 => Ok(Otherwise::Utf8),
        Some(encoding) if encoding == encoding_rs::UTF_16LE => Ok(Otherwise::Encoded(Encoding::Utf16Le)),
        Some(encoding) if encoding == encoding_rs::UTF_16BE => Ok(Otherwise::Encoded(Encoding::Utf16Be)),
        Some(encoding) if !encoding.is_ascii_compatible() => {
            Err("one in which what a byte means hangs on all before it; convert the text to UTF-8 before".into())
        }
        Some(encoding) => Ok(Otherwise::Encoded(Encoding::Legacy(encoding))),
        None => {
            Err("not known; give a label of the Encoding Standard such as windows-1252 or shift_jis, or auto".into())
        }
    }
}

#[cfg(not(feature = "encodings"))]
fn legacy(_: &str) -> Result<Otherwise, String> {
    Err("not in this build; build it with --features encodings, or convert the text to UTF-8 before".into())
}

impl Encoding {
    /// Its name in the Encoding Standard.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Encoding::Utf16Le => "UTF-16LE",
            Encoding::Utf16Be => "UTF-16BE",
            #[cfg(feature = "encodings")]
            Encoding::Legacy(encoding) => encoding.name(),
        }
    }

    /// Where each ASCII control that stands for itself ends: a newline, or a zero byte. The bytes start with a character.
    pub(crate) fn ends_of(self, control: u8, bytes: &[u8]) -> Box<dyn Iterator<Item = usize> + '_> {
        match self.control_pair(control) {
            None => Box::new(memchr::memchr_iter(control, bytes).map(|at| at + 1)),
            Some(pair) => Box::new(
                (2..)
                    .step_by(2)
                    .zip(bytes.chunks_exact(2))
                    .filter(move |(_, found)| *found == pair)
                    .map(|(end, _)| end),
            ),
        }
    }

    /// Where the last of them ends that is not among the first `searched` bytes.
    pub(crate) fn last_end_of(self, control: u8, bytes: &[u8], searched: usize) -> Option<usize> {
        match self.control_pair(control) {
            None => memchr::memrchr(control, &bytes[searched..]).map(|at| searched + at + 1),
            Some(pair) => {
                let start = searched / 2 * 2;
                let at = bytes[start..].chunks_exact(2).rposition(|found| found == pair)?;
                Some(start + 2 * at + 2)
            }
        }
    }

    fn control_pair(self, control: u8) -> Option<[u8; 2]> {
        match self {
            Encoding::Utf16Le => Some([control, 0]),
            Encoding::Utf16Be => Some([0, control]),
            #[cfg(feature = "encodings")]
            Encoding::Legacy(_) => None,
        }
    }

    /// Bytes as they read, with U+FFFD for those that cannot be decoded.
    pub(crate) fn shown(self, bytes: &[u8]) -> String {
        let mut decoded = Decoded::default();
        decoded.read(bytes, self);
        let plain = |character| if is_undecoded(character) { char::REPLACEMENT_CHARACTER } else { character };
        decoded.text().chars().map(plain).collect()
    }
}

fn is_undecoded(character: char) -> bool {
    (UNDECODED..UNDECODED + 256).contains(&u32::from(character))
}

/// Bytes, decoded, with the way back.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    text: String,
    /// For each character, or a few that came together, how long it is in the text (low four bits) and in the bytes.
    lengths: Vec<u8>,
    /// Where in the text those are that could not be decoded.
    undecoded: Vec<usize>,
}

impl Decoded {
    /// Decodes bytes that start with a character.
    pub(crate) fn read(&mut self, bytes: &[u8], encoding: Encoding) {
        self.text.clear();
        self.lengths.clear();
        self.undecoded.clear();
        match encoding {
            Encoding::Utf16Le => self.read_utf16(bytes, u16::from_le_bytes),
            Encoding::Utf16Be => self.read_utf16(bytes, u16::from_be_bytes),
            #[cfg(feature = "encodings")]
            Encoding::Legacy(encoding) => self.read_legacy(bytes, encoding),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether all of a piece of the text could be decoded.
    pub(crate) fn is_sound(&self, piece: Span) -> bool {
        let after = self.undecoded.partition_point(|at| *at < piece.start);
        self.undecoded.get(after).is_none_or(|at| *at >= piece.end)
    }

    /// The way from offsets in the text to offsets in the bytes.
    pub(crate) fn offsets(&self) -> Offsets<'_> {
        Offsets { lengths: Some(&self.lengths), text_at: 0, byte_at: 0 }
    }

    fn read_utf16(&mut self, bytes: &[u8], unit_of: fn([u8; 2]) -> u16) {
        let (units, rest) = bytes.as_chunks();
        let mut at = 0;
        for character in char::decode_utf16(units.iter().map(|unit| unit_of(*unit))) {
            match character {
                Ok(character) => {
                    self.text.push(character);
                    self.push_lengths(character.len_utf8(), 2 * character.len_utf16());
                    at += 2 * character.len_utf16();
                }
                Err(_) => {
                    bytes[at..at + 2].iter().for_each(|byte| self.push_undecoded(*byte));
                    at += 2;
                }
            }
        }
        rest.iter().for_each(|byte| self.push_undecoded(*byte));
    }

    #[cfg(feature = "encodings")]
    fn read_legacy(&mut self, bytes: &[u8], encoding: &'static encoding_rs::Encoding) {
        use encoding_rs::DecoderResult;
        let mut decoder = encoding.new_decoder_without_bom_handling();
        // Bytes that were read and are of no character yet.
        let mut open = 0;
        let mut at = 0;
        let mut characters = [0; 32];
        loop {
            if open == 0 {
                let n_plain = encoding_rs::Encoding::ascii_valid_up_to(&bytes[at..]);
                let plain = std::str::from_utf8(&bytes[at..at + n_plain]).expect("ASCII is UTF-8");
                self.text.push_str(plain);
                self.lengths.resize(self.lengths.len() + n_plain, 0x11);
                at += n_plain;
            }
            // One byte at a time, since how many make a character shows only so.
            let next = &bytes[at..bytes.len().min(at + 1)];
            let (result, n_read, n_written) =
                decoder.decode_to_utf8_without_replacement(next, &mut characters, next.is_empty());
            at += n_read;
            open += n_read;
            let written = std::str::from_utf8(&characters[..n_written]).expect("a decoder writes UTF-8");
            match result {
                DecoderResult::Malformed(n_bad, n_after) => {
                    let (n_bad, n_after) = (usize::from(n_bad), usize::from(n_after));
                    if n_written > 0 {
                        self.text.push_str(written);
                        self.push_lengths(n_written, open - n_bad - n_after);
                    }
                    open = n_after;
                    bytes[at - n_after - n_bad..at - n_after].iter().for_each(|byte| self.push_undecoded(*byte));
                }
                DecoderResult::InputEmpty | DecoderResult::OutputFull => {
                    if n_written > 0 {
                        self.text.push_str(written);
                        self.push_lengths(n_written, open);
                        open = 0;
                    }
                    if next.is_empty() {
                        return;
                    }
                }
            }
        }
    }

    fn push_undecoded(&mut self, byte: u8) {
        self.undecoded.push(self.text.len());
        let character = char::from_u32(UNDECODED + u32::from(byte)).expect("it is for private use");
        self.text.push(character);
        self.push_lengths(character.len_utf8(), 1);
    }

    fn push_lengths(&mut self, mut text: usize, mut bytes: usize) {
        while text > 0 || bytes > 0 {
            let (of_text, of_bytes) = (text.min(15), bytes.min(15));
            self.lengths.push(u8::try_from(of_bytes << 4 | of_text).expect("two numbers of four bits fit a byte"));
            (text, bytes) = (text - of_text, bytes - of_bytes);
        }
    }
}

/// The way from offsets in a text to offsets in the bytes that it was decoded from, for offsets in ascending order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offsets<'d> {
    /// Nothing where the text is the bytes.
    lengths: Option<&'d [u8]>,
    text_at: usize,
    byte_at: usize,
}

impl Offsets<'_> {
    /// Where in the bytes the character at `offset` of the text begins. Not smaller than the offset asked for before.
    pub(crate) fn byte(&mut self, offset: usize) -> usize {
        let Some(lengths) = &mut self.lengths else {
            return offset;
        };
        while self.text_at < offset
            && let Some((length, rest)) = lengths.split_first()
        {
            self.text_at += usize::from(length & 0xf);
            self.byte_at += usize::from(length >> 4);
            *lengths = rest;
        }
        self.byte_at
    }
}

/// Whether bytes that come piece by piece are UTF-8, or were before something happened to them.
#[derive(Debug, Default)]
pub(crate) struct Utf8Check {
    /// The beginning of a character.
    open: Vec<u8>,
    n_characters: u64,
    n_bad: u64,
}

impl Utf8Check {
    /// Looks at the next bytes; says whether all of them are UTF-8.
    pub(crate) fn look(&mut self, bytes: &[u8]) -> bool {
        let n_bad = self.n_bad;
        let joined;
        let bytes = if self.open.is_empty() {
            bytes
        } else {
            joined = [&std::mem::take(&mut self.open), bytes].concat();
            &joined
        };
        let mut at = 0;
        for chunk in bytes.utf8_chunks() {
            self.n_characters += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count() as u64;
            at += chunk.valid().len() + chunk.invalid().len();
            let is_open = |bad: &[u8]| std::str::from_utf8(bad).is_err_and(|error| error.error_len().is_none());
            if at == bytes.len() && is_open(chunk.invalid()) {
                self.open = chunk.invalid().to_vec();
            } else {
                self.n_bad += u64::from(!chunk.invalid().is_empty());
            }
        }
        self.n_bad == n_bad
    }

    /// Whether what was looked at so far is UTF-8, if only most of it: in text of any other encoding, little looks so by
    /// chance.
    pub(crate) fn is_utf8_so_far(&self) -> bool {
        self.n_bad == 0 || self.n_characters > self.n_bad
    }

    /// The same, where nothing follows.
    pub(crate) fn is_utf8(&mut self) -> bool {
        self.n_bad += u64::from(!std::mem::take(&mut self.open).is_empty());
        self.is_utf8_so_far()
    }
}

/// How text looks encoded that starts with some bytes, or is no more; nothing if it is UTF-8.
pub(crate) fn looks_like(start: &[u8], is_all: bool) -> Option<Encoding> {
    let mut check = Utf8Check::default();
    check.look(start);
    let is_utf8 = if is_all { check.is_utf8() } else { check.is_utf8_so_far() };
    if is_utf8 { None } else { guess(start) }
}

/// What bytes that are not UTF-8 look like.
#[cfg(feature = "encodings")]
pub(crate) fn guess(bytes: &[u8]) -> Option<Encoding> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    match legacy(detector.guess(None, Utf8Detection::Deny).name()) {
        Ok(Otherwise::Encoded(encoding)) => Some(encoding),
        _ => None,
    }
}

/// What bytes that are not UTF-8 look like.
#[cfg(not(feature = "encodings"))]
pub(crate) fn guess(_: &[u8]) -> Option<Encoding> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Encoding {
        match Otherwise::parse(name) {
            Ok(Otherwise::Encoded(encoding)) => encoding,
            other => unreachable!("{name}: {other:?}"),
        }
    }

    #[cfg(feature = "encodings")]
    const NAMES: [&str; 38] = [
        "utf-16le",
        "utf-16be",
        "ibm866",
        "iso-8859-2",
        "iso-8859-3",
        "iso-8859-4",
        "iso-8859-5",
        "iso-8859-6",
        "iso-8859-7",
        "iso-8859-8",
        "iso-8859-8-i",
        "iso-8859-10",
        "iso-8859-13",
        "iso-8859-14",
        "iso-8859-15",
        "iso-8859-16",
        "koi8-r",
        "koi8-u",
        "macintosh",
        "windows-874",
        "windows-1250",
        "windows-1251",
        "windows-1252",
        "windows-1253",
        "windows-1254",
        "windows-1255",
        "windows-1256",
        "windows-1257",
        "windows-1258",
        "x-mac-cyrillic",
        "gbk",
        "gb18030",
        "big5",
        "euc-jp",
        "shift_jis",
        "euc-kr",
        "x-user-defined",
        "latin1",
    ];

    /// Bytes of every kind, drawn by a simple congruence.
    #[cfg(feature = "encodings")]
    fn bytes(seed: u32, n_bytes: usize) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()
        };
        let mut draw = || match next() {
            [kind, byte, ..] if kind < 60 => byte & 0x7f,
            [kind, byte, ..] if kind < 90 => 0x30 | byte & 0xf,
            [kind, ..] if kind < 100 => b'\n',
            [_, byte, ..] => byte | 0x80,
        };
        (0..n_bytes).map(|_| draw()).collect()
    }

    #[cfg(feature = "encodings")]
    #[test]
    fn every_byte_is_of_some_character_and_the_way_leads_back() {
        for name in NAMES {
            for (seed, n_bytes) in (0..300_u32).zip((0..60).cycle()) {
                let bytes = bytes(seed, n_bytes);
                let mut decoded = Decoded::default();
                decoded.read(&bytes, of(name));
                let text = decoded.text();
                assert_eq!(decoded.offsets().byte(text.len()), bytes.len(), "{name}: {bytes:x?}");
                // What stands between two newlines decodes by itself to what it is among the others.
                let (mut offsets, mut line_start, mut start) = (decoded.offsets(), 0, 0);
                for line in text.split_inclusive('\n') {
                    line_start += line.len();
                    let end = offsets.byte(line_start);
                    let mut alone = Decoded::default();
                    alone.read(&bytes[start..end], of(name));
                    assert_eq!(alone.text(), line, "{name}: {bytes:x?}");
                    start = end;
                }
                // Newlines are found without decoding.
                let mut offsets = decoded.offsets();
                let ends = text.match_indices('\n').map(|(at, _)| offsets.byte(at + 1));
                let ends: Vec<usize> = ends.collect();
                assert_eq!(of(name).ends_of(b'\n', &bytes).collect::<Vec<_>>(), ends, "{name}: {bytes:x?}");
                for searched in 0..=ends.first().map_or(bytes.len(), |end| end - 1) {
                    assert_eq!(of(name).last_end_of(b'\n', &bytes, searched).as_ref(), ends.last(), "{name}");
                }
                // As the decoder that browsers have reads it.
                if let Encoding::Legacy(encoding) = of(name) {
                    let (expected, _) = encoding.decode_without_bom_handling(&bytes);
                    let squeezed = |text: &str| text.replace('\u{fffd}', "");
                    assert_eq!(squeezed(&of(name).shown(&bytes)), squeezed(&expected), "{name}: {bytes:x?}");
                }
            }
        }
    }

    #[test]
    fn utf16_is_read_in_both_orders() {
        let text = "Caf\u{e9} \u{1f600}\n";
        for (name, bytes_of) in [("utf-16le", u16::to_le_bytes as fn(u16) -> [u8; 2]), ("utf-16be", u16::to_be_bytes)] {
            let bytes: Vec<u8> = text.encode_utf16().flat_map(bytes_of).collect();
            let mut decoded = Decoded::default();
            decoded.read(&bytes, of(name));
            assert_eq!(decoded.text(), text);
            let mut offsets = decoded.offsets();
            assert_eq!([0, 3, 5, 6, 10, 11].map(|offset| offsets.byte(offset)), [0, 6, 8, 10, 14, 16]);
            assert!(decoded.is_sound(Span::new(0, 11)));
            // Half of a pair, and half of a unit.
            let broken = [&bytes[..10], &bytes[12..], b"x"].concat();
            decoded.read(&broken, of(name));
            assert_eq!(decoded.offsets().byte(decoded.text().len()), broken.len());
            assert_eq!(of(name).shown(&broken), "Caf\u{e9} \u{fffd}\u{fffd}\n\u{fffd}");
            assert!(decoded.is_sound(Span::new(0, 6)) && !decoded.is_sound(Span::new(6, 7)));
        }
    }

    #[cfg(feature = "encodings")]
    #[test]
    fn bytes_that_cannot_be_decoded_are_told_apart() {
        let mut decoded = Decoded::default();
        let mut texts = [&b"a\x81"[..], b"a\x82", b"a\x81\x81"].map(|bytes| {
            decoded.read(bytes, of("euc-kr"));
            decoded.text().to_owned()
        });
        texts.sort();
        assert!(texts[0] != texts[1] && texts[1] != texts[2]);
        assert_eq!(of("euc-kr").shown(b"a\x81\n"), "a\u{fffd}\n");
    }

    #[cfg(feature = "encodings")]
    #[test]
    fn marks_go_before_names_and_names_before_looks() {
        let guess = || Ok::<_, ()>(Some(of("koi8-r")));
        let of_start = |name, start: &[u8]| Otherwise::parse(name).expect("it is known").encoding(start, guess);
        for name in ["utf-8", "windows-1251", "utf-16be", "auto"] {
            assert_eq!(of_start(name, b"\xef\xbb\xbfa"), Ok(None));
            assert_eq!(of_start(name, b"\xff\xfea\0"), Ok(Some(Encoding::Utf16Le)));
            assert_eq!(of_start(name, b"\xfe\xff\0a"), Ok(Some(Encoding::Utf16Be)));
        }
        assert_eq!(of_start("utf8", b"a"), Ok(None));
        assert_eq!(of_start("cp1251", b"a"), Ok(Some(of("windows-1251"))));
        assert_eq!(of_start("AUTO", b"a"), Ok(Some(of("koi8-r"))));
        for name in ["", "utf-7", "iso-2022-jp", "iso-2022-kr", "replacement"] {
            assert!(Otherwise::parse(name).is_err(), "{name}");
        }
    }

    #[cfg(feature = "encodings")]
    #[test]
    fn what_is_mostly_utf8_is_utf8() {
        assert_eq!(looks_like("a\u{e9}\u{e9}".as_bytes(), true), None);
        assert_eq!(looks_like(b"\xc3\xa9\xc3\xa9 one stray \xe9 byte", true), None);
        assert_eq!(looks_like(b"caf\xe9", false), None);
        assert_eq!(looks_like(b"un caf\xe9 tr\xe8s cr\xe9meux, d\xe9j\xe0", true), Some(of("windows-1252")));
        let russian = b"\xcf\xf0\xe8\xe2\xe5\xf2, \xea\xe0\xea \xe4\xe5\xeb\xe0? \xd5\xee\xf0\xee\xf8\xee.";
        assert_eq!(looks_like(russian, true), Some(of("windows-1251")));
        // However it comes in pieces.
        let text = "a\u{e9}\u{1f600}\u{20ac}".as_bytes();
        for at in 0..=text.len() {
            let mut check = Utf8Check::default();
            assert!(check.look(&text[..at]) && check.look(&text[at..]) && check.is_utf8(), "{at}");
            assert_eq!((check.n_characters, check.n_bad), (3, 0));
        }
    }
}
