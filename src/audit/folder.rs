//! The directory of the record, made so that it lasts.

use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// Makes a directory for its owner alone, and those above it. Synced with what
/// is above, else a power loss could take it and everything in it.
pub(super) fn make(dir: &Path) -> io::Result<()> {
    let above = dir.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let made = !dir.is_dir();
    if made {
        if !above.is_dir() {
            make(above)?;
        }
        match DirBuilder::new().mode(0o700).create(dir) {
            // By another process, just now.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && dir.is_dir() => {}
            other => other?,
        }
    }
    // Also where it was there: who made it may not have come this far.
    match File::open(above).and_then(|above| above.sync_all()) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied && !made => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn it_is_its_owners_alone_with_all_that_was_made_above() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b");
        make(&dir).unwrap();
        make(&dir).unwrap();
        for made in [&dir, &root.path().join("a")] {
            assert_eq!(std::fs::metadata(made).unwrap().permissions().mode() & 0o777, 0o700);
        }
        std::fs::write(root.path().join("file"), "").unwrap();
        assert!(make(&root.path().join("file")).is_err());
    }
}
