//! `rules/README.md` is run as it is read: its YAML is written where it says, its commands run, and what they print is
//! what it shows. `TUTORIAL=write` writes what they print instead. What it says of the cases beside the project is run
//! where they are.

use std::path::Path;
use std::process::Command;

use concord::api::yaml;
use concord::api::{json, proto::Patient};
use concord::diag::Files;
use concord::rule::read;
use concord::ruleset::{Origin, Ruleset};

const PAGE: &str = "rules/README.md";

/// The cases beside the project, and what the page calls their folder.
const SHARED: (&str, &str) = ("../shared/cases", "shared-cases");

/// A piece of the page.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    /// Anything but a block, as written.
    Text(String),
    /// YAML, and the file that it is.
    File { path: String, text: String },
    /// Commands, how they end, and what they print where that is shown.
    Shell { text: String, exit: i32, output: Option<String> },
}

/// The page in pieces. A block of YAML without a file, a block that is not closed and a language that nothing runs are
/// faults of the page.
fn pieces(page: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = vec![Piece::Text(String::new())];
    let mut lines = page.lines().peekable();
    let mut file: Option<&str> = None;
    while let Some(line) = lines.next() {
        let mut body = || -> Result<String, String> {
            let mut text = String::new();
            loop {
                match lines.next() {
                    Some("```") => return Ok(text),
                    Some(line) => text.push_str(&format!("{line}\n")),
                    None => return Err(format!("not closed: {line}")),
                }
            }
        };
        if let Some(path) = line.strip_prefix("<!-- file: ").and_then(|rest| rest.strip_suffix(" -->")) {
            file = Some(path);
        } else if line == "```yaml" {
            let text = body()?;
            let path = file.take().ok_or_else(|| format!("YAML that is no file:\n{text}"))?;
            pieces.push(Piece::File { path: path.to_owned(), text });
        } else if line == "```sh" {
            pieces.push(Piece::Shell { text: body()?, exit: 0, output: None });
        } else if let Some(rest) = line.strip_prefix("<!-- output") {
            let exit = rest.strip_suffix(" -->").ok_or_else(|| line.to_owned())?;
            let exit = match exit.strip_prefix(": exit ") {
                Some(code) => code.parse().map_err(|_| line.to_owned())?,
                None => 0,
            };
            if lines.next() != Some("```text") {
                return Err(format!("no text block after {line}"));
            }
            let mut shown = String::new();
            for line in lines.by_ref().take_while(|line| *line != "```") {
                shown.push_str(&format!("{line}\n"));
            }
            if lines.next() != Some("<!-- end -->") {
                return Err(format!("an output that does not end: {shown}"));
            }
            let before = pieces.pop();
            match (before, pieces.last_mut()) {
                (Some(Piece::Text(gap)), Some(Piece::Shell { exit: code, output, .. })) if gap.trim().is_empty() => {
                    (*code, *output) = (exit, Some(shown));
                }
                _ => return Err(format!("an output of no command: {shown}")),
            }
        } else if line.starts_with("```") {
            return Err(format!("a block that nothing runs: {line}"));
        } else {
            if file.is_some() {
                return Err(format!("no YAML after the name of its file: {line}"));
            }
            if !matches!(pieces.last(), Some(Piece::Text(_))) {
                pieces.push(Piece::Text(String::new()));
            }
            if let Some(Piece::Text(text)) = pieces.last_mut() {
                text.push_str(&format!("{line}\n"));
            }
            continue;
        }
        if !matches!(pieces.last(), Some(Piece::Text(_))) {
            pieces.push(Piece::Text(String::new()));
        }
    }
    pieces.retain(|piece| *piece != Piece::Text(String::new()));
    Ok(pieces)
}

/// The page again.
fn page(pieces: &[Piece]) -> String {
    let one = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::File { path, text } => format!("<!-- file: {path} -->\n```yaml\n{text}```\n"),
        Piece::Shell { text, output: None, .. } => format!("```sh\n{text}```\n"),
        Piece::Shell { text, exit, output: Some(output) } => {
            let exit = if *exit == 0 { String::new() } else { format!(": exit {exit}") };
            format!("```sh\n{text}```\n\n<!-- output{exit} -->\n```text\n{output}```\n<!-- end -->\n")
        }
    };
    pieces.iter().map(one).collect()
}

/// Digests cover the code tables and the semantics of the engine; the page stays true when they move.
fn comparable(text: &str) -> String {
    let hex = |word: &str| [12, 64].contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = text.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric());
    parts
        .map(|part| {
            let word = part.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
            if hex(word) { part.replace(word, "(digest)") } else { part.to_owned() }
        })
        .collect()
}

fn shell(command: &str, dir: &Path) -> (i32, String) {
    let bin = Path::new(env!("CARGO_BIN_EXE_concord")).parent().expect("a folder");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("bash")
        .args(["-c", &format!("exec 2>&1\nset -e\n{command}")])
        .current_dir(dir)
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .env_remove("COLUMNS")
        .output()
        .expect("bash");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    let end = if printed.is_empty() { "" } else { "\n" };
    (output.status.code().unwrap_or(-1), format!("{}{end}", printed.trim_end()))
}

/// What a file of the page has to be: a sound package with it, a case that holds, or a patient.
fn checked(path: &str, text: &str, dir: &Path) {
    if path.starts_with("my-rules/cases/") {
        let case = yaml::read(text).unwrap_or_else(|fault| panic!("{path}: {fault:?}")).value;
        if let Err(error) = super::schema::CASES.validate(&case) {
            panic!("{path}: {}: {error}", error.instance_path());
        }
    } else if let Some((overlay, _)) = path.split_once('/').filter(|(top, _)| *top != "my-rules") {
        let origin = Origin { rules: Some(dir.join("my-rules")), overlay: Some(dir.join(overlay)) };
        Ruleset::from_sources(origin.read().expect("readable files")).expect("an overlay that checks");
    } else if path.starts_with("my-rules/") {
        let document = yaml::read(text).unwrap_or_else(|fault| panic!("{path}: {fault:?}")).value;
        if let Err(error) = super::schema::PACKAGE.validate(&document) {
            panic!("{path}: {}: {error}", error.instance_path());
        }
        let (code, output) = shell("concord rules check my-rules", dir);
        assert_eq!(code, 0, "{path}: {output}");
    } else {
        let patient = yaml::read(text).unwrap_or_else(|fault| panic!("{path}: {fault:?}")).value;
        json::from_str::<Patient>(&patient.to_string()).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}

#[test]
fn the_tutorial_does_what_it_says() {
    let before = std::fs::read_to_string(PAGE).expect("the page");
    let mut parts = pieces(&before).unwrap_or_else(|fault| panic!("{PAGE}: {fault}"));
    assert_eq!(page(&parts), before, "the page in pieces is the page");
    let dir = tempfile::tempdir().expect("a folder");
    let shared = std::fs::canonicalize(SHARED.0);
    if let Ok(shared) = &shared {
        std::os::unix::fs::symlink(shared, dir.path().join(SHARED.1)).expect("a link");
    }
    let (mut files, mut commands) = (0, 0);
    for part in &mut parts {
        match part {
            Piece::Text(_) => {}
            Piece::File { path, text } => {
                let file = dir.path().join(&*path);
                std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
                std::fs::write(&file, &*text).expect("a file");
                checked(path, text, dir.path());
                files += 1;
            }
            Piece::Shell { text, .. } if shared.is_err() && text.contains(SHARED.1) => {}
            Piece::Shell { text, exit, output } => {
                let (code, printed) = shell(text, dir.path());
                assert_eq!(code, *exit, "{text}{printed}");
                assert!(!printed.contains(&*dir.path().to_string_lossy()), "a path of this machine: {printed}");
                match output {
                    Some(shown) if comparable(shown) != comparable(&printed) => *shown = printed,
                    Some(_) => {}
                    None => assert_eq!(printed, "", "{text}prints what the page does not show"),
                }
                commands += 1;
            }
        }
    }
    assert!(files >= 5 && commands >= 5, "{files} files, {commands} commands");
    let after = page(&parts);
    if std::env::var("TUTORIAL").is_ok_and(|wish| wish == "write") {
        std::fs::write(PAGE, after).expect("a page that can be written");
    } else if let Some((shown, printed)) = before.lines().zip(after.lines()).find(|(shown, printed)| shown != printed) {
        panic!("{PAGE} shows: {shown}\na run prints: {printed}\nTUTORIAL=write cargo test --test it tutorial");
    } else {
        assert_eq!(before, after, "TUTORIAL=write cargo test --test it tutorial");
    }
}

#[test]
fn the_conditions_of_the_reference_are_read() {
    let text = std::fs::read_to_string(PAGE).expect("the page");
    let table =
        text.split("\n## Conditions\n").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the section");
    let mut read_as = Vec::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cell = row.split(" | ").next().unwrap_or_default();
        // What stands for anything is not to be read.
        for code in cell.split('`').skip(1).step_by(2).filter(|code| !code.contains('…')) {
            let condition = if code.contains(':') { format!("{{{code}}}") } else { code.to_owned() };
            if condition == "{at_least: 2}" {
                continue;
            }
            let file = format!("definitions:\n- {{id: a, title: a, when: {condition}}}\n");
            let jurisdiction = "parameters:\n- {id: jurisdiction, title: a, type: choice, choices: [US], value: US}\n";
            let files = Files::new(vec![("a.yaml".to_owned(), format!("{jurisdiction}{file}"))]);
            let mut faults = Vec::new();
            let documents = read::documents(files.iter(), &mut faults);
            let (package, more) = read::package(&documents, &files);
            faults.extend(more);
            let faults: Vec<_> = faults.iter().filter(|fault| fault.code != "missing-package").collect();
            assert!(faults.is_empty() && package.definitions.len() == 1, "{code}: {faults:?}");
            read_as.push(code);
        }
    }
    assert!(read_as.len() > 15, "{read_as:?}");
}

#[test]
fn a_block_that_nothing_runs_is_a_fault_of_the_page() {
    for wrong in [
        "```yaml\na: 1\n```\n",
        "```json\n{}\n```\n",
        "```sh\ntrue\n",
        "<!-- file: a.yaml -->\nwords\n",
        "words\n<!-- output -->\n```text\nx\n```\n<!-- end -->\n",
        "```sh\ntrue\n```\n\n<!-- output -->\n```text\nx\n```\n",
    ] {
        assert!(pieces(wrong).is_err(), "{wrong}");
    }
    let right = "words\n\n<!-- file: a.yaml -->\n```yaml\na: 1\n```\n\n```sh\nfalse\n```\n\n<!-- output: exit 1 -->\n```text\nx\n```\n<!-- end -->\n";
    assert_eq!(page(&pieces(right).expect("pieces")), right);
    assert_eq!(comparable("sha256 9a4dcd9ca99c, deadbeef"), "sha256 (digest), deadbeef");
}
