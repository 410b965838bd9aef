//! Where the files of a package and of its overlay come from: directories, or
//! the binary.

use std::fs;
use std::path::{Path, PathBuf};

use crate::diag::Files;
use crate::rule::yaml::MAX_FILE_BYTES;

use super::LoadError;

/// The folder of a package that holds its cases.
const CASES: &str = "cases";

/// Most files of a package.
pub const MAX_FILES: usize = 1_000;

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

/// The files of a package and of its overlay.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The package.
    pub base: Files,
    /// The overlay, where there is one.
    pub overlay: Option<Files>,
}

impl Origin {
    /// Reads the files.
    ///
    /// # Errors
    /// [`LoadError::Unreadable`] where a file or directory can't be read.
    pub fn read(&self) -> Result<Sources, LoadError> {
        Ok(Sources {
            base: self.rules.as_deref().map_or_else(|| Ok(embedded()), read_dir)?,
            overlay: self.overlay.as_deref().map(read_dir).transpose()?,
        })
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
    let mut files = Vec::new();
    walk(&root, &root, None, &mut files)?;
    if files.is_empty() {
        return Err(unreadable(path, "no cases: the folder holds no file named *.yaml"));
    }
    Ok(files.into_iter().map(|(name, text)| (shown(&name), text)).collect())
}

/// The shipped package.
#[must_use]
fn embedded() -> Files {
    Files::new(EMBEDDED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

/// Every `*.yaml` below a directory, `cases` aside: those are patients, not rules.
///
/// # Errors
/// [`LoadError::Unreadable`] where a file can't be read, is not UTF-8, is too
/// large, or leads out of the directory, or where there is none.
fn read_dir(dir: &Path) -> Result<Files, LoadError> {
    let root = dir.canonicalize().map_err(|error| unreadable(dir, &error.to_string()))?;
    let mut files = Vec::new();
    walk(&root, &root, Some(CASES), &mut files)?;
    if files.is_empty() {
        return Err(unreadable(dir, "no rules: the directory holds no file named *.yaml"));
    }
    Ok(Files::new(files))
}

fn unreadable(path: &Path, why: &str) -> LoadError {
    LoadError::Unreadable(format!("{}: {why}", path.display()))
}

/// `besides`: a folder of the root that is left out.
fn walk(root: &Path, dir: &Path, besides: Option<&str>, files: &mut Vec<(String, String)>) -> Result<(), LoadError> {
    let entries = fs::read_dir(dir).map_err(|error| unreadable(dir, &error.to_string()))?;
    for entry in entries {
        let path = entry.map_err(|error| unreadable(dir, &error.to_string()))?.path();
        // Names with a leading dot are not part of a package: a Kubernetes
        // ConfigMap keeps its generations below `..data`.
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with('.') || (dir == root && besides == Some(name)) {
            continue;
        }
        let real = path.canonicalize().map_err(|error| unreadable(&path, &error.to_string()))?;
        if !real.starts_with(root) {
            return Err(unreadable(&path, "a link out of the directory"));
        }
        if real.is_dir() {
            walk(root, &path, besides, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push((relative(root, &path), read_file(&path)?));
            if files.len() > MAX_FILES {
                return Err(unreadable(root, &format!("more than {MAX_FILES} files")));
            }
        }
    }
    Ok(())
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

fn read_file(path: &Path) -> Result<String, LoadError> {
    let size = fs::metadata(path).map_err(|error| unreadable(path, &error.to_string()))?.len();
    if size > MAX_FILE_BYTES as u64 {
        return Err(unreadable(path, &format!("larger than {MAX_FILE_BYTES} bytes")));
    }
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        unreadable(path, &format!("not UTF-8 at byte {at}: save the file as UTF-8"))
    })
}
