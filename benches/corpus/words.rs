//! Random numbers, a made-up English, and prose written in it.
//!
//! Only integers are used: the same seed gives the same bytes on every machine.

/// Words real English uses most, roughly by frequency; the made-up ones follow.
const COMMON_WORDS: &[&str] = &[
    "the", "of", "and", "to", "a", "in", "is", "that", "for", "it", "was", "on", "with", "as", "he", "be", "at", "by",
    "this", "are", "from", "or", "had", "his", "not", "but", "they", "have", "you", "which", "one", "we", "her", "all",
    "she", "there", "would", "their", "were", "been", "has", "when", "who", "will", "more", "no", "if", "out", "so",
    "said", "what", "up", "its", "about", "into", "than", "them", "can", "only", "other", "new", "some", "could",
    "time", "these", "two", "may", "then", "do", "first", "any", "my", "now", "such", "like", "our", "over", "man",
    "me", "even", "most", "made", "after", "also", "did", "many", "before", "must", "through", "back", "years",
    "where", "much", "your", "way", "well", "down", "should", "because", "each", "just", "those", "people", "how",
    "too", "little", "state", "good", "very", "make", "world", "still", "own", "see", "men", "work", "long", "get",
    "here", "between", "both", "life", "being", "under", "never", "day", "same", "another", "know", "while", "last",
    "might", "us", "great", "old", "year", "off", "come", "since", "against", "go", "came", "right", "used", "take",
    "three",
];

/// Parts of syllables; what is common stands here more than once.
const ONSETS: &[&str] = &[
    "b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "w", "b", "c", "d", "f", "l", "m", "n", "p",
    "r", "s", "t", "br", "ch", "cl", "dr", "fl", "gr", "j", "pl", "pr", "qu", "sh", "st", "th", "tr", "",
];
const VOWELS: &[&str] = &["a", "e", "i", "o", "u", "a", "e", "i", "o", "e", "a", "ea", "ou", "ai", "ee", "y"];
const CODAS: &[&str] =
    &["", "", "", "", "", "", "", "", "", "n", "r", "l", "t", "s", "m", "d", "n", "r", "nd", "st", "ck", "nt"];
const ENDINGS: &[&str] = &["s", "ed", "ing", "er", "ly", "tion", "ness", "al", "ment", "able", "ist", "ous"];
const GIVEN_NAMES: &[&str] =
    &["Anna", "Peter", "Maria", "John", "Ruth", "Samuel", "Clara", "David", "Helen", "Martin", "Nora", "Thomas"];
const ACCENTED_NAMES: &[&str] =
    &["José", "Zoë", "Łukasz", "Søren", "François", "Müller", "Renée", "Nguyễn", "Björk", "Dvořák", "Çelik", "Núñez"];

/// A stream of random numbers: splitmix64, whose every seed is a good one.
pub(crate) struct Rng(u64);

impl Rng {
    /// The stream that belongs to a path of numbers under a seed, such as `[page, line]`.
    ///
    /// Any part of the corpus can be made again without what stands before it.
    pub(crate) fn at(seed: u64, path: &[u64]) -> Self {
        let start = path.iter().fold(seed, |state, &step| Rng(state ^ step.wrapping_mul(0xA24B_AED4_963E_E407)).draw());
        Self(start)
    }

    /// The next 64 bits.
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, all equally likely; 0 if there is none.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        let high_bits = (u128::from(self.draw()) * u128::from(limit)) >> 64;
        u64::try_from(high_bits).expect("the upper half of a 128-bit product fits 64 bits")
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// A place in a list of `len` entries.
    pub(crate) fn place(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("a place in a list fits a usize")
    }

    /// One of `choices`, which is not empty.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.place(choices.len())]
    }

    /// A place in a list of `len` entries, by Zipf's law: the n-th is about 1/n as likely as the first.
    ///
    /// Every octave of ranks (1, 2-3, 4-7, ...) is equally likely, and all ranks inside one are.
    pub(crate) fn zipf(&mut self, len: usize) -> usize {
        let n_octaves = u64::from(len.max(1).ilog2()) + 1;
        loop {
            let octave_start = 1 << self.below(n_octaves);
            let rank = octave_start + self.place(octave_start);
            if rank <= len {
                return rank - 1;
            }
        }
    }
}

/// Whether a line uses typographic marks and accented names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marks {
    /// ASCII only.
    Plain,
    /// Curly quotes, long dashes, accents.
    Typographic,
}

impl Marks {
    /// Draws the marks of one line, of which one in `n` is typographic.
    pub(crate) fn one_in(n: u64, rng: &mut Rng) -> Self {
        if rng.one_in(n) { Self::Typographic } else { Self::Plain }
    }
}

/// The words of the corpus, the same for every seed, most frequent first.
pub(crate) struct Vocabulary {
    /// All words after one another: one allocation that the cache holds.
    letters: String,
    /// Where each word ends in `letters`.
    ends: Vec<usize>,
}

impl Vocabulary {
    /// As many as 16 full octaves hold.
    const N_WORDS: usize = 65_535;

    /// Makes up the words.
    pub(crate) fn new() -> Self {
        let mut rng = Rng::at(0, &[]);
        let mut letters = String::new();
        let mut ends = Vec::with_capacity(Self::N_WORDS);
        for common in COMMON_WORDS {
            letters.push_str(common);
            ends.push(letters.len());
        }
        while ends.len() < Self::N_WORDS {
            // Frequent words are short in every language.
            let (fewest, most) = if ends.len() < 2_000 { (1, 2) } else { (1, 3) };
            for _ in 0..rng.between(fewest, most) {
                letters.push_str(rng.pick(ONSETS));
                letters.push_str(rng.pick(VOWELS));
                letters.push_str(rng.pick(CODAS));
            }
            if rng.one_in(4) {
                letters.push_str(rng.pick(ENDINGS));
            }
            ends.push(letters.len());
        }
        Self { letters, ends }
    }

    /// Appends a sentence of 6 to 28 words with its capital and its full stop.
    pub(crate) fn sentence(&self, marks: Marks, rng: &mut Rng, out: &mut String) {
        let n_words = 6 + rng.below(12) + rng.below(12);
        self.capitalised(rng, out);
        for _ in 1..n_words {
            match rng.below(128) {
                0..=10 => {
                    out.push_str(", ");
                    self.word(rng, out);
                }
                11 => {
                    out.push(' ');
                    self.name(marks, rng, out);
                }
                12 => out.push_str(&format!(" {}", rng.between(2, 2030))),
                13 => self.quotation(marks, rng, out),
                14 if marks == Marks::Typographic => out.push_str(" — "),
                15 => {
                    out.push(' ');
                    self.word(rng, out);
                    out.push_str(if marks == Marks::Typographic { "’s" } else { "'s" });
                }
                _ => {
                    out.push(' ');
                    self.word(rng, out);
                }
            }
        }
        out.push(match rng.below(24) {
            0 => '?',
            1 => '!',
            _ => '.',
        });
    }

    /// Appends a paragraph: most have 1 to 12 sentences, a few run on without a break.
    pub(crate) fn paragraph(&self, rng: &mut Rng, out: &mut String) {
        let marks = Marks::one_in(8, rng);
        let n_usual = rng.between(1, 4) * rng.between(1, 3);
        let n_sentences = if rng.one_in(40) { n_usual * 5 } else { n_usual };
        for sentence_idx in 0..n_sentences {
            if sentence_idx > 0 {
                out.push(' ');
            }
            self.sentence(marks, rng, out);
        }
    }

    /// Appends `n_words` words of a headline, with a capital and no full stop.
    pub(crate) fn headline(&self, n_words: u64, rng: &mut Rng, out: &mut String) {
        self.capitalised(rng, out);
        for _ in 1..n_words {
            out.push(' ');
            if rng.one_in(3) {
                self.rare_capitalised(rng, out);
            } else {
                self.word(rng, out);
            }
        }
    }

    /// Appends a given name and a family name.
    pub(crate) fn name(&self, marks: Marks, rng: &mut Rng, out: &mut String) {
        out.push_str(match marks {
            Marks::Plain => rng.pick(GIVEN_NAMES),
            Marks::Typographic => rng.pick(ACCENTED_NAMES),
        });
        out.push(' ');
        self.rare_capitalised(rng, out);
    }

    /// A word that is not one of the common ones, as site names and labels are made of.
    pub(crate) fn rare(&self, rng: &mut Rng) -> &str {
        self.at(COMMON_WORDS.len() + rng.place(8_000))
    }

    /// Appends a rare word with a capital.
    pub(crate) fn rare_capitalised(&self, rng: &mut Rng, out: &mut String) {
        push_capitalised(self.rare(rng), out);
    }

    fn at(&self, word_idx: usize) -> &str {
        let start = word_idx.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.letters[start..self.ends[word_idx]]
    }

    fn word(&self, rng: &mut Rng, out: &mut String) {
        out.push_str(self.at(rng.zipf(Self::N_WORDS)));
    }

    fn capitalised(&self, rng: &mut Rng, out: &mut String) {
        push_capitalised(self.at(rng.zipf(Self::N_WORDS)), out);
    }

    fn quotation(&self, marks: Marks, rng: &mut Rng, out: &mut String) {
        let (open, close) = match marks {
            Marks::Plain => (" \"", "\""),
            Marks::Typographic => (" “", "”"),
        };
        out.push_str(open);
        self.word(rng, out);
        out.push(' ');
        self.word(rng, out);
        out.push_str(close);
    }
}

fn push_capitalised(word: &str, out: &mut String) {
    let mut letters = word.chars();
    out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
    out.push_str(letters.as_str());
}
