//! Was this done before? Words of the caller's that become durable with a change, in one transaction, or not at all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use khop_store::Change;

use crate::enrolment::Enrolment;
use crate::{Error, Realm};

/// What makes the words, once it is known what the change came to.
type Words = Box<dyn FnOnce(&[Enrolment]) -> Vec<u8> + Send>;

/// A receipt for one change: kept under a name with it, so that whoever asks again can be told what he was told, and
/// nothing is done twice.
pub(crate) struct Receipt {
    pub(crate) name: String,
    pub(crate) words: Words,
}

/// A receipt that waits for the change it belongs to.
#[derive(Clone, Default)]
pub(crate) struct Pending(Arc<Mutex<Option<Receipt>>>);

impl Pending {
    /// The name, if there is a receipt.
    pub(crate) fn name(&self) -> Option<String> {
        self.lock().as_ref().map(|receipt| receipt.name.clone())
    }

    /// The receipt, for the change that is about to be committed; the next change has none.
    pub(crate) fn take(&self) -> Option<Receipt> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Receipt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Realm {
    /// A handle whose next change (enrolment, revision, merger or erasure) keeps a receipt of this name with it. The words
    /// are made of the enrolments it came to; of an erasure, of none.
    ///
    /// A change with a name that has a receipt fails with [`Error::HasReceipt`], and does nothing.
    #[must_use]
    pub fn with_receipt(
        &self,
        name: impl Into<String>,
        words: impl FnOnce(&[Enrolment]) -> Vec<u8> + Send + 'static,
    ) -> Self {
        let receipt = Receipt { name: key(&self.id, &name.into()), words: Box::new(words) };
        Self { receipt: Pending(Arc::new(Mutex::new(Some(receipt)))), ..self.clone() }
    }

    /// The words of a receipt, if there is one of this name.
    ///
    /// # Errors
    /// An expired realm or a damaged catalogue.
    pub fn receipt(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        self.state()?;
        Ok(self.core.store.meta(&key(&self.id, name))?)
    }

    /// Names of receipts behind this one, ascending; an empty name is before all of them.
    ///
    /// # Errors
    /// An expired realm or a damaged catalogue.
    pub fn receipts(&self, after: &str, limit: usize) -> Result<Vec<String>, Error> {
        self.state()?;
        let prefix = key(&self.id, "");
        let keys = self.core.store.meta_keys(&prefix, &key(&self.id, after), limit)?;
        Ok(keys.into_iter().map(|key| key[prefix.len()..].to_owned()).collect())
    }

    /// Removes a receipt, if there is one: nobody will ask again.
    ///
    /// # Errors
    /// An expired realm or a failed write.
    pub fn drop_receipt(&self, name: &str) -> Result<(), Error> {
        self.state()?;
        let key = key(&self.id, name);
        if self.core.store.meta(&key)?.is_some() {
            self.writer.keep(Change::PutMeta { key, value: None })?;
        }
        Ok(())
    }
}

/// Where the catalogue keeps it.
fn key(realm: &khop_vocabulary::RealmId, name: &str) -> String {
    format!("receipt/{realm}/{name}")
}
