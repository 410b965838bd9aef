//! A package with its overlay as one sequence of bytes, to be kept with the
//! decisions that were made with it.

use serde::{Deserialize, Serialize};

use super::{Depth, LoadError, Ruleset, Sources, check_sources};
use crate::diag::Files;

/// Level of compression: written once for each package, kept for years.
const LEVEL: i32 = 9;

/// Most bytes of the files of an archived package.
const MOST: usize = 128 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Archive {
    files: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overlay: Option<Vec<(String, String)>>,
}

fn rows(files: &Files) -> Vec<(String, String)> {
    files.iter().map(|(_, name, text)| (name.to_owned(), text.to_owned())).collect()
}

/// JSON, `{"files": [[name, text], …], "overlay": […]}`, as one Zstandard frame.
/// The same files give the same bytes.
#[must_use]
pub fn pack(sources: &Sources) -> Vec<u8> {
    let archive = Archive { files: rows(&sources.base), overlay: sources.overlay.as_ref().map(rows) };
    let json = serde_json::to_vec(&archive).unwrap_or_default();
    // Compression into memory fails only where there is none left.
    zstd::bulk::compress(&json, LEVEL).unwrap_or_default()
}

/// The files of an archived package.
///
/// # Errors
/// [`LoadError::Unreadable`].
pub fn unpack(bytes: &[u8]) -> Result<Sources, LoadError> {
    let unreadable = |error: String| LoadError::Unreadable(format!("the archived package can't be read: {error}"));
    let json = zstd::bulk::decompress(bytes, MOST.min(size(bytes))).map_err(|error| unreadable(error.to_string()))?;
    let archive: Archive = serde_json::from_slice(&json).map_err(|error| unreadable(error.to_string()))?;
    Ok(Sources { base: Files::new(archive.files), overlay: archive.overlay.map(Files::new) })
}

fn size(bytes: &[u8]) -> usize {
    let size = zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten();
    size.and_then(|size| usize::try_from(size).ok()).unwrap_or_default()
}

/// An archived package, ready to evaluate. It was checked when it became
/// active: only what makes it unreadable is found here.
///
/// # Errors
/// [`LoadError`].
pub fn load(bytes: &[u8]) -> Result<Ruleset, LoadError> {
    Ruleset::from_checked(check_sources(unpack(bytes)?, None, Depth::Nothing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_package_comes_back_from_its_archive() {
        let shipped = Ruleset::embedded().unwrap();
        let bytes = pack(shipped.sources());
        assert_eq!(bytes, pack(shipped.sources()));
        assert_eq!(unpack(&bytes).unwrap(), *shipped.sources());
        assert_eq!(load(&bytes).unwrap().digest(), shipped.digest());
        for end in [0, 1, 10, bytes.len() / 2, bytes.len() - 1] {
            assert!(load(&bytes[..end]).is_err());
        }
    }
}
