//! Which packages may become active, where that is restricted: signed by a
//! pinned key, and none older than one that was active before.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use semver::Version;

use super::signature::{SignatureFault, TrustedKey, content_digest, verify};
use super::source::Snapshot;
use crate::diag::Files;

/// Most bytes of a state file that is ours.
const STATE_BYTES: u64 = 4 * 1024;

/// Restrictions in force.
#[derive(Debug)]
pub struct Trust {
    keys: Vec<TrustedKey>,
    state: Option<PathBuf>,
    highest: Option<Seen>,
}

/// A version that was active, with the digest of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    version: Version,
    content: String,
}

/// Why a package may not become active.
#[derive(Debug, thiserror::Error)]
pub enum Distrust {
    /// Its signature does not hold.
    #[error(transparent)]
    Signature(#[from] SignatureFault),
    /// Its version can't be compared.
    #[error("`{0}` is not a version of Semantic Versioning, such as 1.4.0: signed packages are ordered by it")]
    Version(String),
    /// Older than one that was active.
    #[error("version {version} is older than {highest}, which was active before")]
    RolledBack {
        /// Version of the package.
        version: String,
        /// Highest version that was active.
        highest: String,
    },
    /// The same version with other files.
    #[error("version {0} was active before with other files: a changed package needs a higher version")]
    SameVersion(String),
    /// The state file can't be read or written.
    #[error("rules.state_file: {0}")]
    State(String),
}

impl Distrust {
    /// A word for metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Signature(fault) => fault.word(),
            Self::Version(_) => "no-version",
            Self::RolledBack { .. } | Self::SameVersion(_) => "rolled-back",
            Self::State(_) => "state-file",
        }
    }
}

impl Trust {
    /// Restrictions by pinned keys. The highest version is kept in memory, and
    /// in the state file where one is named.
    ///
    /// # Errors
    /// [`Distrust::State`] where the file is there and can't be read.
    pub fn new(keys: Vec<TrustedKey>, state: Option<PathBuf>) -> Result<Self, Distrust> {
        let highest = match &state {
            Some(path) => read(path).map_err(|why| Distrust::State(format!("{}: {why}", path.display())))?,
            None => None,
        };
        Ok(Self { keys, state, highest })
    }

    /// Holds the signature against the files, before any of them is parsed.
    ///
    /// # Errors
    /// [`Distrust::Signature`].
    pub fn signed(&self, snapshot: &Snapshot) -> Result<(), Distrust> {
        Ok(verify(&snapshot.sources.base, snapshot.signature.as_deref(), &self.keys)?)
    }

    /// Is a version not older than any that was active?
    ///
    /// # Errors
    /// [`Distrust::Version`], [`Distrust::RolledBack`] and
    /// [`Distrust::SameVersion`].
    pub fn newer(&self, version: &str, files: &Files) -> Result<(), Distrust> {
        self.seen(version, files).map(|_| ())
    }

    fn seen(&self, version: &str, files: &Files) -> Result<Seen, Distrust> {
        let now = Version::parse(version).map_err(|_| Distrust::Version(version.to_owned()))?;
        let content = content_digest(files);
        if let Some(highest) = &self.highest {
            let order = now.cmp_precedence(&highest.version);
            if order.is_lt() {
                return Err(Distrust::RolledBack { version: now.to_string(), highest: highest.version.to_string() });
            }
            if order.is_eq() && content != highest.content {
                return Err(Distrust::SameVersion(now.to_string()));
            }
        }
        Ok(Seen { version: now, content })
    }

    /// Notes that a version becomes active.
    ///
    /// # Errors
    /// As of [`Trust::newer`], and [`Distrust::State`] where it can't be
    /// noted: a version that would be forgotten could be rolled back.
    pub fn note(&mut self, version: &str, files: &Files) -> Result<(), Distrust> {
        let seen = self.seen(version, files)?;
        if self.highest.as_ref() == Some(&seen) {
            return Ok(());
        }
        if let Some(path) = &self.state {
            write(path, &seen).map_err(|error| Distrust::State(format!("{}: {error}", path.display())))?;
        }
        self.highest = Some(seen);
        Ok(())
    }
}

fn read(path: &Path) -> Result<Option<Seen>, String> {
    let size = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
        Ok(found) => found.len(),
    };
    let text =
        if size <= STATE_BYTES { fs::read_to_string(path).map_err(|error| error.to_string())? } else { String::new() };
    let (version, content) = text.trim_end().split_once(' ').unwrap_or_default();
    match Version::parse(version) {
        Ok(version) if content.len() == 64 => Ok(Some(Seen { version, content: content.to_owned() })),
        _ => Err("not the state that Concord wrote: a version and a digest".to_owned()),
    }
}

/// Beside it and then over it, so that a crash leaves the one or the other.
fn write(path: &Path, seen: &Seen) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let beside = PathBuf::from(name);
    let mut file = File::create(&beside)?;
    file.write_all(format!("{} {}\n", seen.version, seen.content).as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Files {
        Files::new(vec![("a.yaml".to_owned(), text.to_owned())])
    }

    #[test]
    fn versions_only_rise_and_one_version_is_one_content() {
        let mut trust = Trust::new(Vec::new(), None).unwrap();
        for (version, text, expected) in [
            ("1.9.0", "a", None),
            ("1.9.0", "a", None),
            ("1.9.0", "b", Some("rolled-back")),
            ("1.9.0+later", "b", Some("rolled-back")),
            ("1.10.0-rc.1", "b", None),
            ("1.9.9", "c", Some("rolled-back")),
            ("1.10.0", "c", None),
            ("1.10", "d", Some("no-version")),
        ] {
            let told = trust.note(version, &files(text)).err().map(|error| error.word());
            assert_eq!(told, expected, "{version} {text}");
        }
    }

    #[test]
    fn the_highest_version_outlives_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let open = || Trust::new(Vec::new(), Some(path.clone()));
        open().unwrap().note("2.0.0", &files("a")).unwrap();
        let told = open().unwrap().note("1.0.0", &files("a")).unwrap_err();
        assert_eq!(told.to_string(), "version 1.0.0 is older than 2.0.0, which was active before");
        open().unwrap().note("2.0.0", &files("a")).unwrap();

        fs::write(&path, "2.0.0\n").unwrap();
        assert_eq!(open().unwrap_err().word(), "state-file");
        fs::remove_file(&path).unwrap();
        let mut trust = open().unwrap();
        fs::remove_dir(dir.path()).unwrap();
        assert_eq!(trust.note("2.0.0", &files("a")).unwrap_err().word(), "state-file");
        // What could not be noted was not seen.
        trust.newer("1.0.0", &files("a")).unwrap();
    }
}
