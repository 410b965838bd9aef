//! The keys of the log in files that their owner alone can read: the master key,
//! which unwraps what was sealed, and the key that signs checkpoints. Each is
//! made where there is none.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::geteuid;
use zeroize::Zeroizing;

use super::folder;
use super::seal::{LocalKey, Secret, random};
use crate::note::{PrivateKey, TrustedKey};

/// Why a key can't be used. Names the file, never what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError(String);

impl fmt::Display for KeyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for KeyError {}

fn at(path: &Path, what: impl fmt::Display) -> KeyError {
    KeyError(format!("{}: {what}", path.display()))
}

/// May others read the file, or write it? A file of root may be read by its
/// group where this is not root's process: so secrets are handed to a service by
/// systemd (credentials) and by Kubernetes (volumes with an `fsGroup`).
const fn open_to_others(mode: u32, owner: u32, user: u32) -> bool {
    let handed = owner == 0 && user != 0;
    mode & if handed { 0o037 } else { 0o077 } != 0
}

/// The text of a key file; none where there is no file.
fn read(path: &Path) -> Result<Option<Zeroizing<String>>, KeyError> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(path, error)),
        Ok(meta) if open_to_others(meta.mode(), meta.uid(), geteuid().as_raw()) => {
            return Err(at(path, "others than the owner can read this key, or write it: chmod 600"));
        }
        Ok(_) => {}
    }
    fs::read_to_string(path).map(|text| Some(Zeroizing::new(text))).map_err(|error| at(path, error))
}

/// Writes a key file, durably, before anything depends on it. A file that is
/// there is never written over.
fn create(path: &Path, text: &str) -> Result<(), KeyError> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        folder::make(dir)?;
        // Beside it first: a cut file would stand in the way of every later start.
        let beside = path.with_extension("part");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // A link fails where the name is taken, as a rename would not.
        let linked = fs::hard_link(&beside, path);
        fs::remove_file(&beside)?;
        linked?;
        File::open(dir)?.sync_all()
    };
    write().map_err(|error| at(path, error))
}

/// The master key that base64 text holds.
///
/// # Errors
/// Where it holds none. The text is not quoted.
pub fn master_key(text: &str) -> Result<LocalKey, KeyError> {
    let wrong = || KeyError("not a master key: 32 bytes in base64 are expected".to_owned());
    let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| wrong())?);
    let key: Secret = Zeroizing::new(bytes.as_slice().try_into().map_err(|_| wrong())?);
    Ok(LocalKey::new(&key))
}

/// The master key of a file, and whether it was made just now.
///
/// # Errors
/// [`KeyError`]. With `may_create` false a file that is not there is one too:
/// where a log exists, a new key would open nothing of it.
pub fn master_key_file(path: &Path, may_create: bool) -> Result<(LocalKey, bool), KeyError> {
    if let Some(text) = read(path)? {
        return Ok((master_key(&text).map_err(|error| at(path, error))?, false));
    }
    if !may_create {
        return Err(at(path, "the master key of this log is not there: what was sealed can't be opened without it"));
    }
    let key: Secret = Zeroizing::new(random().map_err(|error| at(path, error))?);
    create(path, &Zeroizing::new(format!("{}\n", STANDARD.encode(*key))))?;
    Ok((LocalKey::new(&key), true))
}

/// Who signs: the key of the file, and beside it the one that it replaces, until
/// that is retired.
pub struct Signer {
    key: PrivateKey,
    old: Option<(PathBuf, PrivateKey)>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Signer({})", self.key.public())
    }
}

/// The key that another one replaces, while both sign.
fn old(path: &Path) -> PathBuf {
    path.with_extension("old")
}

impl Signer {
    /// The key of a file, made where there is none. Its name must be that of the
    /// log.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn open(path: &Path, origin: &str) -> Result<Self, KeyError> {
        let parse = |path: &Path, text: &str| {
            let key = PrivateKey::parse(text.trim()).map_err(|fault| at(path, fault))?;
            let named = key.name() == origin;
            if named {
                Ok(key)
            } else {
                Err(at(path, format!("the key is of `{}`, and the log is `{origin}`", key.name())))
            }
        };
        let replaced = old(path);
        let old = read(&replaced)?.map(|text| parse(&replaced, &text)).transpose()?.map(|key| (replaced, key));
        if let Some(text) = read(path)? {
            return Ok(Self { key: parse(path, &text)?, old });
        }
        let seed: Secret = Zeroizing::new(random().map_err(|error| at(path, error))?);
        let key = PrivateKey::new(origin, &seed).map_err(|fault| at(path, fault))?;
        create(path, &Zeroizing::new(format!("{}\n", key.secret_text())))?;
        Ok(Self { key, old })
    }

    /// Puts a new key in the place of the one in the file, which stays beside
    /// it until the log has said that it is retired.
    ///
    /// # Errors
    /// [`KeyError`], also where a rotation is under way.
    pub fn rotate(path: &Path, origin: &str) -> Result<(), KeyError> {
        let current = Self::open(path, origin)?;
        if current.old.is_some() {
            return Err(at(
                &old(path),
                "a rotation is under way: start the service, or run the command again, to end it",
            ));
        }
        fs::rename(path, old(path)).map_err(|error| at(path, error))?;
        Self::open(path, origin).map(drop)
    }

    /// Every key that signs now.
    #[must_use]
    pub fn keys(&self) -> Vec<&PrivateKey> {
        [Some(&self.key), self.old.as_ref().map(|(_, key)| key)].into_iter().flatten().collect()
    }

    /// The public key of the file.
    #[must_use]
    pub fn public(&self) -> TrustedKey {
        self.key.public()
    }

    /// The public key of the one that was replaced, while it signs too.
    #[must_use]
    pub fn replaced(&self) -> Option<TrustedKey> {
        self.old.as_ref().map(|(_, key)| key.public())
    }

    /// Stops signing with the key that was replaced, and deletes it.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn retire(&mut self) -> Result<(), KeyError> {
        let Some((path, _)) = self.old.take() else { return Ok(()) };
        fs::remove_file(&path).map_err(|error| at(&path, error))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_group_may_read_what_root_hands_to_a_service_and_nothing_else() {
        for (mode, owner, user, open) in [
            (0o100_600, 1000, 1000, false),
            (0o100_400, 0, 0, false),
            (0o100_440, 0, 65_532, false),
            (0o100_640, 0, 65_532, false),
            (0o100_440, 0, 0, true),
            (0o100_640, 1000, 1000, true),
            (0o100_660, 0, 65_532, true),
            (0o100_444, 0, 65_532, true),
            (0o100_604, 1000, 1000, true),
        ] {
            assert_eq!(open_to_others(mode, owner, user), open, "{mode:o} of {owner}, read by {user}");
        }
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data/master.key");
        assert!(master_key_file(&path, false).unwrap_err().to_string().contains("is not there"));
        let (made, new) = master_key_file(&path, true).unwrap();
        assert!(new && fs::metadata(&path).unwrap().permissions().mode() & 0o777 == 0o600);
        let (read, new) = master_key_file(&path, true).unwrap();
        assert!(!new && format!("{made:?}") == format!("{read:?}"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(master_key_file(&path, true).unwrap_err().to_string().contains("chmod 600"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "c2hvcnQ=").unwrap();
        let error = master_key_file(&path, true).unwrap_err().to_string();
        assert!(error.contains("32 bytes") && !error.contains("c2hv"), "{error}");
    }

    #[test]
    fn a_key_that_is_replaced_signs_until_it_is_retired() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("signing.key");
        let first = Signer::open(&path, "concord/1").unwrap();
        assert_eq!(Signer::open(&path, "concord/1").unwrap().public(), first.public());
        assert!(Signer::open(&path, "concord/2").unwrap_err().to_string().contains("concord/2"));
        Signer::rotate(&path, "concord/1").unwrap();
        assert!(Signer::rotate(&path, "concord/1").unwrap_err().to_string().contains("under way"));
        let mut second = Signer::open(&path, "concord/1").unwrap();
        assert_ne!(second.public(), first.public());
        assert_eq!(second.keys().len(), 2);
        assert_eq!(second.replaced(), Some(first.public()));
        second.retire().unwrap();
        assert_eq!(Signer::open(&path, "concord/1").unwrap().keys().len(), 1);
    }
}
