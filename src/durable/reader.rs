//! An index as others see it while one writes.

use super::Remembers;
use super::contents::{Contents, head_of};
use super::documents::{Document, DocumentsReader, Word};
use super::files::Folder;
use super::record::{Held, Record};
use super::sealed::{Committed, Head, IndexState, List};
use super::view::{View, in_order};
use crate::error::Result;
use crate::fingerprint::Fingerprint;
use crate::index::{Known, Owner};
use crate::text::FOLD_VERSION;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// An index that is only read, by any number of processes, while one may write to it. What is committed later is not seen.
///
/// ```
/// use dehusk::fingerprint::Fingerprint;
/// use dehusk::index::{Claims, Known, Owner};
/// use dehusk::{Index, IndexReader};
///
/// let folder = tempfile::tempdir()?;
/// let index = Index::open(folder.path())?;
/// let block = Fingerprint::of(b"the ship left at dawn");
/// index.claim(&[(block, Owner::new(7).unwrap())], &mut Vec::new())?;
/// index.commit()?;
///
/// let mut owners = Vec::new();
/// IndexReader::open(folder.path())?.owners(&[block], &mut owners)?;
/// assert_eq!(owners, [Owner::new(7)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct IndexReader {
    pub(super) folder: Folder,
    pub(super) head: Head,
    pub(super) view: View,
    pub(super) committed: Committed,
    pub(super) documents: Option<DocumentsReader>,
}

impl IndexReader {
    /// Opens what is committed of the index in a folder.
    ///
    /// # Errors
    ///
    /// When there is none, when a newer version made it, when what was committed is damaged, or when something cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let folder = Folder::new(path.as_ref());
        let head = head_of(&folder)?;
        head.refuse_difference(&Head { settings: BTreeMap::new(), fold: FOLD_VERSION, ..head.clone() }, &folder)?;
        let contents = loop {
            let before = List::read(&folder)?;
            let contents = Contents::read(&folder, head.width());
            // Else who writes may have merged, or written as a run, what was to be read.
            if List::read(&folder)? == before {
                break contents?;
            }
        };
        let Contents { runs, table, committed, .. } = contents;
        let documents = DocumentsReader::open(&folder, committed.n_words)?;
        let view = View { generation: 0, tables: vec![Arc::new(table)], runs };
        Ok(IndexReader { folder, head, view, committed, documents })
    }
}

impl IndexReader {
    /// What it is, and what was committed when it was opened.
    pub(crate) fn state(&self) -> IndexState {
        IndexState { identity: self.head.identity.clone(), committed: self.committed }
    }
}

impl Remembers for IndexReader {
    fn document(&self, owner: Owner) -> Result<Option<Document>> {
        let has_documents = self.committed.n_documents > 0 && self.head.owners;
        let documents = self.documents.as_ref().filter(|_| has_documents);
        documents.map(|documents| documents.read(owner)).transpose()
    }

    fn find_words(&self, words: &[Word]) -> Result<Vec<Option<(Fingerprint, Owner)>>> {
        Ok(self.view.find_words(words)?.into_iter().map(|record| record.and_then(Record::owned)).collect())
    }
}

impl Known for IndexReader {
    fn owners(&self, fingerprints: &[Fingerprint], owners: &mut Vec<Option<Owner>>) -> Result<()> {
        let found = self.view.find(fingerprints, &in_order(fingerprints))?;
        owners.extend(found.into_iter().map(|held| held.and_then(Held::owner)));
        Ok(())
    }

    fn len(&self) -> usize {
        usize::try_from(self.committed.n_keys).unwrap_or(usize::MAX)
    }
}
