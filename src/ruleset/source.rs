//! Where the files of a package and of its overlay come from: directories, the
//! binary, or a request. Each is read into memory once; what is hashed, checked
//! and compiled is what was read.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::LoadError;
use crate::diag::Files;
use crate::rule::yaml::MAX_FILE_BYTES;

/// The folder of a package that holds its cases.
const CASES: &str = "cases";

/// Most files of a package.
pub const MAX_FILES: usize = 1_000;

/// Most bytes of a package that is read from a directory.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;

/// The signature of a package or of an overlay, beside its files.
pub const SIGNATURE: &str = "package.sig";

/// Folder that the files of an overlay are shown in.
const OVERLAY: &str = "overlay";

/// Readings of a directory until two that follow each other must be equal.
const READINGS: usize = 5;

/// The files of the shipped package, by name.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded_rules.rs"));

/// Where a package comes from, and the overlay that a site lays over it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Directory of the package; none: the one in the binary.
    pub rules: Option<PathBuf>,
    /// Directory of the overlay; none: there is no overlay.
    pub overlay: Option<PathBuf>,
}

/// The files of a package and of its overlay, read into memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// The package.
    pub base: Files,
    /// The overlay, where there is one.
    pub overlay: Option<Files>,
}

/// The files with the signatures that were beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The files.
    pub sources: Sources,
    /// Is the package the one in the binary? Then it needs no signature: who
    /// can change it can change what would verify it.
    pub built_in: bool,
    /// The text of `package.sig` of the package.
    pub signature: Option<String>,
    /// The text of `package.sig` of the overlay.
    pub overlay_signature: Option<String>,
}

impl Origin {
    /// Reads every file.
    ///
    /// # Errors
    /// [`LoadError::Unreadable`] where a file or directory can't be read, and
    /// [`LoadError::Changing`] where they don't hold still.
    pub fn read(&self) -> Result<Sources, LoadError> {
        Ok(self.snapshot()?.sources)
    }

    /// Reads every file, and the signatures.
    ///
    /// # Errors
    /// As of [`Origin::read`].
    pub fn snapshot(&self) -> Result<Snapshot, LoadError> {
        settled(|| self.snapshot_once())
    }

    fn snapshot_once(&self) -> Result<Snapshot, LoadError> {
        let signature = |dir: &Option<PathBuf>| dir.as_deref().map(read_signature).transpose().map(Option::flatten);
        Ok(Snapshot {
            sources: Sources {
                base: self.rules.as_deref().map_or_else(|| Ok(embedded()), read_dir)?,
                overlay: self.overlay.as_deref().map(read_dir).transpose()?,
            },
            built_in: self.rules.is_none(),
            signature: signature(&self.rules)?,
            overlay_signature: signature(&self.overlay)?,
        })
    }

    /// The directories that files come from.
    pub fn dirs(&self) -> impl Iterator<Item = &Path> {
        [&self.rules, &self.overlay].into_iter().flatten().map(PathBuf::as_path)
    }
}

impl Sources {
    /// All files as they are shown: those of the overlay after the others, below
    /// `overlay/`.
    #[must_use]
    pub fn files(self) -> Files {
        match self.overlay {
            Some(overlay) => self.base.followed_by(OVERLAY, overlay),
            None => self.base,
        }
    }
}

impl From<Files> for Sources {
    /// A package without an overlay.
    fn from(base: Files) -> Self {
        Self { base, overlay: None }
    }
}

/// The files of its cases, by name.
const EMBEDDED_CASES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded_cases.rs"));

/// The cases of the shipped package.
#[must_use]
pub fn embedded_cases() -> Vec<(String, String)> {
    EMBEDDED_CASES.iter().map(|(name, text)| (format!("cases/{name}"), (*text).to_owned())).collect()
}

/// Every `*.yaml` below a folder of cases, or one case file. Names are paths
/// as they are reached from here.
///
/// # Errors
/// [`LoadError::Unreadable`], as in [`read_dir`].
pub fn case_files(path: &Path) -> Result<Vec<(String, String)>, LoadError> {
    let root = path.canonicalize().map_err(|error| unreadable(path, &error.to_string()))?;
    let shown = |name: &str| path.join(name).to_string_lossy().replace('\\', "/");
    if !root.is_dir() {
        return Ok(vec![(path.to_string_lossy().replace('\\', "/"), read_file(&root)?)]);
    }
    let mut walk = Walk { root: &root, besides: None, files: Vec::new(), bytes: 0 };
    walk.dir(&root)?;
    if walk.files.is_empty() {
        return Err(unreadable(path, "no cases: the folder holds no file named *.yaml"));
    }
    Ok(walk.files.into_iter().map(|(name, text)| (shown(&name), text)).collect())
}

/// Reads until two readings are equal: a file that is written meanwhile, or a
/// directory that is swapped, must not give half of one package and half of
/// another, nor a package with the overlay of another.
fn settled<T: PartialEq>(read: impl Fn() -> Result<T, LoadError>) -> Result<T, LoadError> {
    let mut before = read();
    for _ in 1..READINGS {
        let now = read();
        match (before, now) {
            (Ok(before), Ok(now)) if before == now => return Ok(now),
            (Err(_), Err(now)) => return Err(now),
            (_, now) => before = now,
        }
    }
    Err(LoadError::Changing("the files of the rules package change while they are read".to_owned()))
}

/// The shipped package.
fn embedded() -> Files {
    Files::new(EMBEDDED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

/// Why a path can't be that of a file of a package, if it can't. It is a line
/// of the manifest that a signature covers.
#[must_use]
pub fn path_fault(path: &str) -> Option<&'static str> {
    if path.is_empty() || path.len() > 256 {
        return Some("a path has 1 to 256 bytes");
    }
    if path.chars().any(|character| character.is_control() || character == '\\') {
        return Some("a path has no control character and no backslash");
    }
    if path.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        return Some("a path is relative, and no part of it is empty or begins with a dot");
    }
    if Path::new(path).extension().is_none_or(|ending| ending != "yaml") {
        return Some("the files of a package end in `.yaml`");
    }
    None
}

/// Every `*.yaml` below a directory, `cases` aside: those are patients, not rules.
///
/// # Errors
/// [`LoadError::Unreadable`] where a file can't be read, is not UTF-8, is too
/// large, or leads out of the directory, or where there is none.
fn read_dir(dir: &Path) -> Result<Files, LoadError> {
    let root = dir.canonicalize().map_err(|error| unreadable(dir, &error.to_string()))?;
    let mut walk = Walk { root: &root, besides: Some(CASES), files: Vec::new(), bytes: 0 };
    walk.dir(&root)?;
    if walk.files.is_empty() {
        return Err(unreadable(dir, "no rules: the directory holds no file named *.yaml"));
    }
    Ok(Files::new(walk.files))
}

fn read_signature(dir: &Path) -> Result<Option<String>, LoadError> {
    let root = dir.canonicalize().map_err(|error| unreadable(dir, &error.to_string()))?;
    let path = root.join(SIGNATURE);
    if path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        return Ok(None);
    }
    inside(&root, &path)?;
    read_file(&path).map(Some)
}

fn unreadable(path: &Path, why: &str) -> LoadError {
    LoadError::Unreadable(format!("{}: {why}", path.display()))
}

/// Where a path leads, which must be inside.
fn inside(root: &Path, path: &Path) -> Result<PathBuf, LoadError> {
    let real = path.canonicalize().map_err(|error| unreadable(path, &error.to_string()))?;
    if real.starts_with(root) { Ok(real) } else { Err(unreadable(path, "a link out of the directory")) }
}

struct Walk<'a> {
    root: &'a Path,
    /// A folder of the root that is left out.
    besides: Option<&'static str>,
    files: Vec<(String, String)>,
    bytes: usize,
}

impl Walk<'_> {
    fn dir(&mut self, dir: &Path) -> Result<(), LoadError> {
        let entries = fs::read_dir(dir).map_err(|error| unreadable(dir, &error.to_string()))?;
        for entry in entries {
            let path = entry.map_err(|error| unreadable(dir, &error.to_string()))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                return Err(unreadable(&path, "the name of the file is not UTF-8"));
            };
            // Names with a leading dot are not part of a package: a Kubernetes
            // ConfigMap keeps its generations below `..data`.
            if name.starts_with('.') || (dir == self.root && self.besides == Some(name)) {
                continue;
            }
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            if inside(self.root, &path)?.is_dir() {
                self.dir(&path)?;
            } else if ending == "yaml" {
                self.file(&path)?;
            } else if ["yaml", "yml"].iter().any(|meant| ending.eq_ignore_ascii_case(meant)) {
                // Left out without a word, its rules would be missed by no one.
                return Err(unreadable(&path, "the files of a package end in `.yaml`: rename it"));
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<(), LoadError> {
        let name = path.strip_prefix(self.root).unwrap_or(path).to_string_lossy().into_owned();
        if let Some(fault) = path_fault(&name) {
            return Err(unreadable(path, fault));
        }
        let text = read_file(path)?;
        self.bytes = self.bytes.saturating_add(text.len());
        self.files.push((name, text));
        if self.files.len() > MAX_FILES {
            return Err(unreadable(self.root, &format!("more than {MAX_FILES} files")));
        }
        if self.bytes > MAX_BYTES {
            return Err(unreadable(self.root, &format!("the files are larger than {MAX_BYTES} bytes in all")));
        }
        Ok(())
    }
}

fn read_file(path: &Path) -> Result<String, LoadError> {
    let failed = |error: std::io::Error| unreadable(path, &error.to_string());
    // Before it is opened: to open a pipe would wait for its writer.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(unreadable(path, "not a regular file"));
    }
    let mut bytes = Vec::new();
    let most = MAX_FILE_BYTES as u64;
    File::open(path).map_err(failed)?.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(unreadable(path, &format!("larger than {MAX_FILE_BYTES} bytes")));
    }
    text(bytes).map_err(|why| unreadable(path, &why))
}

/// Bytes as text.
///
/// # Errors
/// What is wrong, where they are not UTF-8.
pub fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("not UTF-8 at byte {at}: save the file as UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_does_not_hold_still_is_not_read() {
        let count = Cell::new(0);
        let next = || {
            count.set(count.get() + 1);
            Ok(count.get())
        };
        assert!(matches!(settled(next), Err(LoadError::Changing(_))));
        assert_eq!(count.get(), READINGS);
        count.set(0);
        let last = settled(|| next().map(|number| number.min(3)));
        assert_eq!((last.ok(), count.get()), (Some(3), 4));
        let gone: Result<u8, _> = settled(|| Err(LoadError::Unreadable("gone".to_owned())));
        assert!(matches!(gone, Err(LoadError::Unreadable(_))));
    }

    #[test]
    fn a_path_of_a_package_can_stand_in_a_manifest() {
        for path in ["a.yaml", "safety/suicide.yaml", "ä b.yaml"] {
            assert_eq!(path_fault(path), None, "{path}");
        }
        for path in
            ["", "/a.yaml", "../a.yaml", "a/../b.yaml", "a//b.yaml", ".a.yaml", "a\nb.yaml", "a.yml", "a\\b.yaml"]
        {
            assert!(path_fault(path).is_some(), "{path:?}");
        }
    }
}
