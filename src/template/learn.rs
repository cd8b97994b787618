//! What is chrome of a site, given the facts of its pages.

use super::apply::{between_edges, runs};
use super::{Entry, FEW, GUARD, Line, OFTEN, Places, SiteTemplates, least};
use hashbrown::HashMap;

/// So many pages make a kind of page with chrome of its own, whatever their share.
const KIND: u32 = 10;
/// Copies of one text are looked for among up to so many pages.
const NEAR: usize = 64;

/// What is known of a line on all pages.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// The pages that have it, and the last of them.
    documents: u32,
    last: u32,
    copies: u32,
    /// The pages on which an edge or a block reaches it, and the last of them.
    reached: [u32; 3],
    reached_last: [u32; 3],
}

const HEAD: usize = 0;
const TAIL: usize = 1;
const MID: usize = 2;

/// The number of all lines that stand once.
const ONCE: u32 = 0;

/// What a line may be.
#[derive(Clone, Copy, Debug, Default)]
struct Role {
    /// On so large a share of the pages that an edge may be made of it, or a line of a kind of page.
    is_wanted: bool,
    is_often: bool,
    /// It may be in a block in mid-page.
    is_in_block: bool,
    /// On enough pages for a kind of page; on no large share of all.
    is_few: bool,
}

/// Learns from the facts of different documents, in the order of their identities.
pub(crate) fn learn(documents: &[&[Line]]) -> SiteTemplates {
    let groups = if documents.len() <= NEAR {
        same_text(documents)
    } else {
        (0..documents.len()).map(|one| vec![one]).collect()
    };
    let n_groups = groups.len();
    if n_groups < 2 {
        return SiteTemplates::new(number(n_groups), []);
    }
    let mut pages = Pages::of(documents, groups);
    let mut roles = pages.roles();
    if n_groups < FEW {
        pages.keep_text(&mut roles);
    }
    let pairs = pages.pairs(&roles);
    pages.add_kinds(&pairs, &mut roles);
    pages.reach(&pairs, &roles);
    SiteTemplates::new(number(n_groups), pages.found(&roles))
}

/// The pages of a site, with their lines numbered.
struct Pages<'p> {
    documents: &'p [&'p [Line]],
    groups: Vec<Vec<usize>>,
    /// The lines by number.
    lines: Vec<Line>,
    counts: Vec<Count>,
    /// The numbers of the lines of each document.
    numbers: Vec<Vec<u32>>,
}

/// For pairs of lines, by number: on how many pages the second follows the first, and the last of these pages.
type Pairs = HashMap<(u32, u32), (u32, u32)>;

impl<'p> Pages<'p> {
    fn of(documents: &'p [&'p [Line]], groups: Vec<Vec<usize>>) -> Self {
        let seen = SeenTwice::of(documents);
        let mut by_line: HashMap<Line, u32> = HashMap::new();
        // The lines that stand once have one number, of a line that no document has.
        let (mut lines, mut counts) = (vec![Line::NONE], vec![Count::default()]);
        let mut numbers = vec![Vec::new(); documents.len()];
        for (group, of_group) in (1..).zip(&groups) {
            for (member, &document) in of_group.iter().enumerate() {
                numbers[document].reserve_exact(documents[document].len());
                for &line in documents[document] {
                    if line == Line::NONE || !seen.maybe(line) {
                        numbers[document].push(ONCE);
                        continue;
                    }
                    let next = number(lines.len());
                    let line_number = *by_line.entry(line).or_insert(next);
                    if line_number == next {
                        lines.push(line);
                        counts.push(Count::default());
                    }
                    numbers[document].push(line_number);
                    let count = &mut counts[line_number as usize];
                    count.documents += u32::from(std::mem::replace(&mut count.last, group) != group);
                    count.copies = count.copies.saturating_add(u32::from(member == 0));
                }
            }
        }
        Pages { documents, groups, lines, counts, numbers }
    }

    /// What lines are on a large share of the pages, and what lines are on enough of them for a kind.
    fn roles(&self) -> Vec<Role> {
        let n_groups = number(self.groups.len());
        let is_few_pages = self.groups.len() < FEW;
        let role = |(line, count): (&Line, &Count)| {
            let is_common = count.documents >= 2 && 2 * count.documents >= n_groups;
            let is_often = count.copies > OFTEN.saturating_mul(count.documents);
            let is_on_enough = !is_few_pages || 5 * count.documents >= 4 * n_groups;
            Role {
                is_wanted: is_common,
                is_often,
                is_in_block: is_common && !is_often && is_on_enough,
                is_few: n_groups >= KIND && count.documents >= KIND && !is_common && !is_often && !line.is_code(),
            }
        };
        self.lines.iter().zip(&self.counts).map(role).collect()
    }

    /// Of few pages, what looks like text is a template only if half of its pages have as much text of their own. Else it is what these pages are about, and
    /// their first copy is not to go. A label with numbers is none: they may be what each of the pages says.
    fn keep_text(&self, roles: &mut [Role]) {
        // For each line, on how many pages there is as much that is their own, and the last of them.
        let mut beside_own = vec![(0_u32, 0_u32); roles.len()];
        for (group, of_group) in (1..).zip(&self.groups) {
            for &document in of_group {
                let text = self.numbers[document].iter().zip(self.documents[document]);
                let text = text.filter(|(_, line)| line.is_text()).map(|(number, _)| *number as usize);
                let n_shared = text.clone().filter(|number| roles[*number].is_wanted).count();
                if text.clone().count() >= 2 * n_shared {
                    for number in text {
                        let (pages, last) = &mut beside_own[number];
                        *pages += u32::from(std::mem::replace(last, group) != group);
                    }
                }
            }
        }
        for ((role, line), (count, (pages, _))) in
            roles.iter_mut().zip(&self.lines).zip(self.counts.iter().zip(beside_own))
        {
            let is_theirs = line.is_text() && 2 * pages < count.documents || line.is_numbered();
            role.is_wanted &= !is_theirs;
            role.is_in_block &= !is_theirs;
        }
    }

    /// Counts the pairs that are asked for later.
    fn pairs(&self, roles: &[Role]) -> Pairs {
        let mut pairs = Pairs::new();
        for (group, of_group) in (1..).zip(&self.groups) {
            for &document in of_group {
                for pair in self.numbers[document].windows(2) {
                    let (first, second) = (pair[0], pair[1]);
                    let (role, next) = (roles[first as usize], roles[second as usize]);
                    let is_slot =
                        next.is_few && self.is_twice(first, second) || role.is_few && self.is_twice(second, first);
                    if is_slot || role.is_in_block && next.is_in_block {
                        let (documents, last) = pairs.entry((first, second)).or_default();
                        *documents += u32::from(std::mem::replace(last, group) != group);
                    }
                }
            }
        }
        pairs
    }

    /// Whether a line is on twice as many pages as another.
    fn is_twice(&self, line: u32, other: u32) -> bool {
        self.counts[line as usize].documents >= 2 * self.counts[other as usize].documents
    }

    /// Makes wanted what a kind of page has. What fills the slot between two lines that more pages have (names in a footer)
    /// varies, and is not of a kind.
    fn add_kinds(&self, pairs: &Pairs, roles: &mut [Role]) {
        let (mut follows, mut precedes) = (vec![false; roles.len()], vec![false; roles.len()]);
        for (&(first, second), &(documents, _)) in pairs {
            let is_half_of = |line: u32| 2 * documents >= self.counts[line as usize].documents;
            if roles[second as usize].is_few && self.is_twice(first, second) && is_half_of(second) {
                follows[second as usize] = true;
            }
            if roles[first as usize].is_few && self.is_twice(second, first) && is_half_of(first) {
                precedes[first as usize] = true;
            }
        }
        for (role, is_slot) in
            roles.iter_mut().zip(follows.iter().zip(&precedes).map(|(follows, precedes)| *follows && *precedes))
        {
            role.is_wanted |= role.is_few && !is_slot;
        }
    }

    /// Counts on how many pages each line is reached from an edge, or in a block.
    fn reach(&mut self, pairs: &Pairs, roles: &[Role]) {
        let Pages { documents, groups, counts, numbers, .. } = self;
        let n_least = least(groups.len());
        let go_together = |first: u32, second: u32, counts: &[Count]| {
            let together = pairs.get(&(first, second)).map_or(0, |(documents, _)| *documents);
            2 * together >= counts[first as usize].documents.max(counts[second as usize].documents)
        };
        for (group, of_group) in (1..).zip(groups.iter()) {
            for &document in of_group {
                let (lines, own) = (documents[document], &numbers[document]);
                let role = |rank: usize| roles[own[rank] as usize];
                let is_wanted = |rank: usize| role(rank).is_wanted;
                let edges = between_edges(lines, is_wanted, is_wanted, |rank| role(rank).is_often);
                let together = |first: usize, second: usize| go_together(own[first], own[second], counts);
                let blocks: Vec<_> =
                    runs(lines, |rank| role(rank).is_in_block, together).filter(|run| run.len() >= n_least).collect();
                let reached = [(HEAD, 0..edges.start), (TAIL, edges.end..lines.len())].into_iter();
                for (place, ranks) in reached.chain(blocks.into_iter().map(|block| (MID, block))) {
                    for line in &own[ranks] {
                        let count = &mut counts[*line as usize];
                        let is_new = std::mem::replace(&mut count.reached_last[place], group) != group;
                        count.reached[place] += u32::from(is_new);
                    }
                }
            }
        }
    }

    /// The wanted lines that are reached on half of their pages.
    fn found(&self, roles: &[Role]) -> Vec<(Line, Entry)> {
        let mut found = Vec::new();
        for ((line, count), role) in self.lines.iter().zip(&self.counts).zip(roles) {
            let is_half = |reached: u32| 2 * reached >= count.documents;
            let [head, tail, mid] = count.reached.map(is_half);
            let at_either = !head && !tail && is_half(count.reached[HEAD] + count.reached[TAIL]);
            let place = Places { head: head || at_either, tail: tail || at_either, mid };
            if role.is_wanted && place != Places::default() {
                found.push((*line, Entry { place, documents: count.documents, copies: count.copies }));
            }
        }
        found
    }
}

/// Tells most lines that stand once from those that stand twice, in two bits for each: most lines stand once, are no
/// template, and need no place in a table.
struct SeenTwice {
    once: Vec<u64>,
    twice: Vec<u64>,
    shift: u32,
}

impl SeenTwice {
    fn of(documents: &[&[Line]]) -> Self {
        let n_lines: usize = documents.iter().map(|lines| lines.len()).sum();
        // Eight bits a line, so that one in eight of those that stand once passes for one that stands twice.
        let n_bits = (n_lines * 8).next_power_of_two().max(64);
        let n_words = n_bits / 64;
        let mut seen =
            SeenTwice { once: vec![0; n_words], twice: vec![0; n_words], shift: 64 - n_bits.trailing_zeros() };
        for line in documents.iter().flat_map(|lines| lines.iter()) {
            let (word, bit) = seen.bit(*line);
            seen.twice[word] |= seen.once[word] & bit;
            seen.once[word] |= bit;
        }
        seen
    }

    fn maybe(&self, line: Line) -> bool {
        let (word, bit) = self.bit(line);
        self.twice[word] & bit != 0
    }

    fn bit(&self, line: Line) -> (usize, u64) {
        // The highest bits of a key are those of a hash.
        let at = usize::try_from(u64::from_le_bytes(line.to_bytes()) >> self.shift).unwrap_or(0);
        (at / 64, 1 << (at % 64))
    }
}

/// Groups of pages that are copies of one text: they have at least three lines of prose in common, and nine tenths of all
/// that either has.
fn same_text(documents: &[&[Line]]) -> Vec<Vec<usize>> {
    let prose: Vec<Vec<Line>> = documents
        .iter()
        .map(|lines| {
            let mut prose: Vec<Line> = lines.iter().copied().filter(|line| line.is_prose()).collect();
            prose.sort_unstable();
            prose.dedup();
            prose
        })
        .collect();
    let mut owner: Vec<usize> = (0..documents.len()).collect();
    for one in 0..documents.len() {
        for other in 0..one {
            let n_both = n_common(&prose[one], &prose[other]);
            let n_either = prose[one].len() + prose[other].len() - n_both;
            if n_both >= GUARD && 10 * n_both >= 9 * n_either {
                let (first, second) = (root(&owner, one), root(&owner, other));
                owner[first.max(second)] = first.min(second);
            }
        }
    }
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); documents.len()];
    for document in 0..documents.len() {
        groups[root(&owner, document)].push(document);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

fn root(owner: &[usize], mut document: usize) -> usize {
    while owner[document] != document {
        document = owner[document];
    }
    document
}

/// How many elements two sorted lists have in common.
fn n_common(one: &[Line], other: &[Line]) -> usize {
    let (mut at, mut n_both) = (0, 0);
    for line in one {
        while other.get(at).is_some_and(|smaller| smaller < line) {
            at += 1;
        }
        n_both += usize::from(other.get(at) == Some(line));
    }
    n_both
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("at most 16,384 documents of lines that are numbered with 32 bits are looked at")
}
