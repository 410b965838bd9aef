//! Seals content with a key of its own, and wraps that key with the master key.
//! The derivations are those of `docs/audit.md`, section "What is sealed".

use std::sync::Arc;

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::content::{Content, ContentFault};
use super::entry::{BodyRef, Draft, Entry, Leaf, LeafFault, Subject, sha256};
use crate::note::hex;

/// First byte of a wrapped key.
const WRAPPED: u8 = 1;

/// What the index key is bound to, where an entry's is bound to its id.
const INDEX: &[u8] = b"index";

/// Part of the content that is the tag of its patient.
pub const SUBJECT_TAG: &str = "subject_tag";

/// Part of the content that is the tag of its request id.
pub const REQUEST_TAG: &str = "request_tag";

/// A key: never printed, and gone from memory when it is dropped.
pub type Secret = Zeroizing<[u8; 32]>;

/// Wraps keys of entries. A file or the environment gives the key itself; a key
/// management service would wrap and unwrap on demand.
pub trait MasterKey: Send + Sync + std::fmt::Debug {
    /// Wraps a key, bound to what it is for.
    ///
    /// # Errors
    /// [`SealFault`] where there is no randomness or the service refuses.
    fn wrap(&self, key: &[u8; 32], bound: &[u8]) -> Result<Vec<u8>, SealFault>;

    /// Unwraps a key.
    ///
    /// # Errors
    /// [`SealFault::MasterKey`] where another master key wrapped it,
    /// [`SealFault::Altered`] where it is not what was wrapped.
    fn open(&self, wrapped: &[u8], bound: &[u8]) -> Result<Secret, SealFault>;
}

/// A master key that is at hand.
pub struct LocalKey {
    name: [u8; 8],
    wrap: Secret,
}

impl std::fmt::Debug for LocalKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "LocalKey({})", hex(&self.name))
    }
}

/// Why content can't be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealFault {
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Randomness,
    /// Another master key wrapped the key.
    #[error("the key was wrapped by another master key than the one in use")]
    MasterKey,
    /// A key, a body or its content is not what the leaf says.
    #[error("the key or the body is not what was written")]
    Altered,
    /// The content can't be packed or unpacked.
    #[error(transparent)]
    Content(#[from] ContentFault),
    /// The leaf can't be written.
    #[error(transparent)]
    Leaf(#[from] LeafFault),
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes a key of any length; an error would be one of its types.
    let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The first bytes of a hash.
fn leading<const N: usize>(hash: &[u8; 32]) -> [u8; N] {
    hash.first_chunk().copied().unwrap_or([0; N])
}

fn derive(key: &[u8; 32], purpose: &str) -> Secret {
    Zeroizing::new(mac(key, &[b"concord-audit/1 ", purpose.as_bytes()]))
}

fn cipher(key: &Secret) -> Aes256Gcm {
    Aes256Gcm::new((&**key).into())
}

/// Random bytes.
///
/// # Errors
/// [`SealFault::Randomness`].
pub fn random<const N: usize>() -> Result<[u8; N], SealFault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| SealFault::Randomness)?;
    Ok(bytes)
}

impl LocalKey {
    /// Of 32 random bytes.
    #[must_use]
    pub fn new(master: &[u8; 32]) -> Self {
        Self { name: leading(&derive(master, "name")), wrap: derive(master, "wrap") }
    }
}

impl MasterKey for LocalKey {
    fn wrap(&self, key: &[u8; 32], bound: &[u8]) -> Result<Vec<u8>, SealFault> {
        let nonce: [u8; 12] = random()?;
        let payload = Payload { msg: key, aad: bound };
        let sealed = cipher(&self.wrap).encrypt(&nonce.into(), payload).map_err(|_| SealFault::Altered)?;
        let mut wrapped = vec![WRAPPED];
        wrapped.extend(self.name);
        wrapped.extend(nonce);
        wrapped.extend(sealed);
        Ok(wrapped)
    }

    fn open(&self, wrapped: &[u8], bound: &[u8]) -> Result<Secret, SealFault> {
        let rest = wrapped.strip_prefix(&[WRAPPED]).ok_or(SealFault::Altered)?;
        let (name, rest) = rest.split_first_chunk::<8>().ok_or(SealFault::Altered)?;
        if *name != self.name {
            return Err(SealFault::MasterKey);
        }
        let (nonce, sealed) = rest.split_first_chunk::<12>().ok_or(SealFault::Altered)?;
        let payload = Payload { msg: sealed, aad: bound };
        let key = cipher(&self.wrap).decrypt(&(*nonce).into(), payload).map_err(|_| SealFault::Altered)?;
        let key = Zeroizing::new(key);
        Ok(Zeroizing::new(key.as_slice().try_into().map_err(|_| SealFault::Altered)?))
    }
}

/// Seals drafts and opens entries.
#[derive(Clone)]
pub struct Vault {
    master: Arc<dyn MasterKey>,
    index: Secret,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Vault({:?})", self.master)
    }
}

impl Vault {
    /// With a new index key: it, and what the store keeps of it.
    ///
    /// # Errors
    /// [`SealFault::Randomness`].
    pub fn create(master: Arc<dyn MasterKey>) -> Result<(Self, Vec<u8>), SealFault> {
        let index = Zeroizing::new(random()?);
        let wrapped = master.wrap(&index, INDEX)?;
        Ok((Self { master, index }, wrapped))
    }

    /// With the index key that the store keeps.
    ///
    /// # Errors
    /// [`SealFault`] where the master key is another.
    pub fn open(master: Arc<dyn MasterKey>, wrapped: &[u8]) -> Result<Self, SealFault> {
        let index = master.open(wrapped, INDEX)?;
        Ok(Self { master, index })
    }

    fn tag(&self, parts: &[&[u8]]) -> [u8; 16] {
        let joined = parts.join(&[0][..]);
        leading(&mac(&*self.index, &[&joined]))
    }

    /// Tag of a patient.
    #[must_use]
    pub fn subject_tag(&self, patient: &str) -> [u8; 16] {
        self.tag(&[b"subject", patient.as_bytes()])
    }

    /// Tag of a request of a caller.
    #[must_use]
    pub fn request_tag(&self, caller: &str, request_id: &str) -> [u8; 16] {
        self.tag(&[b"request", caller.as_bytes(), request_id.as_bytes()])
    }

    /// Seals a draft.
    ///
    /// # Errors
    /// [`SealFault`].
    pub fn seal(&self, draft: Draft) -> Result<Entry, SealFault> {
        let Draft { mut leaf, content, subject, once } = draft;
        let subject = match subject {
            Subject::None => None,
            Subject::Patient(id) => Some(self.subject_tag(&id)),
            Subject::Tag(tag) => Some(tag),
        };
        let caller = leaf.caller.as_deref().unwrap_or_default();
        let once = once.map(|id| self.request_tag(caller, &id));
        // Sealed with the rest, or no one could tell a tag that was changed from the one that was made.
        let content = content.map(|content| {
            let tags = [(SUBJECT_TAG, subject), (REQUEST_TAG, once)];
            tags.into_iter().fold(content, |content, (name, tag)| match tag {
                Some(tag) => content.with(name, tag.to_vec()),
                None => content,
            })
        });
        let sealed = content.as_ref().map(|content| self.seal_content(&mut leaf, content)).transpose()?;
        let (body, key) = sealed.unzip();
        Ok(Entry { body, key, subject, once, ..Entry::clear(&leaf)? })
    }

    fn seal_content(&self, leaf: &mut Leaf, content: &Content) -> Result<(Vec<u8>, Vec<u8>), SealFault> {
        let key: Secret = Zeroizing::new(random()?);
        let packed = content.packed()?;
        let id = bound(&leaf.id);
        let payload = Payload { msg: &packed, aad: &id };
        // A key seals one body: the nonce need not differ.
        let body = cipher(&derive(&key, "seal")).encrypt(&[0; 12].into(), payload).map_err(|_| SealFault::Altered)?;
        leaf.body =
            Some(BodyRef { commitment: hex(&mac(&*derive(&key, "commit"), &[&packed])), sha256: hex(&sha256(&body)) });
        Ok((body, self.master.wrap(&key, &id)?))
    }

    /// Opens a body. `dictionary` finds one by its digest.
    ///
    /// # Errors
    /// [`SealFault`] where it is not the body of the leaf, or the key is not its.
    pub fn unseal(
        &self,
        leaf: &Leaf,
        body: &[u8],
        wrapped: &[u8],
        dictionary: impl FnMut(&[u8; 32]) -> Option<Arc<[u8]>>,
    ) -> Result<Content, SealFault> {
        let id = bound(&leaf.id);
        let key = self.master.open(wrapped, &id)?;
        let payload = Payload { msg: body, aad: &id };
        let packed = cipher(&derive(&key, "seal")).decrypt(&[0; 12].into(), payload).map_err(|_| SealFault::Altered)?;
        let packed = Zeroizing::new(packed);
        let commitment = hex(&mac(&*derive(&key, "commit"), &[&packed]));
        if leaf.body.as_ref().is_none_or(|body| body.commitment != commitment) {
            return Err(SealFault::Altered);
        }
        Ok(Content::unpack(&packed, dictionary)?)
    }
}

/// A wrapped key of an entry, wrapped by another master key; none where that one
/// wrapped it already.
///
/// # Errors
/// [`SealFault::MasterKey`] where neither did.
pub(super) fn rewrapped(
    old: &dyn MasterKey,
    new: &dyn MasterKey,
    id: &Uuid,
    wrapped: &[u8],
) -> Result<Option<Vec<u8>>, SealFault> {
    wrapped_by(old, new, &bound(id), wrapped)
}

/// The same for the index key.
pub(super) fn rewrapped_index(
    old: &dyn MasterKey,
    new: &dyn MasterKey,
    wrapped: &[u8],
) -> Result<Option<Vec<u8>>, SealFault> {
    wrapped_by(old, new, INDEX, wrapped)
}

fn wrapped_by(
    old: &dyn MasterKey,
    new: &dyn MasterKey,
    bound: &[u8],
    wrapped: &[u8],
) -> Result<Option<Vec<u8>>, SealFault> {
    match new.open(wrapped, bound) {
        Ok(_) => Ok(None),
        Err(SealFault::MasterKey) => new.wrap(&*old.open(wrapped, bound)?, bound).map(Some),
        Err(other) => Err(other),
    }
}

/// What a key is bound to: the id as the leaf spells it.
fn bound(id: &Uuid) -> Vec<u8> {
    id.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::entry::Kind;
    use super::*;

    fn vault(master: u8) -> Vault {
        Vault::create(Arc::new(LocalKey::new(&[master; 32]))).unwrap().0
    }

    fn draft() -> Draft {
        let content = Content::new().with("request", b"secret words".to_vec());
        let subject = Subject::Patient("p-1".to_owned());
        Draft { subject, once: Some("r-1".to_owned()), ..Draft::sealed(Leaf::new(Kind::Decision), content) }
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_alone() {
        let vault = vault(1);
        let entry = vault.seal(draft()).unwrap();
        let (leaf, body, key) = (Leaf::read(&entry.leaf).unwrap(), entry.body.unwrap(), entry.key.unwrap());
        let open = |leaf: &Leaf, body: &[u8], key: &[u8]| vault.unseal(leaf, body, key, |_| None);
        assert_eq!(open(&leaf, &body, &key).unwrap().part("request"), Some(b"secret words".as_slice()));
        assert!(!body.windows(6).any(|window| window == b"secret"));
        for at in 0..body.len() {
            let mut other = body.clone();
            other[at] ^= 1;
            assert_eq!(open(&leaf, &other, &key).unwrap_err(), SealFault::Altered);
        }
        for at in 9..key.len() {
            let mut other = key.clone();
            other[at] ^= 1;
            assert_eq!(open(&leaf, &body, &other).unwrap_err(), SealFault::Altered);
        }
        let elsewhere = vault.seal(draft()).unwrap();
        assert_eq!(open(&leaf, &body, &elsewhere.key.unwrap()).unwrap_err(), SealFault::Altered);
        let foreign = super::tests::vault(2);
        assert_eq!(foreign.unseal(&leaf, &body, &key, |_| None).unwrap_err(), SealFault::MasterKey);
    }

    #[test]
    fn the_commitment_is_of_the_content_under_the_key_of_the_entry() {
        let vault = vault(1);
        let entry = vault.seal(draft()).unwrap();
        let mut leaf = Leaf::read(&entry.leaf).unwrap();
        leaf.body.as_mut().unwrap().commitment = "0".repeat(64);
        let opened = vault.unseal(&leaf, &entry.body.unwrap(), &entry.key.unwrap(), |_| None);
        assert_eq!(opened.unwrap_err(), SealFault::Altered);
        // The same content twice gives nothing in common to compare.
        let (one, two) = (vault.seal(draft()).unwrap(), vault.seal(draft()).unwrap());
        assert_ne!(one.body, two.body);
    }

    #[test]
    fn tags_find_a_patient_and_a_request_in_one_log_only() {
        let (here, there) = (vault(1), vault(1));
        assert_eq!(here.subject_tag("p"), here.subject_tag("p"));
        assert_ne!(here.subject_tag("p"), there.subject_tag("p"));
        assert_ne!(here.request_tag("a", "b"), here.request_tag("a", "c"));
        assert_ne!(here.request_tag("ab", "c"), here.request_tag("a", "bc"));
    }

    #[test]
    fn the_index_key_comes_back_from_what_the_store_keeps() {
        let master: Arc<dyn MasterKey> = Arc::new(LocalKey::new(&[7; 32]));
        let (vault, kept) = Vault::create(Arc::clone(&master)).unwrap();
        let again = Vault::open(master, &kept).unwrap();
        assert_eq!(vault.subject_tag("p"), again.subject_tag("p"));
        let other: Arc<dyn MasterKey> = Arc::new(LocalKey::new(&[8; 32]));
        assert_eq!(Vault::open(other, &kept).unwrap_err(), SealFault::MasterKey);
    }
}
