//! Rules packages.

use std::sync::LazyLock;

use concord::clinical::date::AsOf;
use concord::clinical::patient::Patient;
use concord::diag::{self, Files, Level};
use concord::engine::decision::Explain;
use concord::ruleset::{Depth, Ruleset, Sources, archive as packed, check_sources, text};
use jiff::Timestamp;

/// What stands beside a file of rules, unless it is a package of its own.
const BASE: &str = include_str!("../../../tests/broken/base.yaml");

/// A file of a package; after a zero byte, a file of an overlay.
pub fn rules(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0).map(|part| text(part.to_vec()));
    let (Some(Ok(file)), Ok(overlay)) = (parts.next(), parts.next().transpose()) else { return };
    let named = |name: &str, text: String| (name.to_owned(), text);
    let whole = file.starts_with("package:") || file.contains("\npackage:");
    let mut files = vec![named("rules.yaml", file)];
    if !whole {
        files.push(named("base.yaml", BASE.to_owned()));
    }
    let overlay = overlay.map(|text| Files::new(vec![named("overlay.yaml", text)]));
    let sources = Sources { base: Files::new(files), overlay };
    let checked = check_sources(sources, Some("2026-11-23"), Depth::All);
    let (shown, errors) = (checked.render(true), checked.errors());
    assert_eq!(shown.is_empty(), checked.diagnostics.is_empty(), "{shown}");
    let rows = diag::to_json(&checked.diagnostics, &checked.files);
    assert!(rows.as_array().is_none_or(|rows| rows.len() == checked.diagnostics.len()));
    let _ = diag::to_sarif(&checked.diagnostics, &checked.files, "0");
    for one in &checked.diagnostics {
        assert!(!one.message.is_empty() && (one.level == Level::Error || errors == 0 || one.level == Level::Warning));
    }
    if errors > 0 {
        return;
    }
    let ruleset = Ruleset::from_checked(checked).expect("a package without a fault");
    let as_of = AsOf::utc(Timestamp::UNIX_EPOCH);
    let _ = ruleset.evaluate_with_drafts(&Patient::default(), &as_of, Explain::Full);
    let again = packed::load(&packed::pack(ruleset.sources())).expect("its archive");
    assert_eq!(again.digest(), ruleset.digest());
}

static EMPTY: LazyLock<usize> = LazyLock::new(|| packed::pack(&Sources::from(Files::default())).len());

/// A package as it is archived.
pub fn archive(data: &[u8]) {
    let Ok(sources) = packed::unpack(data) else { return };
    let bytes = packed::pack(&sources);
    assert!(bytes.len() >= *EMPTY);
    assert_eq!(packed::unpack(&bytes).expect("what was packed"), sources);
}
