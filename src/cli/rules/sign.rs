//! `concord rules sign` and `concord rules keygen`.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::super::settings::Unusable;
use crate::note::PrivateKey;
use crate::ruleset::signature::{self, files_digest};
use crate::ruleset::{Origin, Ruleset, SIGNATURE};

fn at(path: &Path, why: impl std::fmt::Display) -> Unusable {
    Unusable(format!("{}: {why}", path.display()))
}

/// Signs a package, or the overlay where one is named. What no server would load
/// needs no signature: the two are checked together.
pub(super) fn sign(origin: &Origin, key: &Path) -> Result<String, Unusable> {
    let text = fs::read_to_string(key).map_err(|error| at(key, error))?;
    let private = PrivateKey::parse(text.trim_end()).map_err(|fault| {
        // The text stays out: it may be a secret all the same.
        at(key, format_args!("not a private key of `concord rules keygen`: {fault}"))
    })?;
    let Some(dir) = origin.overlay.as_ref().or(origin.rules.as_ref()) else {
        return Err(Unusable("the package in the binary needs no signature: name a directory".to_owned()));
    };
    let sources = origin.read().map_err(|error| Unusable(error.to_string()))?;
    let files = sources.overlay.as_ref().unwrap_or(&sources.base).clone();
    let ruleset = Ruleset::from_sources(sources).map_err(|error| Unusable(error.to_string()))?;
    let meta = &ruleset.package().meta;
    let (name, version) = match &ruleset.package().overlay {
        Some(overlay) => (&overlay.head.name, &overlay.head.version),
        None => (&meta.name, &meta.version),
    };
    semver::Version::parse(version).map_err(|_| {
        let why = "is not a version of Semantic Versioning, such as 1.4.0: what is signed is ordered by it";
        Unusable(format!("`{version}` {why}"))
    })?;
    let path = dir.join(SIGNATURE);
    fs::write(&path, signature::sign(&files, &private)).map_err(|error| at(&path, error))?;
    let (count, digest) = (files.count(), files_digest(&files));
    Ok(format!("{}: {name} {version}, {count} files, content sha256 {digest}\n", path.display()))
}

/// Makes a key.
pub(super) fn keygen(name: &str, out: &Path) -> Result<String, Unusable> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Unusable(format!("no random bytes: {error}")))?;
    let private = PrivateKey::new(name, &seed).map_err(|fault| Unusable(format!("--name: {fault}")))?;
    // Never over a key that is in use.
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(out).map_err(|error| at(out, error))?;
    file.write_all(format!("{}\n", private.secret_text()).as_bytes()).map_err(|error| at(out, error))?;
    file.sync_all().map_err(|error| at(out, error))?;
    Ok(format!("{}\n", private.public()))
}
