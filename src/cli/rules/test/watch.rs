//! Which files a test rests on, and whether they changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How long after a change it is noticed at the latest.
const EVERY: Duration = Duration::from_millis(500);

/// Time and size of each file.
type Stamps = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// Calls `each` now and after every change below the paths, for as long as it
/// says so.
pub(super) fn watch(paths: &[&Path], mut each: impl FnMut() -> bool) {
    let mut seen = stamps(paths);
    while each() {
        loop {
            std::thread::sleep(EVERY);
            let now = stamps(paths);
            if now != seen {
                seen = now;
                break;
            }
        }
    }
}

fn stamps(paths: &[&Path]) -> Stamps {
    let mut found = Stamps::new();
    for path in paths {
        stamp(path, &mut found);
    }
    found
}

/// What can't be read is not there yet: its coming is a change.
fn stamp(path: &Path, found: &mut Stamps) {
    let Ok(meta) = std::fs::metadata(path) else { return };
    if !meta.is_dir() {
        found.insert(path.to_owned(), (meta.modified().ok(), meta.len()));
        return;
    }
    let Ok(entries) = std::fs::read_dir(path) else { return };
    entries.flatten().for_each(|entry| stamp(&entry.path(), found));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_comes_or_grows_is_a_change() {
        let dir = tempfile::tempdir().unwrap();
        let paths = [dir.path()];
        let before = stamps(&paths);
        std::fs::write(dir.path().join("a.yaml"), "a").unwrap();
        let with_a = stamps(&paths);
        assert_ne!(before, with_a);
        std::fs::write(dir.path().join("a.yaml"), "ab").unwrap();
        assert_ne!(with_a, stamps(&paths));
        assert_eq!(stamps(&paths), stamps(&paths));
    }
}
