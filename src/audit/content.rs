//! What is sealed of an entry: named parts in one sequence of bytes, which is
//! compressed with a dictionary of the package's texts where there is one. An
//! answer is mostly the package's own sentences, and shrinks to a twentieth.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use zeroize::{Zeroize as _, Zeroizing};
use zstd::bulk::Decompressor;
use zstd::dict::EncoderDictionary;
use zstd::zstd_safe::{CCtx, compress_bound};

use super::entry::sha256;

/// Most bytes of content that is unpacked: no answer comes near.
const MOST: usize = 64 * 1024 * 1024;

/// Level of compression: with a dictionary the fastest is the smallest too.
const LEVEL: i32 = 1;

const PLAIN: u8 = 0;
const COMPRESSED: u8 = 1;

/// Content below this size is kept as it is: there is nothing to gain.
const WORTH: usize = 256;

/// Texts that content is likely to hold.
pub struct Dictionary {
    digest: [u8; 32],
    bytes: Arc<[u8]>,
    encoder: EncoderDictionary<'static>,
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Dictionary({} bytes)", self.bytes.len())
    }
}

impl Dictionary {
    /// Of these bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        let encoder = EncoderDictionary::copy(&bytes, LEVEL);
        Self { digest: sha256(&bytes), bytes: bytes.into(), encoder }
    }

    /// Its SHA-256.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }
}

thread_local! {
    /// Its tables are larger than most content: making them anew would cost more than the work.
    static COMPRESSOR: RefCell<CCtx<'static>> = RefCell::new(CCtx::create());
}

/// One frame; none where the library fails, which it does only for want of memory.
fn compressed(bytes: &[u8], dictionary: Option<&Dictionary>) -> Option<Vec<u8>> {
    let mut frame = Vec::with_capacity(compress_bound(bytes.len()));
    COMPRESSOR
        .with_borrow_mut(|context| match dictionary {
            Some(dictionary) => context.compress_using_cdict(&mut frame, bytes, dictionary.encoder.as_cdict()),
            None => context.compress(&mut frame, bytes, LEVEL),
        })
        .ok()?;
    Some(frame)
}

/// Named parts. Never printed: they are of a patient.
#[derive(Clone, Default)]
pub struct Content {
    parts: Vec<(String, Zeroizing<Vec<u8>>)>,
    dictionary: Option<Arc<Dictionary>>,
}

impl fmt::Debug for Content {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Content({} parts)", self.parts.len())
    }
}

/// Content that can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentFault {
    /// Not of the form.
    #[error("the content is not of the form that docs/audit.md gives")]
    Form,
    /// The dictionary is not in the archive.
    #[error("the dictionary of the content is not in the archive")]
    Dictionary,
    /// It can't be compressed: a name or a part that is too long.
    #[error("the content is too large")]
    TooLarge,
}

impl Content {
    /// Of no part.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Compressed with this.
    #[must_use]
    pub fn with_dictionary(mut self, dictionary: Option<Arc<Dictionary>>) -> Self {
        self.dictionary = dictionary;
        self
    }

    /// With one more part.
    #[must_use]
    pub fn with(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.parts.push((name.to_owned(), Zeroizing::new(bytes)));
        self
    }

    /// A part.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&[u8]> {
        self.parts.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes.as_slice())
    }

    /// Names of the parts, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|(name, _)| name.as_str())
    }

    /// What is sealed: `P` of `docs/audit.md`.
    ///
    /// # Errors
    /// [`ContentFault::TooLarge`].
    pub(super) fn packed(&self) -> Result<Zeroizing<Vec<u8>>, ContentFault> {
        let mut plain = Zeroizing::new(vec![PLAIN]);
        for (name, bytes) in &self.parts {
            plain.push(u8::try_from(name.len()).map_err(|_| ContentFault::TooLarge)?);
            plain.extend(name.as_bytes());
            plain.extend(u32::try_from(bytes.len()).map_err(|_| ContentFault::TooLarge)?.to_be_bytes());
            plain.extend(bytes.as_slice());
        }
        if plain.len() > MOST {
            return Err(ContentFault::TooLarge);
        }
        if plain.len() < WORTH {
            return Ok(plain);
        }
        let raw = plain.get(1..).unwrap_or_default();
        let mut frame = compressed(raw, self.dictionary.as_deref()).ok_or(ContentFault::TooLarge)?;
        let digest = self.dictionary.as_ref().map_or([0; 32], |dictionary| dictionary.digest);
        let mut packed = Zeroizing::new(vec![COMPRESSED]);
        packed.extend(digest);
        packed.extend(&frame);
        frame.zeroize();
        Ok(packed)
    }

    /// Reads what was sealed. `dictionary` finds one by its digest.
    ///
    /// # Errors
    /// [`ContentFault`].
    pub fn unpack(
        packed: &[u8],
        mut dictionary: impl FnMut(&[u8; 32]) -> Option<Arc<[u8]>>,
    ) -> Result<Self, ContentFault> {
        let (form, rest) = packed.split_first().ok_or(ContentFault::Form)?;
        match *form {
            PLAIN => Self::parts_of(rest),
            COMPRESSED => {
                let (digest, frame) = rest.split_first_chunk::<32>().ok_or(ContentFault::Form)?;
                let size = zstd::zstd_safe::get_frame_content_size(frame).ok().flatten().ok_or(ContentFault::Form)?;
                let size = usize::try_from(size).ok().filter(|size| *size <= MOST).ok_or(ContentFault::Form)?;
                let mut decompressor = if *digest == [0; 32] {
                    Decompressor::new()
                } else {
                    let bytes = dictionary(digest).ok_or(ContentFault::Dictionary)?;
                    Decompressor::with_dictionary(&bytes)
                }
                .map_err(|_| ContentFault::Form)?;
                let plain = Zeroizing::new(decompressor.decompress(frame, size).map_err(|_| ContentFault::Form)?);
                Self::parts_of(&plain)
            }
            _ => Err(ContentFault::Form),
        }
    }

    fn parts_of(mut rest: &[u8]) -> Result<Self, ContentFault> {
        let mut content = Self::new();
        while let Some((length, after)) = rest.split_first() {
            let (name, after) = after.split_at_checked(usize::from(*length)).ok_or(ContentFault::Form)?;
            let name = str::from_utf8(name).ok().filter(|name| name.is_ascii()).ok_or(ContentFault::Form)?;
            let (length, after) = after.split_first_chunk::<4>().ok_or(ContentFault::Form)?;
            let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| ContentFault::Form)?;
            let (bytes, after) = after.split_at_checked(length).ok_or(ContentFault::Form)?;
            content = content.with(name, bytes.to_vec());
            rest = after;
        }
        Ok(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_reads_back_with_and_without_a_dictionary() {
        let sentences = "a sentence that the package says, word by word. ".repeat(40);
        let dictionary = Arc::new(Dictionary::new(sentences.clone().into_bytes()));
        for dictionary in [None, Some(dictionary)] {
            for text in ["", "short", &sentences] {
                let content = Content::new().with("request", vec![1, 2]).with("answer", text.as_bytes().to_vec());
                let packed = content.with_dictionary(dictionary.clone()).packed().unwrap();
                let find = |digest: &[u8; 32]| {
                    let known = dictionary.as_ref().filter(|one| one.digest() == *digest);
                    known.map(|one| Arc::clone(one.bytes()))
                };
                let read = Content::unpack(&packed, find).unwrap();
                assert_eq!(read.part("answer"), Some(text.as_bytes()));
                assert_eq!(read.names().collect::<Vec<_>>(), ["request", "answer"]);
                assert!(packed.len() < 200 || text.len() < 200);
                for end in 0..packed.len() {
                    // Cut content is refused, or is content with fewer parts; it never ends the process.
                    let _ = Content::unpack(&packed[..end], find);
                }
            }
        }
    }

    #[test]
    fn a_missing_dictionary_is_said_to_be_missing() {
        let dictionary = Arc::new(Dictionary::new(vec![b'x'; 1000]));
        let packed = Content::new().with("a", vec![b'x'; 1000]).with_dictionary(Some(dictionary)).packed().unwrap();
        assert_eq!(Content::unpack(&packed, |_| None).unwrap_err(), ContentFault::Dictionary);
    }

    #[test]
    fn content_is_not_printed() {
        let content = Content::new().with("request", b"patient-4711".to_vec());
        assert!(!format!("{content:?}").contains("4711"));
    }
}
