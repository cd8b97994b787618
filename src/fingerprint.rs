//! Fingerprints of folded blocks: 128 bits of BLAKE3, many blocks at a time.
//!
//! The fingerprint of a block is the first 16 bytes of BLAKE3 over the folded block padded with zero bytes to a multiple
//! of 64. The padding is what lets blocks of like length go through BLAKE3's many-input kernel side by side, one in each
//! lane of a vector; hashed one by one, short inputs are bound by the latency of the compression function.
//!
//! ```text
//! folded blocks   "home"       "share this"      "the ship left at dawn ... (90 bytes)"
//! in the arena    [home0…0]    [share this0…0]   [the ship left …      0…0]
//! queues          1 block: 0, 1                  2 blocks: 2          … up to 16 blocks (1 KiB)
//! ```

/// The fingerprint of a folded block: equal for equal blocks, and for no others that anybody will ever find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The fingerprint of one folded block.
    ///
    /// ```
    /// use dehusk::fingerprint::Fingerprint;
    ///
    /// let mut padded = [0; 64];
    /// padded[..4].copy_from_slice(b"home");
    /// assert_eq!(Fingerprint::of(b"home").as_bytes(), &blake3::hash(&padded).as_bytes()[..16]);
    /// ```
    pub fn of(folded: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(folded);
        hasher.update(&[0; BLOCK][..padding(folded.len())]);
        Self::first_half(hasher.finalize().as_bytes())
    }

    /// The fingerprint of a whole document, given those of its blocks: never that of a block.
    pub fn of_document(blocks: impl Iterator<Item = Fingerprint>) -> Self {
        let mut bytes = Vec::new();
        spell_document(blocks, &mut bytes);
        Self::of(&bytes)
    }

    /// The fingerprint of a scope, given its name, for use with [`within`](Fingerprint::within).
    pub fn of_scope(name: &[u8]) -> Self {
        Self::first_half(blake3::keyed_hash(b"dehusk: a scope of its repeats  ", name).as_bytes())
    }

    /// The fingerprint of what a document is known by: never that of a block.
    pub(crate) fn of_id(id: &[u8]) -> Self {
        Self::first_half(blake3::keyed_hash(b"dehusk: the id of a document    ", id).as_bytes())
    }

    /// The fingerprint of the same block where only repeats within `scope` count.
    pub fn within(self, scope: Fingerprint) -> Self {
        Fingerprint((u128::from_le_bytes(self.0) ^ u128::from_le_bytes(scope.0)).to_le_bytes())
    }

    /// The fingerprint with these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Fingerprint(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    fn first_half(hash: &[u8]) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&hash[..16]);
        Fingerprint(half)
    }
}

/// The input block of BLAKE3, in bytes.
const BLOCK: usize = 64;
/// Inputs up to one chunk of BLAKE3 have a queue each for their number of blocks.
const QUEUES: usize = 16;
/// How many folded bytes are gathered before they are hashed. What fits the second-level cache is best.
const ARENA: usize = 256 * 1024;

/// Hashes folded blocks in batches of like length.
///
/// Blocks are folded straight into its arena with [`begin`](Fingerprinter::begin) and [`end`](Fingerprinter::end), and
/// their fingerprints stand in the caller's list once [`flush`](Fingerprinter::flush) was called.
#[derive(Debug, Default)]
pub struct Fingerprinter {
    arena: Vec<u8>,
    start: usize,
    queues: [Vec<Queued>; QUEUES],
}

#[derive(Clone, Copy, Debug)]
struct Queued {
    arena_start: usize,
    slot: usize,
}

impl Fingerprinter {
    /// Where to append the next folded block; nothing else in the buffer may be changed.
    pub fn begin(&mut self) -> &mut Vec<u8> {
        self.start = self.arena.len();
        &mut self.arena
    }

    /// The folded block that was appended since [`begin`](Fingerprinter::begin).
    pub fn folded(&self) -> &[u8] {
        &self.arena[self.start..]
    }

    /// Forgets the block that was appended since [`begin`](Fingerprinter::begin).
    pub fn discard(&mut self) {
        self.arena.truncate(self.start);
    }

    /// Puts the block that was appended since [`begin`](Fingerprinter::begin) in line: its fingerprint is to be
    /// `fingerprints[slot]`. The list must be that long.
    pub fn end(&mut self, slot: usize, fingerprints: &mut [Fingerprint]) {
        let length = self.arena.len() - self.start;
        self.arena.resize(self.arena.len() + padding(length), 0);
        if length > QUEUES * BLOCK {
            // Several chunks, which fill the lanes by themselves.
            fingerprints[slot] = Fingerprint::first_half(blake3::hash(&self.arena[self.start..]).as_bytes());
            self.discard();
            return;
        }
        // An empty block is one of zero blocks, which hashes as BLAKE3 of nothing.
        match (length + padding(length)) / BLOCK {
            0 => fingerprints[slot] = Fingerprint::of(b""),
            n_blocks => self.queues[n_blocks - 1].push(Queued { arena_start: self.start, slot }),
        }
        self.start = self.arena.len();
        if self.arena.len() >= ARENA {
            self.flush(fingerprints);
        }
    }

    /// Puts a whole document in line, given the fingerprints of its blocks; else as [`end`](Fingerprinter::end).
    pub fn end_document(
        &mut self,
        blocks: impl Iterator<Item = Fingerprint>,
        slot: usize,
        fingerprints: &mut [Fingerprint],
    ) {
        spell_document(blocks, self.begin());
        self.end(slot, fingerprints);
    }

    /// Hashes all that is in line.
    pub fn flush(&mut self, fingerprints: &mut [Fingerprint]) {
        let Fingerprinter { arena, queues, .. } = self;
        let [q1, q2, q3, q4, q5, q6, q7, q8, q9, q10, q11, q12, q13, q14, q15, q16] = queues;
        let platform = blake3::platform::Platform::detect();
        drain::<64>(platform, arena, q1, fingerprints);
        drain::<128>(platform, arena, q2, fingerprints);
        drain::<192>(platform, arena, q3, fingerprints);
        drain::<256>(platform, arena, q4, fingerprints);
        drain::<320>(platform, arena, q5, fingerprints);
        drain::<384>(platform, arena, q6, fingerprints);
        drain::<448>(platform, arena, q7, fingerprints);
        drain::<512>(platform, arena, q8, fingerprints);
        drain::<576>(platform, arena, q9, fingerprints);
        drain::<640>(platform, arena, q10, fingerprints);
        drain::<704>(platform, arena, q11, fingerprints);
        drain::<768>(platform, arena, q12, fingerprints);
        drain::<832>(platform, arena, q13, fingerprints);
        drain::<896>(platform, arena, q14, fingerprints);
        drain::<960>(platform, arena, q15, fingerprints);
        drain::<1024>(platform, arena, q16, fingerprints);
        self.arena.clear();
        self.start = 0;
    }
}

/// Appends what is hashed of a document: its blocks' fingerprints and, after the padding, zero bytes as they end no folded
/// block, so that a document and a block never have the same bytes.
fn spell_document(blocks: impl Iterator<Item = Fingerprint>, bytes: &mut Vec<u8>) {
    let start = bytes.len();
    blocks.for_each(|block| bytes.extend_from_slice(&block.0));
    let length = bytes.len() - start;
    bytes.resize(bytes.len() + padding(length) + BLOCK, 0);
}

/// How many zero bytes a folded block of `length` bytes is padded with.
fn padding(length: usize) -> usize {
    length.next_multiple_of(BLOCK) - length
}

/// The most lanes that any platform of BLAKE3 has.
const LANES: usize = 16;

/// BLAKE3's initial chaining value and the flags of an input that is one whole chunk, from its specification.
const IV: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
const CHUNK_START: u8 = 1 << 0;
const CHUNK_END: u8 = 1 << 1;
const ROOT: u8 = 1 << 3;

fn drain<const N: usize>(
    platform: blake3::platform::Platform,
    arena: &[u8],
    queue: &mut Vec<Queued>,
    fingerprints: &mut [Fingerprint],
) {
    let mut hashes = [0; LANES * blake3::OUT_LEN];
    for batch in queue.chunks(LANES) {
        let mut inputs = [const { &[0; N] }; LANES];
        for (input, queued) in inputs.iter_mut().zip(batch) {
            let bytes = &arena[queued.arena_start..][..N];
            *input = bytes.try_into().expect("a slice of N bytes is an array of N bytes");
        }
        platform.hash_many(
            &inputs[..batch.len()],
            &IV,
            0,
            blake3::IncrementCounter::No,
            0,
            CHUNK_START,
            CHUNK_END | ROOT,
            &mut hashes,
        );
        for (hash, queued) in hashes.chunks_exact(blake3::OUT_LEN).zip(batch) {
            fingerprints[queued.slot] = Fingerprint::first_half(hash);
        }
    }
    queue.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_agree_with_the_plain_hash() {
        let blocks: Vec<Fingerprint> = (0..200_u8).map(|value| Fingerprint::of(&[value + 1])).collect();
        let mut fingerprints = vec![Fingerprint::default(); blocks.len()];
        let mut fingerprinter = Fingerprinter::default();
        for n_blocks in 0..blocks.len() {
            fingerprinter.end_document(blocks[..n_blocks].iter().copied(), n_blocks, &mut fingerprints);
        }
        fingerprinter.flush(&mut fingerprints);
        for (n_blocks, fingerprint) in fingerprints.iter().enumerate() {
            assert_eq!(*fingerprint, Fingerprint::of_document(blocks[..n_blocks].iter().copied()), "{n_blocks} blocks");
        }
    }

    #[test]
    fn batches_agree_with_the_plain_hash() {
        let text: Vec<u8> = (0..3000_u32).map(|value| (value % 251) as u8 + 1).collect();
        let lengths: Vec<usize> = (0..1100).chain([1500, 2048, 3000]).collect();
        let mut fingerprints = vec![Fingerprint::default(); lengths.len()];
        let mut fingerprinter = Fingerprinter::default();
        for (slot, &length) in lengths.iter().enumerate() {
            fingerprinter.begin().extend_from_slice(&text[..length]);
            fingerprinter.end(slot, &mut fingerprints);
        }
        fingerprinter.flush(&mut fingerprints);
        for (fingerprint, &length) in fingerprints.iter().zip(&lengths) {
            let mut padded = text[..length].to_vec();
            padded.resize(length.next_multiple_of(64), 0);
            assert_eq!(fingerprint.as_bytes(), &blake3::hash(&padded).as_bytes()[..16], "length {length}");
        }
    }
}
