//! Indexes: all of them against one suite, and the one on disk against crashes and damage.

#[path = "index/conformance.rs"]
mod conformance;
#[path = "index/damage.rs"]
mod damage;
#[path = "index/formats.rs"]
mod formats;
#[path = "index/kills.rs"]
mod kills;

use dehusk::fingerprint::Fingerprint;
use dehusk::index::{Claims, Known, Owner};
use std::collections::BTreeMap;

/// A claim: a key that stands for a text, and who claims it.
type Claim = (u32, u64);

/// Who has which key, by the documentation: of those who claim it, the smallest.
type Model = BTreeMap<u32, u64>;

fn fingerprint(key: u32) -> Fingerprint {
    Fingerprint::of(&key.to_le_bytes())
}

fn owner(number: u64) -> Owner {
    Owner::new(number).expect("tests have few owners")
}

fn model(claims: &[Claim]) -> Model {
    let mut model = Model::new();
    for (key, claimer) in claims {
        let owner = model.entry(*key).or_insert(*claimer);
        *owner = *claimer.min(owner);
    }
    model
}

fn claim(index: &(impl Claims + ?Sized), claims: &[Claim]) -> Vec<u64> {
    let batch: Vec<_> = claims.iter().map(|(key, claimer)| (fingerprint(*key), owner(*claimer))).collect();
    let mut owners = Vec::new();
    index.claim(&batch, &mut owners).expect("an index can be added to");
    owners.into_iter().map(Owner::number).collect()
}

/// Holds an index against a model, for all keys up to some.
fn assert_is(index: &(impl Known + ?Sized), model: &Model, n_keys: u32) {
    let mut owners = Vec::new();
    let fingerprints: Vec<Fingerprint> = (0..n_keys).map(fingerprint).collect();
    index.owners(&fingerprints, &mut owners).expect("an index can be read");
    let found: Vec<Option<u64>> = owners.into_iter().map(|owner| owner.map(Owner::number)).collect();
    let wanted: Vec<Option<u64>> = (0..n_keys).map(|key| model.get(&key).copied()).collect();
    assert_eq!(found, wanted);
    assert_eq!(index.len(), model.len());
    assert_eq!(index.is_empty(), model.is_empty());
}
