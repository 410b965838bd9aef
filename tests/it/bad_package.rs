//! Bad packages, a row each: what `concord rules check` says, with exit 2, and
//! that a server on whose directory each of them lands keeps its package.

use std::fs;
use std::ops::Range;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use concord::api::proto::Reload;
use concord::api::proto::reload::Outcome;
use concord::api::proto::ruleset_service_client::RulesetServiceClient;

use crate::packages::{package, until, write};
use crate::server::Server;

/// What is done to a folder with a good package, what is said of it, and the
/// reason under which a reload is refused.
type Row = (&'static str, fn(&Path), &'static str, &'static str);

fn add(dir: &Path, bytes: impl AsRef<[u8]>) {
    fs::write(dir.join("more.yaml"), bytes).unwrap();
}

fn concept(dir: &Path, codes: &str) {
    add(dir, format!("concepts:\n- {{id: more, kind: diagnosis, title: more, {codes}}}\n"));
}

pub fn lines(numbers: Range<usize>, line: impl Fn(usize) -> String) -> String {
    numbers.map(|number| line(number) + "\n").collect::<Vec<_>>().concat()
}

fn rows() -> Vec<Row> {
    vec![
        (
            "a YAML bomb",
            |dir| {
                add(
                    dir,
                    format!("x0: &x0 [lol]\n{}", lines(1..30, |n| format!("x{n}: &x{n} [*x{0}, *x{0}, *x{0}]", n - 1))),
                );
            },
            "anchors and tags have no place here",
            "faulty",
        ),
        ("an alias", |dir| add(dir, "a: *b\n"), "more.yaml:1:4", "faulty"),
        ("a file of 10 MB", |dir| add(dir, "# x\n".repeat(2_500_000)), "larger than 4194304 bytes", "unreadable"),
        ("deep nesting", |dir| add(dir, "[".repeat(100_000)), "nested deeper than 48 levels", "faulty"),
        ("deep nesting of maps", |dir| add(dir, "{a: ".repeat(100_000)), "nested deeper than 48 levels", "faulty"),
        (
            "a duplicate key",
            |dir| add(dir, "rules: []\nrules: []\n"),
            "the key `rules` stands twice in one map",
            "faulty",
        ),
        ("many keys of a map", |dir| add(dir, lines(0..20_000, |n| format!("k{n}: 1"))), "and 19800 more", "faulty"),
        ("bytes that are not UTF-8", |dir| add(dir, b"rules: []\n# \xe9\n"), "not UTF-8 at byte 12", "unreadable"),
        ("UTF-16", |dir| add(dir, b"\xff\xfer\0u\0l\0e\0s\0:\0"), "not UTF-8 at byte 0", "unreadable"),
        ("indentation by tabs", |dir| add(dir, "rules:\n\t- id: x\n"), "more.yaml:2", "faulty"),
        ("a number with an exponent as a code", |dir| concept(dir, "icd-10-cm: [6E40]"), "6E40", "faulty"),
        ("a number with zeros as a code", |dir| concept(dir, "snomed-ct: [00054017613]"), "00054017613", "faulty"),
        (
            "a link out of the directory",
            |dir| symlink("/etc/passwd", dir.join("more.yaml")).unwrap(),
            "a link out of",
            "unreadable",
        ),
        (
            "a folder out of the directory",
            |dir| symlink("/etc", dir.join("more")).unwrap(),
            "a link out of",
            "unreadable",
        ),
        (
            "a link to nothing",
            |dir| symlink("nothing", dir.join("more.yaml")).unwrap(),
            "more.yaml: No such file",
            "unreadable",
        ),
        (
            "a loop of links",
            |dir| symlink(".", dir.join("more")).unwrap(),
            "Too many levels of symbolic links",
            "unreadable",
        ),
        (
            "a pipe",
            |dir| assert!(Command::new("mkfifo").arg(dir.join("more.yaml")).status().unwrap().success()),
            "not a regular file",
            "unreadable",
        ),
        (
            "another ending",
            |dir| fs::write(dir.join("more.yml"), "").unwrap(),
            "end in `.yaml`: rename it",
            "unreadable",
        ),
        (
            "a line break in a name",
            |dir| fs::write(dir.join("a\nb.yaml"), "").unwrap(),
            "no control character",
            "unreadable",
        ),
        (
            "1,001 files",
            |dir| (0..1_000).for_each(|n| fs::write(dir.join(format!("more-{n}.yaml")), "").unwrap()),
            "more than 1000 files",
            "unreadable",
        ),
        (
            "an empty directory",
            |dir| ["base.yaml", "rules.yaml"].into_iter().for_each(|name| fs::remove_file(dir.join(name)).unwrap()),
            "the directory holds no file named *.yaml",
            "unreadable",
        ),
        (
            "a newer format",
            |dir| {
                let text = fs::read_to_string(dir.join("base.yaml")).unwrap();
                fs::write(dir.join("base.yaml"), text.replace("1.0.0", "1.0.0, format: 2")).unwrap();
                add(dir, "section-of-the-future: []\n");
            },
            "the package is of format 2, and this program reads format 1",
            "newer-format",
        ),
    ]
}

fn check(dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_concord")).args(["rules", "check"]).arg(dir).output().unwrap()
}

fn good(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        fs::remove_file(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    write(dir, &package("alpha", "1.0.0"));
}

#[test]
fn each_is_a_diagnostic_and_exit_2() {
    let dir = tempfile::tempdir().unwrap();
    for (name, spoil, told, _) in rows() {
        good(dir.path());
        spoil(dir.path());
        let output = check(dir.path());
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {text}");
        assert!(text.contains(told), "{name}: {text}");
        assert!(output.stdout.is_empty() && !text.contains("panicked"), "{name}: {text}");
    }
}

#[test]
fn lines_that_end_as_on_windows_mean_the_same() {
    let dir = tempfile::tempdir().unwrap();
    good(dir.path());
    let plain = check(dir.path());
    for name in ["base.yaml", "rules.yaml"] {
        let text = fs::read_to_string(dir.path().join(name)).unwrap();
        fs::write(dir.path().join(name), text.replace('\n', "\r\n")).unwrap();
    }
    let windows = check(dir.path());
    assert_eq!((plain.status.code(), plain.stdout), (Some(0), windows.stdout));
    let text = fs::read_to_string(dir.path().join("rules.yaml")).unwrap();
    fs::write(dir.path().join("rules.yaml"), text + "rulez: []\r\n").unwrap();
    let told = String::from_utf8_lossy(&check(dir.path()).stderr).into_owned();
    assert!(told.contains("rules.yaml:16:1"), "{told}");
}

#[tokio::test]
async fn none_of_them_touches_the_package_that_serves() {
    let dir = tempfile::tempdir().unwrap();
    good(dir.path());
    let server = Server::with_rules(dir.path(), &["rules.poll=1m", "telemetry.log_filter=info"]);
    let mut rules = RulesetServiceClient::new(server.channel().await);
    let before = until(&server, &mut rules, |now| now.reload.is_some()).await;
    for (name, spoil, told, reason) in rows() {
        good(dir.path());
        server.hang_up();
        let activated =
            until(&server, &mut rules, |now| now.reload.as_ref().unwrap().outcome() == Outcome::Activated).await;
        assert_eq!(activated.ruleset, before.ruleset, "{name}");
        spoil(dir.path());
        server.hang_up();
        // While many files are written, an event may lead to an attempt that is too early.
        let settled = |now: &Reload| now.outcome() == Outcome::Refused && now.reason != "changing";
        let refused = until(&server, &mut rules, |now| now.reload.as_ref().is_some_and(settled)).await;
        assert_eq!(refused.ruleset, before.ruleset, "{name}");
        let reload = refused.reload.unwrap();
        assert_eq!(reload.reason, reason, "{name}: {reload:?}");
        assert!(reason != "unreadable" || reload.message.contains(told), "{name}: {reload:?}");
    }
}
