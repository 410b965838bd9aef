//! The canary: a marker in every field of every request message, in valid and invalid forms, through every method and
//! every way in which a call can fail; then no output of the process may hold one. `docs/privacy.md` says what is
//! searched, and for what.

pub mod calls;
pub mod process;
mod scan;
mod sites;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use concord::api::decide::{Terms, decide};
use concord::api::limits::Limits;
use concord::api::{json, proto, request};
use concord::engine::decision::Explain;
use prost::Message as _;
use prost_reflect::{DynamicMessage, Kind};
use tokio::task::JoinSet;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::health_check_response::ServingStatus;

use self::calls::{Outcome, bare, call, statuses};
use self::process::{Process, files};
use self::scan::{HEX_STEM, STEM, Scanner};
use self::sites::{Known, Mark, Site, everything, methods, path_of, sites, smallest};
use crate::cases::SHIPPED;
use crate::dice::Dice;

const EVALUATE: &str = "/concord.v1.DecisionService/Evaluate";
const STREAM: &str = "/concord.v1.DecisionService/EvaluateStream";

/// Calls at once.
const AT_ONCE: usize = 16;

/// A marker that belongs to no field: of metadata, paths and names.
fn loose(what: &str) -> String {
    format!("{STEM}9999{what}")
}

/// Metadata as callers and proxies send it, marked.
fn metadata() -> Vec<(&'static str, String)> {
    vec![
        ("authorization", format!("Bearer {}", loose("token"))),
        ("x-forwarded-client-cert", loose("certificate")),
        ("x-patient", loose("patient")),
        ("x-request-id", loose("request")),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        ("tracestate", format!("{}={}", loose("key"), loose("state"))),
        ("baggage", format!("patient={}", loose("baggage"))),
    ]
}

/// The example of the README with marks in what it leaves free: real codes, so that rules fire and are explained.
fn real(id: &str) -> proto::EvaluateRequest {
    let mut request: proto::EvaluateRequest = json::from_str(include_str!("../../examples/oud-ptsd.json")).unwrap();
    request.request_id = loose(id);
    request.encounter_id = loose("encounter");
    request.requester = loose("requester");
    request.explain = proto::evaluate_request::Explain::Full.into();
    request.include_drafts = true;
    let patient = request.patient.as_mut().unwrap();
    patient.id = loose("patientid");
    patient.preferences.push(loose("preference"));
    patient.diagnoses.iter_mut().for_each(|one| one.text = loose("diagnosis"));
    patient.medications.iter_mut().for_each(|one| one.text = loose("medication"));
    patient.events.iter_mut().for_each(|one| one.substance = loose("substance"));
    request
}

/// What is kept of a run.
struct Run {
    scanner: Scanner,
    /// Names of the sites of which a marker was sent that a search can find.
    reached: BTreeSet<String>,
    /// Sites whose valid form was taken.
    taken: BTreeSet<String>,
    markers: BTreeSet<String>,
    calls: usize,
    codes: BTreeMap<String, usize>,
    /// What came back, but for the bodies of answers.
    open: Vec<u8>,
    answers: Vec<u8>,
}

impl Run {
    fn new() -> Self {
        Self {
            scanner: Scanner::new(),
            reached: BTreeSet::new(),
            taken: BTreeSet::new(),
            markers: BTreeSet::new(),
            calls: 0,
            codes: BTreeMap::new(),
            open: Vec::new(),
            answers: Vec::new(),
        }
    }

    fn mark(&mut self, mark: &Mark, of: &str) {
        let text = match mark {
            Mark::Text(text) => text.clone(),
            Mark::Date(parts) => parts[0].clone(),
            Mark::Whole(value) => value.to_string(),
            Mark::Real(value) => value.to_bits().to_string(),
        };
        if self.markers.insert(text) {
            self.scanner.mark(mark, of);
        }
    }

    fn came(&mut self, path: &str, outcome: Outcome) {
        self.calls += 1;
        *self.codes.entry(format!("{:?}", outcome.code)).or_default() += 1;
        self.open.extend(outcome.open);
        let method = methods().into_iter().find(|method| path_of(method) == path);
        for answer in outcome.answers {
            if let Some(method) = &method {
                self.open.extend(statuses(&answer, &method.output()));
            }
            self.answers.extend(answer);
        }
    }
}

/// One marker at a time, in every field, in every form.
async fn every_field(run: &mut Run, channel: &Channel, all: &[Site], known: &Known) {
    for method in methods() {
        let path = path_of(&method);
        // Packages are checked one at a time.
        let at_once = if path.ends_with("CheckRuleset") { 1 } else { AT_ONCE };
        let mut flying = JoinSet::new();
        let ended = |run: &mut Run, (name, form, outcome): (String, &'static str, Outcome)| {
            let told: Vec<u8> = outcome.answers.iter().flat_map(|answer| statuses(answer, &method.output())).collect();
            let refused = told.windows(14).any(|part| part == b"INVALID_FIELDS");
            if form == "valid" && outcome.code != Code::InvalidArgument && !refused {
                run.taken.insert(name);
            }
            run.came(&path, outcome);
        };
        for site in all.iter().filter(|site| site.method == method) {
            for probe in site.probes(known) {
                for mark in &probe.marks {
                    run.mark(mark, &format!("{} {}", site.name(), probe.form));
                }
                if probe.form == "valid" {
                    run.scanner.hash_of(&probe.bytes, &format!("request with {}", site.name()));
                }
                if probe.searchable {
                    run.reached.insert(site.name());
                }
                let (channel, path, name) = (channel.clone(), path.clone(), site.name());
                if flying.len() >= at_once {
                    ended(run, flying.join_next().await.unwrap().unwrap());
                }
                flying.spawn(
                    async move { (name, probe.form, call(channel, &path, vec![probe.bytes], &metadata()).await) },
                );
            }
        }
        while let Some(one) = flying.join_next().await {
            ended(run, one.unwrap());
        }
    }
}

/// Whole requests: answered, repeated, with an id of another, too large, cut short, in one stream.
async fn whole_requests(run: &mut Run, channel: &Channel, all: &[Site], known: &Known) {
    for method in methods() {
        let path = path_of(&method);
        let (full, marks) = everything(&method, all, known);
        for mark in &marks {
            run.mark(mark, &format!("{path}, whole"));
        }
        run.scanner.hash_of(&full, &format!("{path}, whole"));
        let decoded = DynamicMessage::decode(method.input(), full.as_slice()).unwrap();
        assert_eq!(decoded.unknown_fields().count(), 0, "{path}");
        let cut = full[..full.len().saturating_sub(1)].to_vec();
        let large = [full.clone(), loose("large").repeat(200_000).into_bytes()].concat();
        let garbage = [vec![0x07], loose("garbage").into_bytes()].concat();
        let bodies = [full.clone(), full.clone(), cut, large, garbage, loose("plain").into_bytes(), Vec::new()];
        for body in bodies {
            run.came(&path, call(channel.clone(), &path, vec![body], &metadata()).await);
        }
        run.came(&path, call(channel.clone(), &path, vec![full.clone(), full], &metadata()).await);
    }
    let (one, other) = (real("real"), proto::EvaluateRequest { as_of: "2026-06-02".to_owned(), ..real("real") });
    for (request, code) in [(&one, Code::Ok), (&one, Code::Ok), (&other, Code::AlreadyExists)] {
        let outcome = call(channel.clone(), EVALUATE, vec![request.encode_to_vec()], &metadata()).await;
        assert_eq!(outcome.code, code, "{}", outcome.told);
        run.came(EVALUATE, outcome);
    }
    let items = [real("item"), proto::EvaluateRequest { request_id: format!("{} \u{e9}", loose("item")), ..other }];
    let item = |request| proto::EvaluateStreamRequest { request: Some(request) }.encode_to_vec();
    run.came(STREAM, call(channel.clone(), STREAM, items.map(item).to_vec(), &metadata()).await);
}

/// Calls that are no calls of a method, and what is no call of gRPC.
async fn wrong_calls(run: &mut Run, server: &Process, channel: &Channel) {
    let request = real("wrong").encode_to_vec();
    let paths = [
        format!("/concord.v1.DecisionService/{}", loose("method")),
        format!("/{}/Evaluate", loose("service")),
        format!("{EVALUATE}?patient={}", loose("query")),
        format!("/{}", loose("path")),
        format!("{EVALUATE}/{}", loose("path")),
    ];
    for path in paths {
        run.came(&path, call(channel.clone(), &path, vec![request.clone()], &metadata()).await);
    }
    let mut large = metadata();
    large.push(("x-large", loose("large").repeat(2_000)));
    run.came(EVALUATE, call(channel.clone(), EVALUATE, vec![request.clone()], &large).await);
    let named = [&[0x0a, u8::try_from(loose("name").len()).unwrap()], loose("name").as_bytes()].concat();
    for method in ["Check", "Watch"] {
        let path = format!("/grpc.health.v1.Health/{method}");
        let with = metadata();
        let called = call(channel.clone(), &path, vec![named.clone()], &with);
        if let Ok(outcome) = tokio::time::timeout(Duration::from_millis(300), called).await {
            run.came(&path, outcome);
        }
    }
    for version in ["v1", "v1alpha"] {
        let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        for field in 3..=7_u8 {
            let mut asked = named.clone();
            asked[0] = field << 3 | 2;
            run.came(&path, call(channel.clone(), &path, vec![asked], &metadata()).await);
        }
    }
    let framed = [vec![0], u32::try_from(request.len()).unwrap().to_be_bytes().to_vec(), request.clone()].concat();
    let packed = [vec![1], framed[1..].to_vec()].concat();
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    zipped.write_all(&request).unwrap();
    let zipped = zipped.finish().unwrap();
    let zipped = [vec![1], u32::try_from(zipped.len()).unwrap().to_be_bytes().to_vec(), zipped].concat();
    let rows: [(&str, &str, String, &[u8]); 12] = [
        ("GET", "x-plain", loose("get"), &framed),
        ("PUT", "x-plain", loose("put"), &framed),
        ("POST", "content-type", format!("text/plain; of={}", loose("type")), &framed),
        ("POST", "content-type", format!("application/grpc+{}", loose("type")), &framed),
        ("POST", "grpc-encoding", loose("encoding"), &packed),
        ("POST", "grpc-encoding", "gzip".to_owned(), &zipped),
        ("POST", "grpc-accept-encoding", loose("accepted"), &framed),
        ("POST", "grpc-timeout", loose("timeout"), &framed),
        ("POST", "user-agent", loose("agent"), &framed),
        ("POST", "traceparent", loose("parent"), &framed),
        ("POST", "x-plain", loose("flag"), &packed),
        ("POST", "x-plain", loose("frame"), &request),
    ];
    for (method, name, value, body) in rows {
        let uri = format!("http://{}{EVALUATE}", server.address);
        let mut request = http::Request::builder().method(method).uri(uri).header("te", "trailers");
        if name != "content-type" {
            request = request.header("content-type", "application/grpc");
        }
        let (open, answer) = bare(&server.address, request.header(name, value).body(()).unwrap(), body.to_vec()).await;
        run.calls += 1;
        run.open.extend(open);
        run.answers.extend(answer);
    }
    // Bytes that are no HTTP/2 at all.
    let mut socket = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    let text = format!("GET /{} HTTP/1.1\r\nhost: {}\r\n\r\n", loose("old"), loose("host"));
    tokio::io::AsyncWriteExt::write_all(&mut socket, text.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut seen).await;
    run.open.extend(seen);
    run.calls += 1;
}

/// Calls whose time is up, and calls that no one waits for.
async fn late_calls(run: &mut Run, channel: &Channel, known: &Known) {
    for method in methods() {
        let path = path_of(&method);
        for wait in ["1n", "1u", "2m"] {
            let mut with = metadata();
            with.push(("grpc-timeout", wait.to_owned()));
            let body = if path == EVALUATE { real(wait).encode_to_vec() } else { smallest(&method, known) };
            run.came(&path, call(channel.clone(), &path, vec![body], &with).await);
        }
    }
    for number in 0..60_u64 {
        let body = real(&format!("gone{number}")).encode_to_vec();
        let called = call(channel.clone(), EVALUATE, vec![body], &[]);
        run.calls += 1;
        if let Ok(outcome) = tokio::time::timeout(Duration::from_micros(number * 100), called).await {
            run.came(EVALUATE, outcome);
        }
    }
}

/// Calls while the record can't be written, and then can't be opened.
async fn without_a_store(run: &mut Run, server: &Process, channel: &Channel, known: &Known) {
    server.file_size("0");
    let mut refused = 0;
    for number in 0..20 {
        for method in methods() {
            let path = path_of(&method);
            let body = match path.as_str() {
                EVALUATE => real(&format!("full{number}")).encode_to_vec(),
                _ => smallest(&method, known),
            };
            let outcome = call(channel.clone(), &path, vec![body], &metadata()).await;
            refused += usize::from(outcome.told.contains("AUDIT_UNAVAILABLE"));
            run.came(&path, outcome);
        }
        if number == 10 {
            std::fs::rename(server.data(), server.base.path().join("away")).unwrap();
            std::fs::write(server.data(), "no directory").unwrap();
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
    }
    assert!(refused >= 10, "the store was not down: {refused}");
    assert!(server.said().contains("can't be written"), "{}", server.said());
    std::fs::remove_file(server.data()).unwrap();
    std::fs::rename(server.base.path().join("away"), server.data()).unwrap();
    server.file_size("unlimited");
    server.is(ServingStatus::Serving).await;
}

/// The end, with a stream open and calls coming.
async fn the_end(run: &mut Run, server: &mut Process, channel: Channel) {
    let open = real("open");
    let item = proto::EvaluateStreamRequest { request: Some(open) }.encode_to_vec();
    let (send, items) = tokio::sync::mpsc::channel(4);
    let streaming = {
        let mut client = tonic::client::Grpc::new(channel.clone());
        client.ready().await.unwrap();
        let items = tokio_stream::wrappers::ReceiverStream::new(items);
        let codec = tonic_prost::ProstCodec::<proto::EvaluateStreamRequest, proto::EvaluateStreamResponse>::default();
        let path = tonic::codegen::http::uri::PathAndQuery::from_static(STREAM);
        tokio::spawn(async move { client.streaming(tonic::Request::new(items), path, codec).await })
    };
    send.send(proto::EvaluateStreamRequest::decode(item.as_slice()).unwrap()).await.unwrap();
    let mut answers = streaming.await.unwrap().unwrap().into_inner();
    answers.message().await.unwrap().unwrap();
    server.signal("TERM");
    run.came(EVALUATE, call(channel.clone(), EVALUATE, vec![real("leaving").encode_to_vec()], &metadata()).await);
    let status = loop {
        match answers.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended without a status"),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    run.open.extend([status.message().as_bytes(), status.details(), format!("{status:?}").as_bytes()].concat());
    run.calls += 1;
    drop((answers, send, channel));
    assert_eq!(server.ended().await.code(), Some(0));
}

/// The whole of a run: everything that can be sent, and then every output, searched.
async fn run(log_format: &str) {
    let mut server = Process::start(&[&format!("telemetry.log_format={log_format}")]);
    server.is(ServingStatus::Serving).await;
    let channel = server.channel().await;
    let mut run = Run::new();

    // A decision that the other services can be asked about.
    let outcome = call(channel.clone(), EVALUATE, vec![real("first").encode_to_vec()], &metadata()).await;
    let first = proto::EvaluateResponse::decode(outcome.answers[0].as_slice()).unwrap();
    run.came(EVALUATE, outcome);
    let known = Known::from([("decision_id", first.decision_id)]);
    let all = sites();

    every_field(&mut run, &channel, &all, &known).await;
    whole_requests(&mut run, &channel, &all, &known).await;
    wrong_calls(&mut run, &server, &channel).await;
    late_calls(&mut run, &channel, &known).await;
    without_a_store(&mut run, &server, &channel, &known).await;
    whole_requests(&mut run, &channel, &all, &known).await;
    // At the end the write-ahead log becomes part of the database: here it is apart.
    for path in files(server.base.path()) {
        run.scanner.scan(&format!("{}, while it ran", path.display()), &std::fs::read(&path).unwrap());
    }
    let pages = server.pages();
    assert!(pages.contains("concord_rule_fired_total"), "{pages}");
    run.scanner.scan("pages of the admin listener", pages.as_bytes());
    the_end(&mut run, &mut server, channel).await;

    // Nothing was left out.
    let unreached: Vec<String> = all.iter().map(Site::name).filter(|name| !run.reached.contains(name)).collect();
    assert!(unreached.is_empty(), "fields that no marker reached: {unreached:#?}");
    let not_taken: Vec<String> = all.iter().map(Site::name).filter(|name| !run.taken.contains(name)).collect();
    let evaluations: Vec<&String> = not_taken.iter().filter(|name| name.contains("DecisionService")).collect();
    assert!(evaluations.is_empty(), "fields whose valid form was refused: {evaluations:#?}");
    let roomless =
        all.iter().filter(|site| site.valid().1.is_empty() && !matches!(site.field.kind(), Kind::Message(_)));
    let roomless: BTreeSet<&str> = roomless.map(|site| site.field.full_name()).collect();

    let entries = search(&mut run, &server);
    let fields: BTreeSet<&str> = all.iter().map(|site| site.field.full_name()).collect();
    println!(
        "canary, {log_format}: {} methods, {} fields by {} paths, {} markers, {} calls ({:?}), {entries} entries of \
         the log, {} bytes searched for {} byte strings",
        methods().len(),
        fields.len(),
        all.len(),
        run.markers.len(),
        run.calls,
        run.codes,
        run.scanner.searched,
        run.scanner.needles(),
    );
    println!("valid forms without room for a marker: {roomless:?}");
    println!("valid forms that were refused: {not_taken:?}");
    assert!(fields.len() >= 77 && all.len() >= 172 && run.markers.len() >= 1_500 && run.calls >= 2_000);
    assert!(run.scanner.searched >= 5_000_000);
    let mut hits = std::mem::take(&mut run.scanner.hits);
    hits.sort();
    hits.dedup_by(|one, other| one.place == other.place && one.what == other.what);
    assert!(hits.is_empty(), "{} leaks: {hits:#?}", hits.len());

    // The search would have found them: the answers, which were kept aside, hold what they are to give back.
    run.scanner.scan("answers", &run.answers);
    assert!(!run.scanner.hits.is_empty());
}

/// Searches every output; how many entries the log has.
fn search(run: &mut Run, server: &Process) -> usize {
    let scanner = &mut run.scanner;
    scanner.scan("statuses, metadata and trailers", &run.open);
    for (place, bytes) in [
        ("stdout", &server.stdout),
        ("stderr", &server.stderr),
        ("spans", &server.collector.spans),
        ("metrics", &server.collector.metrics),
        ("logs", &server.collector.logs),
    ] {
        let bytes = bytes.lock().unwrap().clone();
        assert!(place == "stdout" || bytes.len() > 100, "{place} is empty");
        scanner.scan(place, &bytes);
    }
    let database = server.data().join("audit.db");
    let store = rusqlite::Connection::open(&database).unwrap();
    // Of the archive, the dictionaries are what contents were packed with.
    let mut dictionaries = store.prepare("SELECT content FROM archive WHERE kind = 'dictionary'").unwrap();
    let dictionaries = dictionaries.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    assert!(!dictionaries.is_empty());
    for bytes in dictionaries {
        scanner.dictionary(bytes);
    }
    // Value by value, since one may lie in pieces over pages of the file.
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let tables: Vec<String> =
        store.prepare(tables).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for table in &tables {
        let mut rows = store.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        let mut values = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                use rusqlite::types::ValueRef;
                match row.get_ref(column).unwrap() {
                    ValueRef::Blob(bytes) | ValueRef::Text(bytes) => values.extend(bytes),
                    ValueRef::Integer(number) => values.extend(number.to_string().bytes()),
                    ValueRef::Real(number) => values.extend(number.to_le_bytes()),
                    ValueRef::Null => {}
                }
                values.push(b'\n');
            }
        }
        scanner.scan(&format!("table {table}"), &values);
    }
    let entries: i64 = store.query_row("SELECT count(*) FROM entries", [], |row| row.get(0)).unwrap();
    let bodies: i64 =
        store.query_row("SELECT count(*) FROM entries WHERE body IS NOT NULL", [], |row| row.get(0)).unwrap();
    assert!(bodies >= 100, "{bodies} entries with content");
    // Files: of the data directory, the temporary one, and the one in which the process ran.
    for path in files(server.base.path()) {
        let name = path.strip_prefix(server.base.path()).unwrap().display().to_string();
        assert!(!name.contains("core"), "{name} was written");
        scanner.scan(&name, name.as_bytes());
        scanner.scan(&name, &std::fs::read(&path).unwrap());
    }
    usize::try_from(entries).unwrap()
}

/// Noise that is the same in every run.
fn noise(bytes: usize) -> Vec<u8> {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    std::iter::repeat_with(|| dice.next().to_le_bytes()).flatten().take(bytes).collect()
}

#[test]
fn the_search_finds_a_marker_in_every_encoding_and_none_in_noise() {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
    let marker = format!("{STEM}0042f07");
    let bytes = marker.as_bytes();
    let each = |one: &dyn Fn(u8) -> String| bytes.iter().map(|byte| one(*byte)).collect::<String>().into_bytes();
    let gzip = |bytes: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    };
    let words = [b"what a package says of many a thing, again and again".repeat(40), bytes.to_vec()].concat();
    let packed_with = zstd::bulk::Compressor::with_dictionary(3, &words).unwrap().compress(&words).unwrap();
    let digest = format!("{HEX_STEM}0042");
    let mut plants: Vec<(&str, Vec<u8>)> = vec![
        ("raw", bytes.to_vec()),
        ("upper case", marker.to_uppercase().into_bytes()),
        ("cut short", bytes[..STEM.len()].to_vec()),
        ("hexadecimal", each(&|byte| format!("{byte:02x}"))),
        ("hexadecimal, upper case", each(&|byte| format!("{byte:02X}"))),
        ("percent", each(&|byte| format!("%{byte:02X}"))),
        ("JSON", each(&|byte| format!("\\u{byte:04X}"))),
        ("octal", each(&|byte| format!("\\{byte:03o}"))),
        ("HTML", each(&|byte| format!("&#{byte};"))),
        ("Debug of bytes", format!("{bytes:?}").into_bytes()),
        ("pretty Debug of bytes", format!("{bytes:#?}").into_bytes()),
        ("hexadecimal Debug of bytes", format!("{bytes:02x?}").into_bytes()),
        ("UTF-16LE", marker.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16BE", marker.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("over lines", format!("{}\n    {}", &marker[..9], &marker[9..]).into_bytes()),
        ("gzip", gzip(bytes)),
        ("gzip in gzip", gzip(&gzip(bytes))),
        ("zstd", zstd::bulk::compress(bytes, 19).unwrap()),
        ("zstd with a dictionary", packed_with),
        ("hexadecimal in gzip", gzip(&each(&|byte| format!("{byte:02x}")))),
        ("digest", digest.clone().into_bytes()),
        (
            "digest, bytes",
            digest
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect(),
        ),
        ("hash", <sha2::Sha256 as sha2::Digest>::digest(bytes).to_vec()),
        ("whole number", b"age=907350042;".to_vec()),
        ("whole number, packed", vec![0x08, 0xc2, 0x80, 0xe0, 0xbb, 0x93, 0xce, 0x9e, 0xbb, 0x6b]),
        ("number", b"{\"value\":907350042.84713}".to_vec()),
        ("number, packed", [vec![0x11], 907_350_042.847_13_f64.to_le_bytes().to_vec()].concat()),
        ("date", b"at 71 0042 893".to_vec()),
    ];
    for before in 0..3 {
        let text = [vec![b'!'; before], bytes.to_vec(), b"?>?".to_vec()].concat();
        plants.push(("base64", STANDARD.encode(&text).into_bytes()));
        plants.push(("base64, URL-safe", URL_SAFE.encode(&text).into_bytes()));
        plants.push(("base64 without padding", URL_SAFE_NO_PAD.encode(&text).into_bytes()));
    }
    let mut scanner = Scanner::new();
    scanner.mark(&Mark::Text(marker.clone()), "text");
    scanner.mark(&Mark::Whole(907_350_042), "number");
    scanner.mark(&Mark::Whole(0x6b76_7a71_3778_0042), "wide number");
    scanner.mark(&Mark::Real(907_350_042.847_13), "number");
    scanner.mark(&Mark::Date(vec!["710042893".to_owned()]), "date");
    scanner.dictionary(words.clone());
    let noise = noise(1_000_000);
    scanner.scan("noise", &noise);
    assert!(scanner.hits.is_empty(), "{:#?}", scanner.hits);
    for (what, plant) in plants {
        for at in [0, 1, 2, 499_999] {
            scanner.scan(what, &[&noise[..at], &plant, &noise[..7]].concat());
            assert!(!std::mem::take(&mut scanner.hits).is_empty(), "{what} was not found at {at}");
        }
    }
}

#[test]
fn no_type_of_a_request_or_of_a_patient_prints_its_content() {
    let all = sites();
    let method = methods().into_iter().find(|method| path_of(method) == EVALUATE).unwrap();
    let (bytes, marks) = everything(&method, &all, &Known::new());
    let whole = proto::EvaluateRequest::decode(bytes.as_slice()).unwrap();
    let mut scanner = Scanner::new();
    for mark in &marks {
        scanner.mark(mark, "request");
    }
    scanner.scan("the bytes", &bytes);
    assert!(std::mem::take(&mut scanner.hits).len() > 50, "the marks are not in the request");

    let mut printed = Vec::new();
    let mut print = |what: &dyn std::fmt::Debug| printed.push(format!("{what:?}\n{what:#?}"));
    let (limits, now) = (Limits::default(), jiff::Timestamp::UNIX_EPOCH);
    print(&proto::EvaluateStreamRequest { request: Some(whole.clone()) });
    print(&tonic::Request::new(whole.clone()));
    print(whole.patient.as_ref().unwrap());
    print(&proto::evaluate_stream_response::Outcome::Response(proto::EvaluateResponse {
        request_id: loose("answer"),
        ..proto::EvaluateResponse::default()
    }));
    let read = request::read(whole.clone(), &limits, now).unwrap();
    print(&read);
    let patient = &read.patient;
    print(patient);
    print(&patient.birth);
    print(&read.as_of);
    patient.diagnoses.iter().for_each(|one| print(one));
    patient.diagnoses.iter().for_each(|one| print(&(&one.coding, &one.onset, &one.abatement, &one.recorded)));
    patient.medications.iter().for_each(|one| print(one));
    patient.allergies.iter().for_each(|one| print(one));
    patient.observations.iter().for_each(|one| print(&(one, &one.value, &one.effective)));
    patient.events.iter().for_each(|one| print(&(one, &one.at)));
    patient.history.iter().for_each(|one| print(one));
    patient.plans.iter().for_each(|one| print(one));
    let terms = Terms { limits, purpose_of_use: "TREAT".to_owned() };
    for request in [whole, real("debug")] {
        let request = proto::EvaluateRequest { explain: proto::evaluate_request::Explain::Full.into(), ..request };
        let decision = decide(&Arc::clone(&SHIPPED), request, &terms, now).unwrap();
        let answer = &decision.answer;
        print(&decision);
        print(answer);
        print(&(&answer.unrecognized, &answer.readings, &answer.considered, &answer.alerts, &answer.recommendations));
        print(&(&answer.data_requests, &answer.assessments, &answer.insights, &answer.notes));
        print(&concord::api::answer::response(decision));
    }
    print(&Explain::Full);
    assert!(printed.len() > 25 && printed.concat().contains("Diagnosis(..)"));
    scanner.scan("Debug", printed.concat().as_bytes());
    assert!(scanner.hits.is_empty(), "{:#?}", scanner.hits);
}

#[test]
fn no_generated_message_derives_debug() {
    let code = include_str!(concat!(env!("OUT_DIR"), "/concord.v1.rs"));
    let own = include_str!(concat!(env!("OUT_DIR"), "/debug.rs"));
    let kinds = ["::prost::Message)]", "::prost::Oneof)]"];
    let count = |what: &str| code.matches(what).count();
    assert_eq!(kinds.map(count).iter().sum::<usize>(), count("#[prost(skip_debug)]"));
    assert_eq!(own.matches("impl ::core::fmt::Debug for").count(), count("#[prost(skip_debug)]"));
    assert!(count("#[prost(skip_debug)]") > 50);
}

/// What the test below runs in a process of its own: the hook is that of the process.
const PANICS: &str = "CONCORD_TEST_PANICS";

#[tokio::test]
async fn a_panic_prints_its_place_and_not_its_message() {
    if std::env::var_os(PANICS).is_some() {
        let options = concord::telemetry::Options {
            json: false,
            filter: "trace".to_owned(),
            otlp_endpoint: None,
            page: false,
            sampled_per_second: 0,
            sample_ratio: 1.0,
            service_name: "concord".to_owned(),
        };
        let _telemetry = concord::telemetry::start(&options).unwrap();
        let panicked = std::thread::spawn(|| panic!("{}", loose("panic"))).join();
        assert!(panicked.is_err());
        return;
    }
    let name = "canary::a_panic_prints_its_place_and_not_its_message";
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--exact", name, "--nocapture"]).env(PANICS, "1").env("RUST_BACKTRACE", "full").output();
    let output = output.unwrap();
    let said = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success() && text.contains("tests/it/canary.rs:"), "{text}");
    let mut scanner = Scanner::new();
    scanner.scan("output", &said);
    assert!(scanner.hits.is_empty(), "{:#?}", scanner.hits);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_leaves_no_core() {
    let mut server = Process::start(&["audit.store=none"]);
    server.is(ServingStatus::Serving).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let core: Vec<&str> = limits.lines().find(|line| line.contains("core file")).unwrap().split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"], "{core:?}");
    let channel = server.channel().await;
    let request = real("core").encode_to_vec();
    assert_eq!(call(channel, EVALUATE, vec![request], &[]).await.code, Code::Ok);
    server.signal("ABRT");
    assert!(!server.ended().await.success());
    let left: Vec<_> = files(server.base.path());
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_marker_leaves_the_process_with_a_log_of_text() {
    run("text").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_marker_leaves_the_process_with_a_log_of_json() {
    run("json").await;
}
