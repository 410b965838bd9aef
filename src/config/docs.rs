//! Every setting as a page: `concord config docs`, kept as `docs/settings.md`.

use super::keys::{KEYS, Key, Preset};
use super::{FILE_VARIABLE, PREFIX};

/// The page, Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = format!(
        "# Settings\n\nMade by `concord config docs` from the code; a test holds this page to it.\n\n\
         A setting comes from the first of these that has it: a flag (`--set limits.streams=50`), the environment, \
         the file (TOML, named by `--config` or by `{FILE_VARIABLE}`), the default. `server.grpc_addr` is \
         `grpc_addr` under `[server]` in the file. An unknown key, a value that its key can't have and protection \
         that is set in part end the program with exit code 2 and a line that names the key; an empty variable is \
         as if it were not there. `concord config` prints what is in force and where it comes from.\n\n\
         A duration is a whole number and `ms`, `s` or `m`: `250ms`, `5s`, `30m`. A list is one of TOML in the file, \
         and text with commas elsewhere. The value of a secret is shown nowhere; it belongs into the environment \
         or into a file that only the service can read.\n"
    );
    let mut section = "";
    for key in KEYS {
        let (own, _) = key.name.split_once('.').unwrap_or((key.name, ""));
        if own != section {
            section = own;
            page.push_str(&format!(
                "\n## {section}\n\n| key | type | unit | default | meaning | environment variable |\n\
                 | --- | --- | --- | --- | --- | --- |\n"
            ));
        }
        page.push_str(&row(key));
    }
    page
}

fn row(key: &Key) -> String {
    let default = match key.default {
        Preset::Text(text) => format!("`{text}`"),
        Preset::Whole(count) => format!("`{count}`"),
        Preset::Number(number) => format!("`{number:?}`"),
        Preset::Flag(flag) => format!("`{flag}`"),
        Preset::Absent => "none".to_owned(),
    };
    let (kind, unit) = (key.kind.describe(), key.kind.unit());
    let secret = if key.secret { ", secret" } else { "" };
    // A bar would end the cell.
    let about = key.about.replace('|', "\\|");
    format!("| `{}` | {kind}{secret} | {unit} | {default} | {about} | `{}` |\n", key.name, variable(key.name))
}

/// The variable of a key.
fn variable(key: &str) -> String {
    format!("{PREFIX}__{}", key.to_uppercase().replace('.', "__"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layers, load};

    #[test]
    fn docs_settings_md_is_this_page() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        let command = "cargo run -- config docs > docs/settings.md";
        assert!(kept == page(), "docs/settings.md is not what the code says; write it anew: {command}");
    }

    #[test]
    fn every_variable_of_the_page_sets_its_key() {
        for key in KEYS {
            let value = match key.default {
                Preset::Text(text) => text.to_owned(),
                Preset::Whole(count) => count.to_string(),
                Preset::Number(number) => number.to_string(),
                Preset::Flag(flag) => flag.to_string(),
                // A value that fits nothing else than this key is another test's.
                Preset::Absent => continue,
            };
            let environment = vec![(variable(key.name), value)];
            let loaded = load(&Layers { environment, ..Layers::default() }).unwrap();
            let entry = loaded.entries.iter().find(|entry| entry.key == key.name).unwrap();
            assert_eq!(entry.origin.to_string(), format!("env {}", variable(key.name)));
        }
    }

    #[test]
    fn the_example_files_are_settings() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/config");
        let mut read = 0;
        for file in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            let secret = ("CONCORD__AUDIT__POSTGRES".to_owned(), "postgres://concord@db.example/concord".to_owned());
            let shared = std::fs::read_to_string(&file).unwrap().contains("\"postgres\"");
            let environment = shared.then_some(secret).into_iter().collect();
            load(&Layers { file: Some(file.clone()), environment, ..Layers::default() })
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            read += 1;
        }
        assert_eq!(read, 3, "single-node, mesh-mtls-postgres, container");
    }

    #[test]
    fn sections_stand_together() {
        let sections = page().lines().filter(|line| line.starts_with("## ")).count();
        let names: std::collections::BTreeSet<&str> =
            KEYS.iter().filter_map(|key| key.name.split_once('.')).map(|(section, _)| section).collect();
        assert_eq!(sections, names.len(), "keys of one section stand together in KEYS");
    }
}
