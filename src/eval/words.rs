//! Words, as the measures count them.

use hashbrown::HashMap;
use unicode_normalization::char::is_combining_mark;

/// The words of a text: lower-cased, without soft hyphens, and cut into runs of letters and numbers; where scripts write no
/// spaces (Han, kana, Thai) each character is a word. A run that has begun goes on through such characters, as in `"5月"`.
///
/// It is the tokenisation that bag-of-words measures of content extraction commonly use (`[^\W_]+` in Python), with its
/// view of what a letter is: combining marks and circled letters are none.
///
/// ```
/// use dehusk::eval::words;
///
/// assert_eq!(words("It's well\u{ad}known: ÉTÉ_2024!"), ["it", "s", "wellknown", "été", "2024"]);
/// assert_eq!(words("船は5月に"), ["船", "は", "5月に"]);
/// ```
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    each_word(text, |word| words.push(word.to_owned()));
    words
}

fn each_word(text: &str, mut tell: impl FnMut(&str)) {
    let mut lowered = text.to_lowercase();
    if lowered.contains('\u{ad}') {
        lowered = lowered.replace('\u{ad}', "");
    }
    let mut run: Option<usize> = None;
    for (at, character) in lowered.char_indices() {
        let is_letter = is_letter(character);
        if let Some(start) = run.take_if(|_| !is_letter) {
            tell(&lowered[start..at]);
        }
        if run.is_none() {
            if stands_alone(character) {
                tell(&lowered[at..at + character.len_utf8()]);
            } else if is_letter {
                run = Some(at);
            }
        }
    }
    if let Some(start) = run {
        tell(&lowered[start..]);
    }
}

fn stands_alone(character: char) -> bool {
    matches!(character, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{e00}'..='\u{e7f}')
}

/// Whether a character is a letter or a number by its general category. The standard library also takes what Unicode calls
/// alphabetic by other reasons: vowel signs, which are marks, and circled letters, which are symbols.
fn is_letter(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric();
    }
    let is_circled = matches!(character, '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f149}'
        | '\u{1f150}'..='\u{1f169}' | '\u{1f170}'..='\u{1f189}');
    character.is_alphanumeric() && !is_circled && !is_combining_mark(character)
}

/// A line as its words, and what stands for all of them in comparisons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) words: Vec<u32>,
    pub(super) key: u32,
}

/// Numbers for the words and lines of a page, so that comparing them is cheap.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    words: HashMap<String, u32>,
    lines: HashMap<Vec<u32>, u32>,
}

impl Lexicon {
    /// The lines of a text, cut at newlines.
    pub(super) fn lines(&mut self, text: &str) -> Vec<Line> {
        text.split('\n').map(|line| self.line(line)).collect()
    }

    /// The words of a text.
    pub(super) fn words(&mut self, text: &str) -> Vec<u32> {
        let mut words = Vec::new();
        each_word(text, |word| {
            let next = number(self.words.len());
            let known = self.words.get(word).copied();
            words.push(known.unwrap_or_else(|| *self.words.entry(word.to_owned()).or_insert(next)));
        });
        words
    }

    fn line(&mut self, line: &str) -> Line {
        let words = self.words(line);
        let next = number(self.lines.len());
        let known = self.lines.get(&words).copied();
        let key = known.unwrap_or_else(|| *self.lines.entry(words.clone()).or_insert(next));
        Line { words, key }
    }

    /// How many different words there are.
    pub(super) fn n_words(&self) -> usize {
        self.words.len()
    }
}

fn number(known: usize) -> u32 {
    u32::try_from(known).expect("a page has less than 2^32 different words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_and_numbers() {
        for (text, expected) in [
            ("", &[][..]),
            (" -- … | _ ·\n", &[]),
            ("Read more", &["read", "more"]),
            ("snake_case l'été 3.14", &["snake", "case", "l", "été", "3", "14"]),
            ("ΟΔΟΣ", &["οδος"]),
            ("İ", &["i"]),
            ("e\u{301}t", &["e", "t"]),
            ("हिन्दी", &["ह", "न", "द"]),
            ("ⓐb ½ Ⅷ", &["b", "½", "ⅷ"]),
            ("กำ・カ", &["ก", "ำ", "・", "カ"]),
            ("中文abc中文", &["中", "文", "abc中文"]),
            ("한국어 뉴스", &["한국어", "뉴스"]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn lines_of_the_same_words_have_one_key() {
        let mut lexicon = Lexicon::default();
        let lines = lexicon.lines("Read more\n* READ more…\n\nmore\n—");
        let keys: Vec<u32> = lines.iter().map(|line| line.key).collect();
        assert_eq!(keys, [0, 0, 1, 2, 1]);
        assert_eq!((lexicon.n_words(), &lines[3].words), (2, &vec![1]));
    }
}
