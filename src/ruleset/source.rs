//! Where the files of a package come from: a directory, or the binary.

use std::fs;
use std::path::{Path, PathBuf};

use crate::diag::Files;
use crate::rule::yaml::MAX_FILE_BYTES;

use super::LoadError;

/// Most files of a package.
pub const MAX_FILES: usize = 1_000;

/// The files of the shipped package, by name.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded_rules.rs"));

/// Where a package is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Directory of the package; none: the one in the binary.
    pub rules: Option<PathBuf>,
    /// Directory of a site's overlay; none: no overlay.
    pub overlay: Option<PathBuf>,
}

/// The files of a package, read into memory.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The package.
    pub base: Files,
    /// The overlay.
    pub overlay: Option<Files>,
}

impl Origin {
    /// Reads every file.
    ///
    /// # Errors
    /// [`LoadError::Unreadable`] where they can't be read.
    pub fn read(&self) -> Result<Sources, LoadError> {
        let base = match &self.rules {
            Some(dir) => read_dir(dir)?,
            None => embedded(),
        };
        Ok(Sources { base, overlay: None })
    }
}

/// The shipped package.
#[must_use]
pub fn embedded() -> Files {
    Files::new(EMBEDDED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

/// Every `*.yaml` below a directory, `cases` aside: those are patients, not rules.
///
/// # Errors
/// [`LoadError::Unreadable`] where a file can't be read, is not UTF-8, is too
/// large, or leads out of the directory, or where there is none.
pub fn read_dir(dir: &Path) -> Result<Files, LoadError> {
    let root = dir.canonicalize().map_err(|error| unreadable(dir, &error.to_string()))?;
    let mut files = Vec::new();
    walk(&root, &root, &mut files)?;
    if files.is_empty() {
        return Err(unreadable(dir, "no rules: the directory holds no file named *.yaml"));
    }
    Ok(Files::new(files))
}

fn unreadable(path: &Path, why: &str) -> LoadError {
    LoadError::Unreadable(format!("{}: {why}", path.display()))
}

fn walk(root: &Path, dir: &Path, files: &mut Vec<(String, String)>) -> Result<(), LoadError> {
    let entries = fs::read_dir(dir).map_err(|error| unreadable(dir, &error.to_string()))?;
    for entry in entries {
        let path = entry.map_err(|error| unreadable(dir, &error.to_string()))?.path();
        // Names with a leading dot are not part of a package: a Kubernetes
        // ConfigMap keeps its generations below `..data`.
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with('.') || (dir == root && name == "cases") {
            continue;
        }
        let real = path.canonicalize().map_err(|error| unreadable(&path, &error.to_string()))?;
        if !real.starts_with(root) {
            return Err(unreadable(&path, "a link out of the directory"));
        }
        if real.is_dir() {
            walk(root, &path, files)?;
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
