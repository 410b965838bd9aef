//! Which packages may become active, where that is restricted: signed by a
//! pinned key, and none older than one that was active before. Package and
//! overlay are held to it each for itself.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use semver::Version;

use super::signature::{SignatureFault, files_digest, verify};
use super::source::Snapshot;
use crate::note::TrustedKey;
use crate::rule::model::Package;

/// Most bytes of a state file that is ours.
const STATE_BYTES: u64 = 64 * 1024;

/// Restrictions in force.
#[derive(Debug)]
pub struct Trust {
    keys: Vec<TrustedKey>,
    state: Option<PathBuf>,
    highest: History,
}

/// The highest version that was active, by what it is of.
type History = BTreeMap<Named, Seen>;

/// What has versions of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The package.
    Package,
    /// The site's overlay.
    Overlay,
}

/// A package or an overlay by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    part: Part,
    name: String,
}

/// A version that was active, with the digest of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    version: Version,
    content: String,
}

/// Digests of the files of what has to be signed.
#[derive(Clone, Debug)]
pub struct Contents {
    base: Option<String>,
    overlay: Option<String>,
}

/// Why a package may not become active.
#[derive(Debug, thiserror::Error)]
pub enum Distrust {
    /// A signature does not hold.
    #[error("{0}: {1}")]
    Signature(Part, SignatureFault),
    /// A version can't be compared.
    #[error(
        "{of}: `{version}` is not a version of Semantic Versioning, such as 1.4.0: what is signed is ordered by it"
    )]
    Version {
        /// Of what.
        of: Named,
        /// Its version.
        version: String,
    },
    /// Older than one that was active.
    #[error("{of}: version {version} is older than {highest}, which was active before")]
    RolledBack {
        /// What is older.
        of: Named,
        /// Its version.
        version: Version,
        /// The highest version that was active.
        highest: Version,
    },
    /// The same version with other files.
    #[error("{of}: version {version} was active before with other files: what changed needs a higher version")]
    SameVersion {
        /// What has other files.
        of: Named,
        /// Its version.
        version: Version,
    },
    /// The state file can't be read or written.
    #[error("rules.state_file: {0}")]
    State(String),
}

impl Distrust {
    /// A word for metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Signature(Part::Overlay, SignatureFault::Unsigned) => "unsigned-overlay",
            Self::Signature(_, fault) => fault.word(),
            Self::Version { .. } => "no-version",
            Self::RolledBack { .. } | Self::SameVersion { .. } => "rolled-back",
            Self::State(_) => "state-file",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Package => "package",
            Self::Overlay => "overlay",
        })
    }
}

impl fmt::Display for Named {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.part, self.name)
    }
}

impl Contents {
    /// Of what was read.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        let sources = &snapshot.sources;
        Self {
            base: (!snapshot.built_in).then(|| files_digest(&sources.base)),
            overlay: sources.overlay.as_ref().map(files_digest),
        }
    }
}

impl Trust {
    /// Restrictions by pinned keys. The highest versions are kept in memory, and
    /// in the state file where one is named.
    ///
    /// # Errors
    /// [`Distrust::State`] where the file is there and can't be read.
    pub fn new(keys: Vec<TrustedKey>, state: Option<PathBuf>) -> Result<Self, Distrust> {
        let highest = match &state {
            Some(path) => read(path).map_err(|why| Distrust::State(format!("{}: {why}", path.display())))?,
            None => History::new(),
        };
        Ok(Self { keys, state, highest })
    }

    /// Holds the signatures against the files, before any of them is parsed.
    ///
    /// # Errors
    /// [`Distrust::Signature`].
    pub fn signed(&self, snapshot: &Snapshot) -> Result<(), Distrust> {
        let held = |part, files, note: &Option<String>| {
            verify(files, note.as_deref(), &self.keys).map_err(|fault| Distrust::Signature(part, fault))
        };
        if !snapshot.built_in {
            held(Part::Package, &snapshot.sources.base, &snapshot.signature)?;
        }
        match &snapshot.sources.overlay {
            Some(files) => held(Part::Overlay, files, &snapshot.overlay_signature),
            None => Ok(()),
        }
    }

    /// Are the versions not older than any that was active?
    ///
    /// # Errors
    /// [`Distrust::Version`], [`Distrust::RolledBack`] and
    /// [`Distrust::SameVersion`].
    pub fn newer(&self, package: &Package, contents: &Contents) -> Result<(), Distrust> {
        self.seen(package, contents).map(|_| ())
    }

    /// The history as the package would leave it.
    fn seen(&self, package: &Package, contents: &Contents) -> Result<History, Distrust> {
        let mut history = self.highest.clone();
        let mut see = |part, name: &str, version: &str, content: &str| {
            let of = Named { part, name: name.to_owned() };
            let Ok(now) = Version::parse(version) else {
                return Err(Distrust::Version { of, version: version.to_owned() });
            };
            if let Some(Seen { version: highest, content: known }) = self.highest.get(&of) {
                let order = now.cmp_precedence(highest);
                if order.is_lt() {
                    return Err(Distrust::RolledBack { of, version: now, highest: highest.clone() });
                }
                if order.is_eq() && content != known {
                    return Err(Distrust::SameVersion { of, version: now });
                }
            }
            history.insert(of, Seen { version: now, content: content.to_owned() });
            Ok(())
        };
        if let Some(content) = &contents.base {
            see(Part::Package, &package.meta.name, &package.meta.version, content)?;
        }
        if let (Some(overlay), Some(content)) = (&package.overlay, &contents.overlay) {
            see(Part::Overlay, &overlay.head.name, &overlay.head.version, content)?;
        }
        Ok(history)
    }

    /// Notes that a package becomes active.
    ///
    /// # Errors
    /// As of [`Trust::newer`], and [`Distrust::State`] where it can't be
    /// noted: a version that would be forgotten could be rolled back.
    pub fn note(&mut self, package: &Package, contents: &Contents) -> Result<(), Distrust> {
        let seen = self.seen(package, contents)?;
        if self.highest == seen {
            return Ok(());
        }
        if let Some(path) = &self.state {
            write(path, &seen).map_err(|error| Distrust::State(format!("{}: {error}", path.display())))?;
        }
        self.highest = seen;
        Ok(())
    }
}

fn read(path: &Path) -> Result<History, String> {
    let size = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(History::new()),
        Err(error) => return Err(error.to_string()),
        Ok(found) => found.len(),
    };
    let text =
        if size <= STATE_BYTES { fs::read_to_string(path).map_err(|error| error.to_string())? } else { String::new() };
    let history: Option<History> = text.lines().map(line).collect();
    // A file that is empty says that nothing was active, and none of ours does.
    history.filter(|history| !history.is_empty()).ok_or_else(|| {
        "not the state that Concord wrote: lines of `package` or `overlay`, name, version and digest".to_owned()
    })
}

fn line(text: &str) -> Option<(Named, Seen)> {
    let mut words = text.split(' ');
    let part = match words.next()? {
        "package" => Part::Package,
        "overlay" => Part::Overlay,
        _ => return None,
    };
    let (name, version, content) = (words.next()?, words.next()?, words.next()?);
    if content.len() != 64 || words.next().is_some() {
        return None;
    }
    let seen = Seen { version: Version::parse(version).ok()?, content: content.to_owned() };
    Some((Named { part, name: name.to_owned() }, seen))
}

/// Beside it and then over it, so that a crash leaves the one or the other.
fn write(path: &Path, history: &History) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let beside = PathBuf::from(name);
    let lines = history.iter().map(|(of, seen)| format!("{of} {} {}\n", seen.version, seen.content));
    let mut file = File::create(&beside)?;
    file.write_all(lines.collect::<String>().as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
