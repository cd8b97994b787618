//! What documents are known by where they are remembered.

/// What the documents of a part are known by, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    /// For each document how long its address is, or one of the two below.
    lengths: Vec<u32>,
    addresses: Vec<u8>,
}

const ALONE: u32 = u32::MAX;
const BY_PLACE: u32 = u32::MAX - 1;

/// What a document is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Id<'i> {
    /// Nothing: it is compared with no other.
    Alone,
    /// Where it stands.
    Place,
    /// Its address.
    Address(&'i str),
}

impl Ids {
    pub(super) fn clear(&mut self) {
        self.lengths.clear();
        self.addresses.clear();
    }

    /// Adds a document that is compared with no other.
    pub(super) fn push_alone(&mut self) {
        self.lengths.push(ALONE);
    }

    /// Adds a document with its address, if it has one.
    pub(super) fn push(&mut self, address: Option<&str>) {
        let address = address.filter(|address| !address.is_empty());
        let length = address.and_then(|address| u32::try_from(address.len()).ok()).filter(|length| *length < BY_PLACE);
        self.lengths.push(length.unwrap_or(BY_PLACE));
        if let (Some(address), Some(_)) = (address, length) {
            self.addresses.extend_from_slice(address.as_bytes());
        }
    }

    /// Gives back what memory was reserved and not used.
    pub(crate) fn shrink(&mut self) {
        self.lengths.shrink_to_fit();
        self.addresses.shrink_to_fit();
    }

    /// What each is known by.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Id<'_>> {
        let mut rest = &self.addresses[..];
        self.lengths.iter().map(move |length| match *length {
            ALONE => Id::Alone,
            BY_PLACE => Id::Place,
            length => {
                let (address, behind) = rest.split_at(length as usize);
                rest = behind;
                Id::Address(std::str::from_utf8(address).unwrap_or_default())
            }
        })
    }
}
