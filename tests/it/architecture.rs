//! The house of `docs/architecture.md`: which room may import which, what the lower floors never touch, and how a
//! file is kept. Reads the sources, so that an invariant that is broken fails here and not in review.
//!
//! What only tests compile (`#[cfg(test)]`, and the files of such modules) is exempt.

mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use self::source::{Kind, Source, Token, files};

/// A floor: a module imports only from floors below its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Floor {
    /// Imports no room, and is imported by floors 4 and 5 only.
    Leaf,
    Level(u8),
}

/// Every room of `src/`. A new one is added here and in `docs/architecture.md`.
const ROOMS: [(&str, Floor); 20] = [
    ("main", Floor::Level(6)),
    ("cli", Floor::Level(5)),
    ("server", Floor::Level(4)),
    ("deck", Floor::Level(4)),
    ("admin", Floor::Level(4)),
    ("api", Floor::Level(3)),
    ("interop", Floor::Level(3)),
    ("handbook", Floor::Level(3)),
    ("ruleset", Floor::Level(2)),
    ("audit", Floor::Level(2)),
    ("identity", Floor::Level(2)),
    ("engine", Floor::Level(1)),
    ("analysis", Floor::Level(1)),
    ("program", Floor::Level(0)),
    ("rule", Floor::Level(0)),
    ("clinical", Floor::Level(0)),
    ("diag", Floor::Level(0)),
    ("note", Floor::Level(0)),
    ("config", Floor::Leaf),
    ("telemetry", Floor::Leaf),
];

/// Imports on one floor, each with its reason. There is no way back along any of them.
const BESIDE: [(&str, &str); 5] = [
    // The compiled form is made from the rule language, and keeps the places of its parts.
    ("program", "rule"),
    ("program", "clinical"),
    ("program", "diag"),
    // A rule speaks of concepts, units and dates.
    ("rule", "clinical"),
    // What is wrong with a rule is said as a diagnostic.
    ("rule", "diag"),
];

/// What floors 0 and 1 never name, and why. A lone word is met anywhere in a path; `::` joins neighbors; `^` is the
/// beginning of a path.
const OUTSIDE: [(&str, &str); 19] = [
    ("std::fs", "reads or writes files; `ruleset` does that"),
    ("std::io", "does I/O; results go up as values"),
    ("std::net", "opens sockets; `server` does that"),
    ("std::env", "reads the environment; `config` does that, and values come as arguments"),
    ("std::process", "starts or ends processes; `cli` does that"),
    ("std::thread", "an evaluation is one thread's work, so that it can be replayed"),
    ("SystemTime", "reads a clock; the instant `as_of` is an argument"),
    ("time::Instant", "reads a clock; the instant `as_of` is an argument"),
    ("now", "reads a clock; the instant `as_of` is an argument"),
    ("^tokio", "no async below floor 2"),
    ("^prost", "protobuf is known to `api` alone"),
    ("^prost_types", "protobuf is known to `api` alone"),
    ("^prost_reflect", "protobuf is known to `api` alone"),
    ("^tonic", "gRPC is known to `api` and `server` alone"),
    ("^tonic_types", "gRPC is known to `api` and `server` alone"),
    ("^tracing", "no logging: a record must not reach a log by accident"),
    ("^rand", "no randomness: same input, same bytes"),
    ("^getrandom", "no randomness: same input, same bytes"),
    ("^uuid", "no randomness: ids of decisions are made above"),
];

/// Libraries of the wire, and the only rooms that name them: what comes from outside is translated once.
const WIRE: [(&str, &[&str]); 6] = [
    ("prost", &["api", "interop"]),
    ("prost_types", &["api", "interop"]),
    ("prost_reflect", &["api", "interop"]),
    ("tonic", &["api", "interop", "server"]),
    ("tonic_types", &["api", "interop", "server"]),
    ("tonic_prost", &["api", "interop"]),
];

/// Macros that floors 0 and 1 never call.
const SPEAKING: [&str; 4] = ["println", "eprintln", "print", "eprint"];

/// Macros that write to logs and spans.
const LOGGING: [&str; 12] = [
    "event",
    "trace",
    "debug",
    "info",
    "warn",
    "error",
    "span",
    "trace_span",
    "debug_span",
    "info_span",
    "warn_span",
    "error_span",
];

/// Macros that no room calls, since a record must not be able to end the process.
const PANICKING: [&str; 4] = ["panic", "todo", "unimplemented", "dbg"];

/// A file is split before it has more lines than this.
const LINES_MOST: usize = 700;

/// From here on a file is named in the output of the test.
const LINES_MANY: usize = 400;

fn floor(room: &str) -> Option<Floor> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor)
}

/// Why `from` may not import `to`, if it may not.
fn forbidden(from: &str, to: &str) -> Option<String> {
    let (Some(here), Some(there)) = (floor(from), floor(to)) else {
        return Some(format!(
            "`{to}` is no room of the table; a room is added with its floor, and lib.rs exports rooms only"
        ));
    };
    let level = |floor: Floor| if let Floor::Level(level) = floor { Some(level) } else { None };
    match (level(here), level(there)) {
        _ if from == to || BESIDE.contains(&(from, to)) => None,
        (None, _) => Some(format!("`{from}` is a leaf: it imports no room")),
        (Some(here), None) if here >= 4 => None,
        (Some(here), None) => {
            Some(format!("`{to}` is a leaf for floors 4 and 5; floor {here} takes what it needs as arguments"))
        }
        (Some(here), Some(there)) if there < here => None,
        (Some(here), Some(there)) if there == here => {
            Some(format!("both are on floor {here}, and the table has no such edge"))
        }
        (Some(here), Some(there)) => Some(format!("floor {here} may not know floor {there} above it")),
    }
}

/// Edges of a file that the table forbids.
fn wrong_edges(source: &Source) -> BTreeSet<String> {
    let paths = source.paths();
    let edges = paths.iter().filter(|(path, _)| path.len() > 1 && path[0] == "crate");
    edges
        .filter_map(|(path, line)| {
            let why = forbidden(source.room(), &path[1])?;
            Some(format!("src/{}:{line}: {} -> {}: {why}", source.name, source.room(), path[1]))
        })
        .collect()
}

/// What a file of floor 0 or 1 names and must not.
fn wrong_names(source: &Source) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, line) in source.paths() {
        for (pattern, why) in OUTSIDE {
            if names(&path, pattern) {
                found.insert(format!("src/{}:{line}: {}: {why}", source.name, path.join("::")));
            }
        }
    }
    for (name, line) in macros(source, &SPEAKING) {
        found.insert(format!("src/{}:{line}: {name}!: speaks to the terminal; `cli` does that", source.name));
    }
    found
}

fn names(path: &[String], pattern: &str) -> bool {
    if let Some(first) = pattern.strip_prefix('^') {
        return path.first().is_some_and(|part| part == first);
    }
    let wanted: Vec<&str> = pattern.split("::").collect();
    path.windows(wanted.len()).any(|part| part.iter().zip(&wanted).all(|(left, right)| left == right))
}

/// Calls of the macros in `wanted`, with their lines.
fn macros<'a>(source: &'a Source, wanted: &[&str]) -> Vec<(&'a str, usize)> {
    let calls = source.tokens.windows(2).filter_map(|pair| match (&pair[0].kind, &pair[1].kind) {
        (Kind::Word(name), Kind::Mark('!')) if wanted.contains(&name.as_str()) => Some((name.as_str(), pair[0].line)),
        _ => None,
    });
    calls.collect()
}

/// Ways in which a file could end the process on input.
fn panics(source: &Source) -> Vec<String> {
    let methods = source.tokens.windows(3).filter_map(|three| match three {
        [
            Token { kind: Kind::Mark('.'), .. },
            Token { kind: Kind::Word(name), line },
            Token { kind: Kind::Mark('('), .. },
        ] if name == "unwrap" || name == "expect" => Some((name.as_str(), *line)),
        _ => None,
    });
    let calls = methods.chain(macros(source, &PANICKING));
    calls
        .map(|(name, line)| format!("src/{}:{line}: {name}: say what happens instead, as a value", source.name))
        .collect()
}

/// Ways in which what a type holds could be logged without being meant: fields in their `Debug` form, and functions that
/// record their arguments.
fn logged(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    for (at, token) in source.tokens.iter().enumerate() {
        let before = |back: usize| at.checked_sub(back).map(|at| &source.tokens[at].kind);
        let opens = token.kind == Kind::Mark('(')
            && before(1) == Some(&Kind::Mark('!'))
            && matches!(before(2), Some(Kind::Word(name)) if LOGGING.contains(&name.as_str()));
        match &token.kind {
            _ if opens => depth = 1,
            Kind::Mark('(') if depth > 0 => depth += 1,
            Kind::Mark(')') if depth > 0 => depth -= 1,
            // The mark of an error passed on stands after a value, that of `Debug` before one.
            Kind::Mark('?') if depth > 0 && matches!(before(1), Some(Kind::Mark('(' | ',' | '='))) => {
                found.push(format!("src/{}:{}: ?: log what is meant, by `Display`", source.name, token.line));
            }
            Kind::Literal(text) if depth > 0 && text.contains("?}") => {
                found.push(format!("src/{}:{}: {text}: log what is meant, by `Display`", source.name, token.line));
            }
            Kind::Word(word) if word == "instrument" => {
                // As an attribute: behind its brackets, or behind the name of the library.
                let attribute = before(1) == Some(&Kind::Mark('[')) && before(2) == Some(&Kind::Mark('#'));
                if attribute || (1..=3).any(|back| matches!(before(back), Some(Kind::Word(name)) if name == "tracing"))
                {
                    found.push(format!("src/{}:{}: instrument: records every argument", source.name, token.line));
                }
            }
            _ => {}
        }
    }
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The sources, those that only tests compile apart.
fn sources() -> (Vec<Source>, Vec<Source>) {
    let folder = root().join("src");
    let all: Vec<Source> = files(&folder, "rs")
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let name = path.strip_prefix(&folder).expect("below src").to_string_lossy().replace('\\', "/");
            Source::new(&name, &text)
        })
        .collect();
    assert!(all.len() > 10, "the sources were not found below {}", folder.display());
    let tests: Vec<PathBuf> = all.iter().flat_map(|source| source.test_files.clone()).collect();
    all.into_iter().partition(|source| {
        let name = Path::new(&source.name);
        !tests.iter().any(|test| name == test || name.starts_with(test.with_extension("")))
    })
}

fn hold(what: &str, faults: impl IntoIterator<Item = String>) {
    let faults: Vec<String> = faults.into_iter().collect();
    assert!(faults.is_empty(), "{what}:\n  {}", faults.join("\n  "));
}

#[test]
fn a_module_imports_only_from_floors_below() {
    let (sources, _) = sources();
    let unknown: Vec<String> = sources
        .iter()
        .filter(|source| source.name != "lib.rs" && floor(source.room()).is_none())
        .map(|source| format!("src/{}: `{}` has no floor in the table", source.name, source.room()))
        .collect();
    hold("rooms without a floor", unknown);
    let inner = sources.iter().filter(|source| source.name != "lib.rs");
    hold("imports that the floors forbid", inner.flat_map(wrong_edges));
}

#[test]
fn lib_rs_exports_rooms_and_nothing_else() {
    let (sources, _) = sources();
    let lib = sources.iter().find(|source| source.name == "lib.rs").expect("src/lib.rs");
    let uses = lib.tokens.iter().filter(|token| token.kind == Kind::Word("use".into()));
    let faults = uses.map(|token| format!("src/lib.rs:{}: `use` would be a way around the floors", token.line));
    hold("lib.rs", faults);
}

#[test]
fn floors_0_and_1_have_no_clock_io_chance_protobuf_async_or_log() {
    let (sources, _) = sources();
    let low = |source: &&Source| matches!(floor(source.room()), Some(Floor::Level(0 | 1)));
    hold("names that the pure floors must not use", sources.iter().filter(low).flat_map(wrong_names));
}

#[test]
fn wire_formats_are_known_to_their_rooms_alone() {
    let (sources, _) = sources();
    let faults = sources.iter().flat_map(|source| {
        let paths = source.paths().into_iter();
        let strange = paths
            .filter(|(path, _)| WIRE.iter().any(|(name, rooms)| path[0] == *name && !rooms.contains(&source.room())));
        strange
            .map(|(path, line)| format!("src/{}:{line}: {}: outside its rooms", source.name, path.join("::")))
            .collect::<Vec<_>>()
    });
    hold("wire formats outside the rooms that translate them", faults);
}

#[test]
fn input_cannot_make_a_room_panic() {
    let (sources, _) = sources();
    hold("panics outside tests", sources.iter().flat_map(panics));
}

#[test]
fn nothing_is_logged_by_its_debug_form() {
    let (sources, _) = sources();
    hold("content that could be logged without being meant", sources.iter().flat_map(logged));
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    let (sources, _) = sources();
    let silent = sources.iter().filter(|source| !source.text.starts_with("//! "));
    hold("files without a `//!` line at their head", silent.map(|source| format!("src/{}", source.name)));
}

#[test]
fn files_stay_short() {
    let (sources, _) = sources();
    let mut long: Vec<&Source> = sources.iter().filter(|source| source.lines > LINES_MANY).collect();
    long.sort_by_key(|source| std::cmp::Reverse(source.lines));
    for source in &long {
        println!("{:5} lines without tests: src/{}", source.lines, source.name);
    }
    let over = long.iter().filter(|source| source.lines > LINES_MOST);
    hold(
        "files to be split",
        over.map(|source| format!("src/{}: {} lines without tests, {LINES_MOST} at most", source.name, source.lines)),
    );
}

/// Lines of a proto file that declare something and say nothing about it.
fn undocumented(name: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut faults = Vec::new();
    let mut extending = false;
    for (place, line) in lines.iter().enumerate() {
        let code = line.split("//").next().unwrap_or_default().trim();
        extending = (extending || code.starts_with("extend ")) && code != "}";
        let opens =
            ["message ", "enum ", "service ", "rpc ", "oneof ", "package "].iter().any(|word| code.starts_with(word));
        let said = place > 0 && lines[place - 1].starts_with("//");
        if (opens || (is_field(code) && !extending)) && !said {
            faults.push(format!("{name}:{}: no comment above `{code}`", place + 1));
        }
    }
    faults
}

/// Does the line give a number to a name, as a field and an enum value do?
fn is_field(code: &str) -> bool {
    let Some((left, right)) = code.split_once(" = ") else { return false };
    let number = right.chars().take_while(char::is_ascii_digit).count();
    let follows = right[number..].trim_start();
    let keyword = left.split_whitespace().next().unwrap_or_default();
    number > 0
        && (follows.starts_with(';') || follows.starts_with('['))
        && !["option", "syntax", "reserved"].contains(&keyword)
}

#[test]
fn every_field_of_the_proto_is_documented() {
    let folder = root().join("proto/concord");
    let protos = files(&folder, "proto");
    assert!(protos.len() > 3, "the proto files were not found below {}", folder.display());
    let faults = protos.iter().flat_map(|path| {
        let text = std::fs::read_to_string(path).expect("a proto file");
        undocumented(&path.strip_prefix(root()).expect("below the root").display().to_string(), &text)
    });
    hold("proto declarations without a comment", faults);
}

// The checks themselves: each must be able to fail.

#[test]
fn an_upward_import_is_found_however_it_is_written() {
    let texts = [
        "use crate::server::edge;",
        "use crate::{diag, server::{self, edge}};",
        "use super::super::server::edge::Layer;",
        "use super::{program, super::server};",
        "fn f() { crate::server::start() }",
        "mod inner { use super::super::super::server; }",
        "/* crate::rule */ fn f<'a>(x: &'a str) -> char { let _ = crate::server::A; '\"' }",
    ];
    for text in texts {
        let faults = wrong_edges(&Source::new("engine/evaluate.rs", text));
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        assert!(
            faults.iter().all(|fault| fault.contains("engine -> server: floor 1 may not know floor 4")),
            "{faults:?}"
        );
    }
}

#[test]
fn sideways_imports_and_leaves_are_held() {
    let wrong = [
        ("analysis/mod.rs", "use crate::engine::Engine;"),
        ("clinical/code.rs", "use crate::rule::model;"),
        ("api/mod.rs", "use crate::config::Settings;"),
        ("telemetry/mod.rs", "use crate::config::Settings;"),
        ("engine/mod.rs", "use crate::shortcut;"),
        ("ruleset/mod.rs", "use crate::audit;"),
    ];
    for (name, text) in wrong {
        assert_eq!(wrong_edges(&Source::new(name, text)).len(), 1, "{name}: {text}");
    }
    let right = [
        ("rule/check.rs", "use crate::{clinical::unit, diag};"),
        ("cli/serve.rs", "use crate::{config, server, telemetry, engine};"),
        ("engine/ground/time.rs", "use super::super::evaluate; use super::Ground; pub(crate) fn f() {}"),
        ("main.rs", "fn main() -> ExitCode { concord::cli::run() }"),
        (
            "engine/mod.rs",
            "//! crate::server\n// crate::server\nconst A: &str = \"crate::server\"; const B: &str = r#\"crate::cli\"#;",
        ),
        ("engine/mod.rs", "#[cfg(test)]\nmod tests {\n use crate::server;\n}\n#[cfg(test)] use crate::cli;"),
    ];
    for (name, text) in right {
        assert_eq!(wrong_edges(&Source::new(name, text)), BTreeSet::new(), "{name}: {text}");
    }
}

#[test]
fn clocks_io_and_panics_are_found() {
    let impure = [
        "use std::{collections::BTreeMap, fs};",
        "fn f() { let _ = std::time::SystemTime::now(); }",
        "use jiff::Timestamp; fn f() { Timestamp::now(); }",
        "use tracing::info;",
        "fn f() { tokio::spawn(g()); }",
        "fn f() { eprintln!(\"x\"); }",
    ];
    for text in impure {
        assert!(!wrong_names(&Source::new("clinical/date.rs", text)).is_empty(), "{text}");
    }
    assert_eq!(wrong_names(&Source::new("clinical/date.rs", "use std::fmt; // std::fs\nfn now() {}")), BTreeSet::new());
    for text in ["fn f() { x.unwrap() }", "fn f() { x\n.expect(\"y\") }", "fn f() { panic!() }", "fn f() { todo!() }"] {
        assert_eq!(panics(&Source::new("api/mod.rs", text)).len(), 1, "{text}");
    }
    assert_eq!(panics(&Source::new("api/mod.rs", "fn f() { x.unwrap_or(\"a.unwrap()\") }")), Vec::<String>::new());
}

#[test]
fn what_is_logged_by_its_debug_form_is_found() {
    let wrong = [
        "fn f() { tracing::info!(?request, \"x\"); }",
        "fn f() { tracing::info!(patient = ?request.patient); }",
        "fn f() { warn!(\"{request:?}\"); }",
        "fn f() { let s = tracing::info_span!(\"a\", b = 1, c = ?d(e)); }",
        "#[tracing::instrument] fn f(request: Request) {}",
        "#[instrument(skip(a))] fn f(request: Request) {}",
    ];
    for text in wrong {
        assert_eq!(logged(&Source::new("api/mod.rs", text)).len(), 1, "{text}");
    }
    let right = [
        "fn f() { tracing::info!(%error, count = g()?, \"x?\"); h(?x); }",
        "use tracing::Instrument as _; fn f() { g().instrument(span); }",
    ];
    for text in right {
        assert_eq!(logged(&Source::new("api/mod.rs", text)), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn test_parts_are_left_out_and_their_files_found() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
    assert_eq!(Source::new("api/text.rs", text).lines, 2);
    let file = |name: &str, text: &str| Source::new(name, text).test_files;
    assert_eq!(file("clinical/code.rs", "#[cfg(test)]\nmod tests;"), [PathBuf::from("clinical/code/tests.rs")]);
    assert_eq!(file("api/mod.rs", "#[cfg(test)]\nmod tests;"), [PathBuf::from("api/tests.rs")]);
    let stated = "#[cfg(test)]\n#[path = \"status_tests.rs\"]\nmod tests;";
    assert_eq!(file("api/status.rs", stated), [PathBuf::from("api/status_tests.rs")]);
}

#[test]
fn a_silent_proto_field_is_found() {
    let text = "// A.\nmessage A {\n  // B.\n  string b = 1;\n  repeated string c = 2 [(rules) = {max_items: 3}];\n}\n";
    assert_eq!(
        undocumented("a.proto", text),
        ["a.proto:5: no comment above `repeated string c = 2 [(rules) = {max_items: 3}];`"]
    );
}
