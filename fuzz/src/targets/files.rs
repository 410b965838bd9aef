//! What is read from files and from the environment.

use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use concord::api::limits::Limits;
use concord::api::proto::EvaluateRequest;
use concord::api::{differ, json, request};
use concord::cli::input::{Source, documents};
use concord::config::{KEYS, Layers, load};
use jiff::Timestamp;
use prost::Message;
use tempfile::NamedTempFile;

/// A file of patients: what kind, the first byte says.
pub fn input(data: &[u8]) {
    let Some((which, data)) = data.split_first() else { return };
    let Ok(text) = str::from_utf8(data) else { return };
    let name = match which {
        b'y' => "x.yaml",
        b'n' => "x.ndjson",
        b'j' => "x.json",
        _ => "-",
    };
    for document in documents(&Source { name: name.to_owned(), text: text.to_owned() }) {
        assert!(document.line >= 1);
        let request = match document.request {
            Ok(request) => request,
            Err(unreadable) => {
                assert!(unreadable.to_string().starts_with(name));
                continue;
            }
        };
        let line = json::to_line(&request).expect("a request has a JSON form");
        let read: EvaluateRequest = json::from_str(&line).expect("which reads back");
        assert_eq!(request.encode_to_vec(), read.encode_to_vec());
        let _ = request::read(request, &Limits::default(), Timestamp::UNIX_EPOCH);
    }
}

static FILE: LazyLock<Mutex<NamedTempFile>> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    Mutex::new(NamedTempFile::new_in(folder).expect("a file"))
});

fn written(text: &[u8]) -> PathBuf {
    let mut file = FILE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let opened = file.as_file_mut();
    opened.set_len(0).and_then(|()| opened.rewind()).and_then(|()| opened.write_all(text)).expect("written");
    file.path().to_owned()
}

/// A file of settings; after a zero byte, variables, a line each.
pub fn config(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let file = parts.next().filter(|text| !text.is_empty()).map(written);
    let variables = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let variable = |line: &str| {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        (name.to_owned(), value.to_owned())
    };
    let layers = Layers { file, environment: variables.lines().map(variable).collect(), flags: Vec::new() };
    match load(&layers) {
        Ok(loaded) => {
            let names: Vec<&str> = loaded.entries.iter().map(|entry| entry.key).collect();
            assert!(KEYS.iter().map(|key| key.name).eq(names), "every key is in force once");
            let shown = |entry: &concord::config::Entry| {
                let key = KEYS.iter().find(|key| key.name == entry.key);
                key.is_some_and(|key| key.secret) && !matches!(entry.value.as_str(), "" | "(not shown)")
            };
            assert!(!loaded.entries.iter().any(shown), "a secret is shown");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Two JSON values, with a zero byte between them.
pub fn differ(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let mut next = || serde_json::from_slice::<serde_json::Value>(parts.next()?).ok();
    let Some((before, after)) = next().zip(next()) else { return };
    let found = differ::differences(&before, &after);
    assert_eq!(found.is_empty(), before == after);
    assert_eq!(found.len(), differ::differences(&after, &before).len());
    assert!(found.iter().all(|one| one.before != one.after));
}
