use std::io::Write as _;
use std::time::Duration;

use super::*;

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn entry(loaded: &Loaded, key: &str) -> Entry {
    loaded.entries.iter().find(|entry| entry.key == key).unwrap().clone()
}

#[test]
fn defaults_stand_alone() {
    let loaded = load(&Layers::default()).unwrap();
    assert_eq!(loaded.settings.server.grpc_addr.to_string(), "127.0.0.1:50051");
    assert_eq!(loaded.settings.server.drain_lead, Duration::from_secs(5));
    assert_eq!(loaded.settings.rules.dir, None);
    assert!(loaded.entries.iter().all(|entry| entry.origin == Origin::Default));
    assert_eq!(loaded.entries.len(), KEYS.len());
}

#[test]
fn a_later_layer_wins_and_every_value_knows_its_layer() {
    let file = file("[server]\ngrpc_addr = \"127.0.0.1:1\"\ndrain_lead = \"1s\"\n[limits]\nstreams = 7\n");
    let layers = Layers {
        file: Some(file.path().to_owned()),
        environment: vec![
            pair("CONCORD__SERVER__GRPC_ADDR", "127.0.0.1:2"),
            pair("CONCORD__SERVER__DRAIN_LEAD", "2s"),
            pair("CONCORD__LIMITS__LIST_ENTRIES", "9"),
            pair("CONCORD_CONFIG", "elsewhere.toml"),
            pair("HOME", "x"),
        ],
        flags: vec![pair("server.grpc_addr", "127.0.0.1:3")],
    };
    let loaded = load(&layers).unwrap();
    assert_eq!(loaded.settings.server.grpc_addr.to_string(), "127.0.0.1:3");
    assert_eq!(loaded.settings.server.drain_lead, Duration::from_secs(2));
    assert_eq!((loaded.settings.limits.streams, loaded.settings.limits.list_entries), (7, 9));
    assert_eq!(entry(&loaded, "server.grpc_addr").origin, Origin::Flag);
    let variable = Origin::Environment("CONCORD__SERVER__DRAIN_LEAD".to_owned());
    assert_eq!(entry(&loaded, "server.drain_lead").origin, variable);
    assert_eq!(entry(&loaded, "limits.streams").origin, Origin::File(file.path().to_owned()));
    assert_eq!(entry(&loaded, "limits.streams").value, "7");
}

#[test]
fn an_unknown_key_names_itself_its_layer_and_the_nearest() {
    let file = file("[server]\ngrpc_adr = \"127.0.0.1:1\"\n");
    let error = load(&Layers { file: Some(file.path().to_owned()), ..Layers::default() }).unwrap_err().to_string();
    let place = file.path().display();
    assert_eq!(error, format!("unknown key `server.grpc_adr` (file {place}); did you mean `server.grpc_addr`?"));

    let environment = vec![pair("CONCORD__LIMIT__STREAMS", "1")];
    let error = load(&Layers { environment, ..Layers::default() }).unwrap_err().to_string();
    assert_eq!(error, "unknown key `limit.streams` (env CONCORD__LIMIT__STREAMS); did you mean `limits.streams`?");

    let flags = vec![pair("weather", "fair")];
    let error = load(&Layers { flags, ..Layers::default() }).unwrap_err().to_string();
    assert_eq!(error, "unknown key `weather` (flag)");
}

#[test]
fn a_value_that_does_not_fit_names_its_key_and_layer() {
    for (key, value) in [
        ("server.grpc_addr", "nowhere"),
        ("server.drain_lead", "5"),
        ("limits.streams", "-1"),
        ("limits.streams", "0"),
        ("telemetry.log_format", "xml"),
        ("telemetry.sample_ratio", "2"),
        ("answer.purpose_of_use", "for care"),
        ("rules.poll", "0s"),
    ] {
        let error = load(&Layers { flags: vec![pair(key, value)], ..Layers::default() }).unwrap_err().to_string();
        assert!(error.contains(key) && error.contains("(flag)"), "{key}={value}: {error}");
    }
}

#[test]
fn protection_that_is_set_in_part_names_what_is_missing() {
    let (dir, keys) = (pair("rules.dir", "rules"), pair("rules.trusted_keys", "a, b"));
    let (required, state) = (pair("rules.require_signature", "true"), pair("rules.state_file", "state"));
    let told = |flags: &[&(String, String)]| {
        let flags = flags.iter().map(|flag| (*flag).clone()).collect();
        load(&Layers { flags, ..Layers::default() }).map(|loaded| loaded.settings.rules.trusted_keys)
    };
    for (flags, missing) in [
        (vec![&required], "rules.dir"),
        (vec![&required, &dir], "rules.trusted_keys"),
        (vec![&keys, &dir], "rules.require_signature"),
        (vec![&state, &dir], "rules.require_signature"),
    ] {
        let error = told(&flags).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{missing}: must be ")), "{error}");
    }
    assert_eq!(told(&[&required, &dir, &keys, &state]).unwrap(), ["a", "b"]);
    let file = file("[rules]\ndir = \"rules\"\nrequire_signature = true\ntrusted_keys = [\"a\", \"b\"]\n");
    let loaded = load(&Layers { file: Some(file.path().to_owned()), ..Layers::default() }).unwrap();
    assert_eq!(loaded.settings.rules.trusted_keys, ["a", "b"]);
}
