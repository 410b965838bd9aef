//! Inputs to begin with, made of what the repository has: cases, broken packages, settings. What the fuzzer found beyond
//! them is in `fuzz/corpus`.

use concord::api::json;
use concord::api::proto::{self, EvaluateRequest};
use concord::audit::checkpoint::Checkpoint;
use concord::audit::entry::{Kind as Entry, Leaf};
use concord::config::{KEYS, Preset};
use concord::deck::read_patients;
use concord::diag::Files;
use concord::note::PrivateKey;
use concord::ruleset::{Ruleset, Sources, archive, embedded_cases};
use prost::Message;
use serde_json::json;

/// Bytes of the longest: what is longer is slower, and no deeper.
const LONGEST: usize = 8 * 1024;

const EXAMPLE: &str = include_str!("../../../examples/oud-ptsd.json");
const BASE: &str = include_str!("../../../tests/broken/base.yaml");

/// Inputs of a target.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let mut seeds = match target {
        "evaluate" => cases().iter().map(Message::encode_to_vec).collect(),
        "requests" => requests(),
        "input" => input(),
        "config" => config(),
        "differ" => differ(),
        "rules" => rules(),
        "archive" => vec![archive::pack(&small()), archive::pack(&Sources::from(Files::default()))],
        "note" => notes(),
        "leaf" => Entry::ALL.map(|kind| Leaf::new(kind).bytes().unwrap_or_default()).to_vec(),
        "content" => content(),
        "proof" => vec![vec![0; 16 + 64], [vec![1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0], vec![7; 96]].concat()],
        "log" => b"lbkBKsSaioxdwfghrRcCzm".iter().map(|what| vec![*what, 1, 0, 3, 0, 1, 7, 7, 7, 7, 7]).collect(),
        other => super::identity::seeds(other),
    };
    seeds.retain(|seed| seed.len() <= LONGEST);
    seeds
}

fn small() -> Sources {
    Sources::from(Files::new(vec![("base.yaml".to_owned(), BASE.to_owned())]))
}

/// One case in eight, since its neighbors differ little; one of these in four with all that there is to explain, which
/// takes longest.
fn cases() -> Vec<EvaluateRequest> {
    let (deck, _) = read_patients(Files::new(embedded_cases()));
    let request = |(at, case): (usize, &concord::deck::Case)| {
        let explain = if at % 4 == 0 { "FULL" } else { "BRIEF" };
        json::from_serde(&json!({"patient": case.patient, "asOf": case.as_of, "explain": explain})).ok()
    };
    deck.cases.iter().step_by(8).enumerate().filter_map(request).collect()
}

fn requests() -> Vec<Vec<u8>> {
    let id = "01a207b6-008c-76c0-a225-4e7218569e12".to_owned();
    let item =
        proto::FeedbackItem { kind: 1, item: "buprenorphine".to_owned(), verdict: 2, reason: 1, ..Default::default() };
    let file = proto::RulesetFile { path: "base.yaml".to_owned(), content: BASE.as_bytes().to_vec() };
    let page_token = "0123456789abcdef:12".to_owned();
    let messages = [
        (b'r', proto::GetRuleRequest { id: "methadone-qtc-limit".to_owned() }.encode_to_vec()),
        (b'p', proto::ListRulesRequest { page_size: 5, page_token: page_token.clone() }.encode_to_vec()),
        (b'c', proto::CheckRulesetRequest { files: vec![file.clone()], overlay: vec![file] }.encode_to_vec()),
        (b'g', proto::GetDecisionRequest { decision_id: id.clone(), ..Default::default() }.encode_to_vec()),
        (b'y', proto::ReplayDecisionRequest { decision_id: id.clone(), ..Default::default() }.encode_to_vec()),
        (
            b'l',
            proto::ListDecisionsRequest {
                page_token,
                start_time: "2026-01-01".to_owned(),
                end_time: "2026-01-02T00:00:00Z".to_owned(),
                status: "INVALID_ARGUMENT".to_owned(),
                ..Default::default()
            }
            .encode_to_vec(),
        ),
        (
            b'f',
            proto::RecordFeedbackRequest { decision_id: id.clone(), items: vec![item], ..Default::default() }
                .encode_to_vec(),
        ),
        (b'i', proto::GetInclusionProofRequest { index: 0, decision_id: id }.encode_to_vec()),
    ];
    let mut seeds: Vec<Vec<u8>> = messages.into_iter().map(|(which, bytes)| [vec![which], bytes].concat()).collect();
    seeds.extend(cases().iter().take(20).map(|one| [vec![b'e'], one.encode_to_vec()].concat()));
    seeds
}

fn input() -> Vec<Vec<u8>> {
    let mut seeds = vec![format!("j{EXAMPLE}"), format!("-{EXAMPLE}")];
    let lines: Vec<String> = cases().iter().filter_map(|one| json::to_line(one).ok()).collect();
    seeds.extend(lines.chunks(2).take(10).map(|two| format!("n{}", two.join("\n"))));
    seeds.extend(lines.iter().take(20).map(|line| format!("y{line}")));
    seeds.extend(embedded_cases().iter().take(40).map(|(_, text)| format!("y{text}")));
    seeds.into_iter().map(String::into_bytes).collect()
}

fn config() -> Vec<Vec<u8>> {
    let mut file = String::new();
    let mut variables = String::new();
    let mut each = Vec::new();
    for key in KEYS {
        let value = match key.default {
            Preset::Text(text) => format!("{text:?}"),
            Preset::Whole(count) => count.to_string(),
            Preset::Number(number) => format!("{number:?}"),
            Preset::Flag(flag) => flag.to_string(),
            Preset::Absent => continue,
        };
        file.push_str(&format!("{} = {value}\n", key.name));
        let name = key.name.replace('.', "__").to_uppercase();
        let variable = format!("CONCORD__{name}={}\n", value.trim_matches('"'));
        each.push(format!("{} = {value}\n\0{variable}", key.name));
        variables.push_str(&variable);
    }
    each.extend([file.clone(), format!("\0{variables}"), format!("{file}\0{variables}")]);
    each.into_iter().map(String::into_bytes).collect()
}

fn differ() -> Vec<Vec<u8>> {
    let texts = [
        "{}",
        "[1,2]",
        "{\"a\":[{\"id\":\"x\",\"b\":1},{\"id\":\"y\"}]}",
        "{\"a\":[{\"id\":\"y\"}],\"c\":null}",
        EXAMPLE,
    ];
    texts.iter().flat_map(|one| texts.iter().map(move |two| format!("{one}\0{two}").into_bytes())).collect()
}

fn rules() -> Vec<Vec<u8>> {
    let mut seeds = vec![BASE.to_owned(), RULE.to_owned(), format!("{RULE}\0{OVERLAY}"), format!("\0{OVERLAY}")];
    // Files of the shipped package are of another one's words: how they are read counts.
    if let Ok(shipped) = Ruleset::embedded() {
        seeds.extend(shipped.sources().base.iter().map(|(_, _, text)| text.to_owned()));
    }
    seeds.into_iter().map(String::into_bytes).collect()
}

const RULE: &str = "rules:
- id: methadone-qtc-limit
  title: QTc at the limit
  contraindicate: {component: methadone, action: start}
  when: {observation: qtc-interval, within: 90 days, at_least: $qtc_limit, as: ecg}
  unknown: request
  ask: ECG when there are risk factors.
  statement: \"QTc {ecg.value} on {ecg.date}.\"
  evidence: [{source: chou-2014, place: table 2}]
  strength: strong
  verification: primary
  status: active
";

const OVERLAY: &str = "overlay: {name: site, version: 1.0.0, title: A site, developer: A site, base: small}
set: {qtc_limit: 480 ms}
disable:
- {rule: methadone-qtc-limit, reason: not used here}
";

fn notes() -> Vec<Vec<u8>> {
    let Ok(key) = PrivateKey::new("concord/fuzz", &[7; 32]) else { return Vec::new() };
    let checkpoint = Checkpoint { origin: "concord/fuzz".to_owned(), size: 1_207, root: [7; 32] };
    let texts = [
        checkpoint.sign(&[&key]),
        checkpoint.sign(&[&key, &key]),
        format!("!{}", checkpoint.text()),
        key.public().to_string(),
        key.secret_text(),
    ];
    texts.map(String::into_bytes).to_vec()
}

fn content() -> Vec<Vec<u8>> {
    let frame = archive::pack(&small());
    let plain = b"\0\x07request\0\0\0\x02ab\x06answer\0\0\0\0".to_vec();
    vec![plain, [vec![1], vec![0; 32], frame.clone()].concat(), [vec![1], vec![1; 32], frame].concat()]
}
