//! What every index does, in memory or on disk.

use super::{Claim, assert_is, claim, fingerprint, model, owner};
use dehusk::index::{Claims, Known, MemoryIndex, Owner};
use dehusk::{Index, IndexReader};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use tempfile::TempDir;

const N_KEYS: u32 = 600;

/// An index, and what must be done with it now and then.
trait Kept: Claims {
    /// Commits it, and opens it anew where that can be done.
    fn reopened(self: Box<Self>) -> Box<dyn Kept>;
}

impl Kept for MemoryIndex {
    fn reopened(self: Box<Self>) -> Box<dyn Kept> {
        self
    }
}

/// An index on disk of which tables are full, and runs merged, again and again.
struct OnDisk {
    index: Index,
    folder: TempDir,
    table_records: usize,
}

impl OnDisk {
    fn open(folder: TempDir, table_records: usize) -> Box<dyn Kept> {
        let index = Index::options().table_records(table_records).open(folder.path()).expect("it can be opened");
        Box::new(OnDisk { index, folder, table_records })
    }
}

impl Known for OnDisk {
    fn owners(
        &self,
        fingerprints: &[dehusk::fingerprint::Fingerprint],
        owners: &mut Vec<Option<dehusk::index::Owner>>,
    ) -> dehusk::Result<()> {
        self.index.owners(fingerprints, owners)
    }

    fn len(&self) -> usize {
        self.index.len()
    }
}

impl Claims for OnDisk {
    fn claim(
        &self,
        batch: &[(dehusk::fingerprint::Fingerprint, dehusk::index::Owner)],
        owners: &mut Vec<dehusk::index::Owner>,
    ) -> dehusk::Result<()> {
        self.index.claim(batch, owners)?;
        self.index.commit()
    }
}

impl Kept for OnDisk {
    fn reopened(self: Box<Self>) -> Box<dyn Kept> {
        let OnDisk { index, folder, table_records } = *self;
        let n_keys = index.len();
        drop(index);
        let reader = IndexReader::open(folder.path()).expect("it can be read");
        assert_eq!(reader.len(), n_keys);
        OnDisk::open(folder, table_records)
    }
}

/// All indexes, by name.
fn indexes() -> Vec<(&'static str, Box<dyn Kept>)> {
    let folder = || tempfile::tempdir().expect("a folder can be made");
    vec![
        ("in memory", Box::new(MemoryIndex::default())),
        ("in memory, small", Box::new(MemoryIndex::small())),
        ("on disk, in tables of one", OnDisk::open(folder(), 1)),
        ("on disk, in tables of 40", OnDisk::open(folder(), 40)),
        ("on disk, in one table", OnDisk::open(folder(), 1 << 20)),
    ]
}

fn claims() -> impl Strategy<Value = Vec<Claim>> {
    let keys = prop_oneof![0..8_u32, 0..N_KEYS];
    prop::collection::vec((keys, 1..30_u64), 0..500)
}

proptest! {
    #![proptest_config(Config { cases: 24, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_smallest_claimer_has_it(claims in claims(), batch in 1..150_usize) {
        for (name, index) in indexes() {
            let mut index = index;
            for (batch_idx, batch_claims) in claims.chunks(batch).enumerate() {
                let upto = &claims[..batch_idx * batch + batch_claims.len()];
                let answers = claim(&*index, batch_claims);
                // A later claim of the batch may be smaller: the answer lies between what was and what is.
                let (before, after) = (model(&upto[..batch_idx * batch]), model(upto));
                for ((key, claimer), answer) in batch_claims.iter().zip(answers) {
                    let most = before.get(key).map_or(*claimer, |owner| *owner.min(claimer));
                    prop_assert!((after[key]..=most).contains(&answer), "{}: key {} has {}", name, key, answer);
                }
                if batch_idx % 3 == 2 {
                    index = index.reopened();
                }
            }
            assert_is(&*index, &model(&claims), N_KEYS);
            // All once more: nothing changes.
            let answers = claim(&*index, &claims);
            let model = model(&claims);
            prop_assert!(claims.iter().zip(answers).all(|((key, _), answer)| model[key] == answer), "{}", name);
            assert_is(&*index, &model, N_KEYS);
        }
    }
}

#[test]
fn threads_claim_what_one_would() {
    let claims: Vec<Claim> =
        (0..20_000_u32).map(|number| (number * 7 % N_KEYS, u64::from(number * 31 % 97 + 1))).collect();
    for (_, index) in indexes().into_iter().filter(|(name, _)| !name.ends_with("of one")) {
        std::thread::scope(|scope| {
            for thread_idx in 0..4 {
                let (index, claims) = (&*index, &claims);
                scope.spawn(move || {
                    for batch in claims.chunks(100).skip(thread_idx).step_by(4) {
                        let wanted = model(claims);
                        let answers = claim(index, batch);
                        assert!(batch.iter().zip(answers).all(|((key, _), answer)| answer >= wanted[key]));
                    }
                });
            }
        });
        assert_is(&*index, &model(&claims), N_KEYS);
        assert_is(&*index.reopened(), &model(&claims), N_KEYS);
    }
}

#[test]
fn threads_claim_and_commit_side_by_side() {
    let claims: Vec<Claim> =
        (0..4_000_u32).map(|number| (number * 7 % N_KEYS, u64::from(number * 31 % 97 + 1))).collect();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let options = Index::options().table_records(60);
    let index = options.open(folder.path()).expect("it can be opened");
    std::thread::scope(|scope| {
        for thread_idx in 0..4 {
            let (index, claims) = (&index, &claims);
            scope.spawn(move || {
                for batch in claims.chunks(20).skip(thread_idx).step_by(4) {
                    claim(index, batch);
                    index.commit().expect("it can be written");
                }
            });
        }
    });
    assert_is(&index, &model(&claims), N_KEYS);
    drop(index);
    IndexReader::open(folder.path()).and_then(|reader| reader.verify()).expect("it is whole");
    assert_is(&options.open(folder.path()).expect("it can be opened"), &model(&claims), N_KEYS);
}

#[test]
fn nothing_is_claimed_of_nothing() {
    for (_, index) in indexes() {
        assert!(claim(&*index, &[]).is_empty());
        assert_is(&*index, &model(&[]), 3);
        assert_is(&*index.reopened(), &model(&[]), 3);
    }
}

#[test]
fn without_owners_it_is_known_that_somebody_was_there() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let options = Index::options().owners(false).table_records(10);
    for round in 0..3 {
        let index = options.open(folder.path()).expect("it can be opened");
        for keys in [0..25_u32, 25..40] {
            let batch: Vec<_> = keys.clone().map(|key| (fingerprint(key), owner(5))).collect();
            let mut owners = Vec::new();
            index.claim(&batch, &mut owners).expect("it can be added to");
            assert!(round > 0 || owners.iter().all(|found| *found == owner(5)));
            owners.clear();
            index.claim(&batch, &mut owners).expect("it can be added to");
            assert!(owners.iter().all(|found| *found == Owner::SOMEONE));
            owners.clear();
            index.commit().expect("it can be written");
            index.settle().expect("it can be written");
            index.claim(&batch, &mut owners).expect("it can be added to");
            assert!(owners.iter().all(|found| *found == Owner::SOMEONE));
        }
        assert_eq!(index.len(), 40);
    }
}

#[test]
fn one_writes_and_others_read() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let claims: Vec<Claim> = (0..N_KEYS).map(|key| (key, 1)).collect();
    let index = Index::options().table_records(50).open(folder.path()).expect("it can be opened");
    let refused = Index::open(folder.path()).expect_err("one writes already");
    assert!(refused.is_usage(), "{refused}");
    assert!(
        refused.to_string().ends_with("another process writes to this index; wait until it has ended, or only read it")
    );
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for batch in claims.chunks(7) {
                claim(&index, batch);
                index.commit().expect("it can be written");
            }
        });
        let mut n_before = 0;
        while !writer.is_finished() {
            let reader = IndexReader::open(folder.path()).expect("it can be read at any time");
            // The commits come whole, one after the other.
            let n_keys = reader.len();
            assert!(n_keys >= n_before && (n_keys.is_multiple_of(7) || n_keys == claims.len()), "{n_keys}");
            assert_is(&reader, &model(&claims[..n_keys]), N_KEYS);
            n_before = n_keys;
        }
    });
    let reader = IndexReader::open(folder.path()).expect("it can be read");
    assert_is(&reader, &model(&claims), N_KEYS);
    // What is not committed is not seen by others, and is gone when the index is.
    claim(&index, &[(N_KEYS, 1)]);
    assert_is(&IndexReader::open(folder.path()).expect("it can be read"), &model(&claims), N_KEYS + 1);
    drop(index);
    let index = Index::open(folder.path()).expect("nobody else writes now");
    assert_is(&index, &model(&claims), N_KEYS + 1);
}

#[test]
fn what_is_not_committed_is_in_no_run() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let options = Index::options().table_records(40);
    let index = options.open(folder.path()).expect("it can be opened");
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for key in (0..).take_while(|_| !is_over.load(std::sync::atomic::Ordering::Relaxed)) {
                claim(&index, &[(key % N_KEYS, u64::from(key) + 1)]);
            }
        });
        (0..30).for_each(|_| index.compact().expect("it can be written"));
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    drop(index);
    let reader = IndexReader::open(folder.path()).expect("it can be read");
    reader.verify().expect("it is whole");
    let index = options.open(folder.path()).expect("it can be opened");
    assert_eq!(index.len(), reader.len());
}

#[test]
fn what_is_no_index_of_these_settings_is_refused() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("deep/index");
    let error = IndexReader::open(&path).expect_err("it is not there").to_string();
    assert!(error.ends_with("there is no index; name the folder of one"), "{error}");
    let of_lines = Index::options().setting("unit", "line");
    drop(of_lines.open(&path).expect("it can be made"));
    drop(of_lines.open(&path).expect("it is there"));
    let error = Index::options().setting("unit", "paragraph").open(&path).expect_err("it is of lines").to_string();
    let wanted = "the index was made with unit \"line\", and now it is \"paragraph\"; say what it was made with, or use another index";
    assert!(error.ends_with(wanted), "{error}");
    let error = Index::open(folder.path()).expect_err("it is no index").to_string();
    let not_empty = "the folder is not empty, and is no index; name another, or an empty one";
    assert!(error.ends_with(not_empty), "{error}");
    // A file of somebody else, by the name of one that an index begins with.
    let list = folder.path().join("shopping/list");
    std::fs::create_dir(list.with_file_name("")).expect("a folder can be made");
    std::fs::write(&list, "milk, eggs\n").expect("it can be written");
    let error = Index::open(list.with_file_name("")).expect_err("it is no index").to_string();
    assert!(error.ends_with(not_empty), "{error}");
    assert_eq!(std::fs::read_to_string(&list).expect("it is there"), "milk, eggs\n");
    for error in [Index::open(&list).expect_err("it is a file"), IndexReader::open(&list).expect_err("it is a file")] {
        assert!(error.is_usage(), "{error}");
        assert!(error.to_string().ends_with("is a file, and an index is a folder; name another"), "{error}");
    }
    let head = std::fs::read_to_string(path.join("head")).expect("it is there");
    for (from, to, wanted) in [
        (
            "\"dehusk_index\":1",
            "\"dehusk_index\":2",
            "the index has format 2, and this dehusk knows formats up to 1; use a newer dehusk",
        ),
        ("\"fold\":", "\"fold\":9", "make it anew, or use the dehusk that made it"),
    ] {
        let json = head.lines().next().expect("it has a line").replacen(from, to, 1);
        std::fs::write(path.join("head"), format!("{json}\n{}\n", blake3::hash(json.as_bytes()).to_hex()))
            .expect("it can be written");
        let error = of_lines.open(&path).expect_err("it is of another version").to_string();
        assert!(error.ends_with(wanted), "{error}");
        assert!(IndexReader::open(&path).is_err_and(|error| error.is_usage()));
    }
}
