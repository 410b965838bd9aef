use super::*;
use crate::rule::model::{Overlay, OverlayHead};

fn package(version: &str, overlay: Option<&str>) -> Package {
    let mut package = Package::default();
    package.meta.name = "small".to_owned();
    package.meta.version = version.to_owned();
    package.overlay = overlay.map(|version| Overlay {
        head: OverlayHead { name: "north".to_owned(), version: version.to_owned(), ..OverlayHead::default() },
        ..Overlay::default()
    });
    package
}

fn contents(base: &str, overlay: Option<&str>) -> Contents {
    let digest = |text: &str| text.repeat(64);
    Contents { base: Some(digest(base)), overlay: overlay.map(digest) }
}

#[test]
fn versions_only_rise_and_one_version_is_one_content() {
    let mut trust = Trust::new(Vec::new(), None).unwrap();
    for (version, text, expected) in [
        ("1.9.0", "a", None),
        ("1.9.0", "a", None),
        ("1.9.0", "b", Some("rolled-back")),
        ("1.9.0+later", "b", Some("rolled-back")),
        ("1.10.0-rc.1", "b", None),
        ("1.9.9", "c", Some("rolled-back")),
        ("1.10.0", "c", None),
        ("1.10", "d", Some("no-version")),
    ] {
        let told = trust.note(&package(version, None), &contents(text, None)).err().map(|error| error.word());
        assert_eq!(told, expected, "{version} {text}");
    }
}

#[test]
fn package_and_overlay_rise_each_for_itself() {
    let mut trust = Trust::new(Vec::new(), None).unwrap();
    for (version, overlay, expected) in [
        (("1.0.0", "a"), Some(("3.0.0", "x")), None),
        (("1.1.0", "b"), Some(("3.0.0", "x")), None),
        (("1.1.0", "b"), Some(("2.9.0", "y")), Some("overlay north: version 2.9.0 is older than 3.0.0, ")),
        (("1.1.0", "b"), Some(("3.0.0", "y")), Some("overlay north: version 3.0.0 was active before with other ")),
        (("1.2.0", "c"), Some(("3.0", "y")), Some("overlay north: `3.0` is not a version of Semantic Versioning")),
        // What was refused was not seen: neither the package beside it.
        (("1.1.0", "b"), None, None),
        (("1.0.0", "a"), Some(("3.1.0", "z")), Some("package small: version 1.0.0 is older than 1.1.0, ")),
        (("1.1.0", "b"), Some(("3.0.0", "x")), None),
    ] {
        let package = package(version.0, overlay.map(|(version, _)| version));
        let told = trust.note(&package, &contents(version.1, overlay.map(|(_, text)| text)));
        match (told, expected) {
            (Ok(()), None) => {}
            (Err(told), Some(expected)) => assert!(told.to_string().starts_with(expected), "{told}"),
            (told, expected) => panic!("{version:?} {overlay:?}: {told:?}, and not {expected:?}"),
        }
    }
    // Another name is another history.
    let mut other = package("0.1.0", Some("0.1.0"));
    other.meta.name = "other".to_owned();
    trust.note(&other, &contents("d", Some("x"))).unwrap_err();
    other.overlay = None;
    trust.note(&other, &contents("d", None)).unwrap();
}

#[test]
fn the_package_in_the_binary_has_no_history() {
    let mut trust = Trust::new(Vec::new(), None).unwrap();
    let inside = |overlay| Contents { base: None, ..contents("a", Some(overlay)) };
    trust.note(&package("2.0.0", Some("1.0.0")), &inside("x")).unwrap();
    trust.note(&package("1.0.0", Some("1.1.0")), &inside("y")).unwrap();
    assert_eq!(trust.note(&package("1.0.0", Some("1.0.0")), &inside("x")).unwrap_err().word(), "rolled-back");
}

#[test]
fn the_highest_version_outlives_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let open = || Trust::new(Vec::new(), Some(path.clone()));
    let both = package("2.0.0", Some("1.4.0"));
    open().unwrap().note(&both, &contents("a", Some("b"))).unwrap();
    let written = fs::read_to_string(&path).unwrap();
    let (a, b) = ("a".repeat(64), "b".repeat(64));
    assert_eq!(written, format!("package small 2.0.0 {a}\noverlay north 1.4.0 {b}\n"));
    let told = open().unwrap().note(&package("1.0.0", None), &contents("a", None)).unwrap_err();
    assert_eq!(told.to_string(), "package small: version 1.0.0 is older than 2.0.0, which was active before");
    let told = open().unwrap().note(&package("2.0.0", Some("1.3.9")), &contents("a", Some("b"))).unwrap_err();
    assert_eq!(told.to_string(), "overlay north: version 1.3.9 is older than 1.4.0, which was active before");
    open().unwrap().note(&both, &contents("a", Some("b"))).unwrap();

    for text in [
        "",
        "\n",
        "2.0.0\n",
        &written.replace("package", "site"),
        &written.replace(" 2.0.0", ""),
        &written.replace(&a, "a"),
    ] {
        fs::write(&path, text).unwrap();
        assert_eq!(open().unwrap_err().word(), "state-file", "{text:?}");
    }
    fs::remove_file(&path).unwrap();
    let mut trust = open().unwrap();
    fs::remove_dir(dir.path()).unwrap();
    assert_eq!(trust.note(&both, &contents("a", Some("b"))).unwrap_err().word(), "state-file");
    // What could not be noted was not seen.
    trust.newer(&package("1.0.0", None), &contents("a", None)).unwrap();
}
