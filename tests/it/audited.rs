//! A service that records, asked and held to its record: every answer that it gave is in the log, once, as it was
//! given, and the log is whole.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use concord::api::proto::decision_service_client::DecisionServiceClient;
use concord::api::proto::{EvaluateRequest, EvaluateResponse};
use concord::api::recording::recorded_decision;
use concord::audit::checkpoint::Checkpoint;
use concord::audit::keys::master_key_file;
use concord::audit::log::{self, Access, Log, check_row};
use concord::audit::records::Records;
use concord::audit::sqlite::{FILE, Sqlite};
use concord::audit::tree::{Frontier, leaf_hash};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use crate::disk::Disk;
use crate::server::request;

/// How long anything may take that is bound to come.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The binary: the one that was built for the test, or the one that is named.
pub fn binary() -> PathBuf {
    std::env::var_os("CONCORD_TEST_BIN").map_or_else(|| env!("CARGO_BIN_EXE_concord").into(), PathBuf::from)
}

/// An empty folder for what a test writes.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("audited").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A number from the environment.
pub fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// A process that serves, or is about to.
pub struct Service {
    pub child: Child,
    log: PathBuf,
}

impl Service {
    /// Its record is in `data`; what it says goes to a file in `beside`.
    pub fn start(data: &Path, beside: &Path, disk: Option<&Disk>) -> Self {
        let log = beside.join("stderr");
        let mut command = Command::new(binary());
        command.args(["serve", "--grpc-addr", "127.0.0.1:0", "--set", "server.drain_lead=0s"]);
        command.arg("--set").arg(format!("audit.dir={}", data.display())).env_remove("CONCORD_CONFIG");
        if let Some(disk) = disk {
            disk.before(&mut command);
        }
        let child = command.stderr(File::create(&log).unwrap()).stdout(Stdio::null()).spawn().unwrap();
        Self { child, log }
    }

    /// What it said.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// When it serves; or how it ended before. `look` hears meanwhile what it said.
    pub async fn ready(&mut self, look: impl Fn(&str)) -> Result<Client, ExitStatus> {
        let begun = Instant::now();
        let mut client = None;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Err(status);
            }
            let said = self.said();
            look(&said);
            if client.is_none()
                && let Some((_, after)) = said.split_once("listening grpc=")
                && let Some((address, _)) = after.split_once('\n')
            {
                // Without a text color or more behind it.
                let address = address.split(|one: char| !one.is_ascii_digit() && !".:".contains(one)).next().unwrap();
                let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap().timeout(PATIENCE);
                client = endpoint.connect().await.ok().map(Client);
            }
            if let Some(client) = &client
                && client.serves().await == Some(true)
            {
                return Ok(client.clone());
            }
            assert!(begun.elapsed() < PATIENCE, "it neither served nor ended: {}", self.said());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn serving(&mut self) -> Client {
        match self.ready(|_| {}).await {
            Ok(client) => client,
            Err(status) => panic!("it ended with {status}: {}", self.said()),
        }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Has it end as it should.
    pub async fn stop(&mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = self.ended().await;
        assert_eq!(status.code(), Some(0), "{}", self.said());
    }

    pub async fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it did not end: {}", self.said());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn lives(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("it ended with {status}: {}", self.said());
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks a service.
#[derive(Clone)]
pub struct Client(Channel);

/// What comes of a question.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "most are answers")]
pub enum Outcome {
    Answer(EvaluateResponse),
    /// UNAVAILABLE for want of a record, and when to ask again.
    NoRecord,
    /// The connection broke.
    Gone,
}

impl Client {
    /// Does the service say that it can answer? None: it is gone.
    pub async fn serves(&self) -> Option<bool> {
        let answer = HealthClient::new(self.0.clone()).check(HealthCheckRequest { service: String::new() }).await;
        answer.ok().map(|answer| answer.into_inner().status() == ServingStatus::Serving)
    }

    /// Waits until it says so, or the contrary.
    pub async fn until(&self, serving: bool) {
        let begun = Instant::now();
        while self.serves().await != Some(serving) {
            assert!(begun.elapsed() < PATIENCE, "health never said {serving}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn ask(&self, asked: EvaluateRequest) -> Outcome {
        match DecisionServiceClient::new(self.0.clone()).evaluate(asked).await {
            Ok(answer) => Outcome::Answer(answer.into_inner()),
            Err(status) => refused(&status),
        }
    }
}

fn refused(status: &Status) -> Outcome {
    let Some(info) = status.get_details_error_info() else {
        // What the transport says of itself has no details.
        assert!(
            matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled),
            "{status:?}"
        );
        return Outcome::Gone;
    };
    let expected = ["AUDIT_UNAVAILABLE", "AUDIT_BUSY"].contains(&info.reason.as_str());
    assert!(status.code() == Code::Unavailable && expected, "{status:?}");
    assert!(status.get_details_retry_info().is_some_and(|retry| retry.retry_delay.is_some()), "{status:?}");
    Outcome::NoRecord
}

/// Question `number` of a series: no two are alike.
pub fn question(series: &str, number: usize) -> EvaluateRequest {
    let mut asked = request(
        r#"{"asOf": "2026-06-01", "patient": {
            "diagnoses": [{"coding": [{"system": "ICD-10-CM", "code": "F11.20"}]}]}}"#,
    );
    asked.request_id = format!("{series}-{number}");
    if let Some(patient) = &mut asked.patient {
        patient.id = format!("patient-{}", number % 50);
        patient.age_years = Some(i32::try_from(20 + number % 50).unwrap());
    }
    asked
}

/// A decision of the log.
pub struct Recorded {
    pub index: u64,
    pub answer: EvaluateResponse,
}

/// The decisions of a log by the ids of their requests, after everything else of it was checked.
pub fn decisions(data: &Path) -> HashMap<String, Recorded> {
    let store = Sqlite::open_existing(data).unwrap();
    let (key, _) = master_key_file(&data.join("master.key"), false).unwrap();
    let mut store: Box<dyn concord::audit::store::Store> = Box::new(store);
    let vault = log::vault(store.as_mut(), Arc::new(key)).unwrap();
    let mut records = Records::new(store, vault);
    let head = records.store().head().unwrap();
    let keys = records.keys().unwrap();
    let signed: BTreeMap<u64, Checkpoint> = records
        .store()
        .checkpoints(0, 1_000_000)
        .unwrap()
        .into_iter()
        .map(|(size, note)| (size, Checkpoint::open(&note, &keys).unwrap()))
        .collect();
    assert_eq!(signed.last_key_value().map_or(0, |(size, _)| *size), head.signed);
    let (mut frontier, mut ids, mut found) = (Frontier::default(), std::collections::HashSet::new(), HashMap::new());
    let mut checked = 0;
    while frontier.size() < head.frontier.size() {
        let rows = records.store().rows(frontier.size(), head.frontier.size(), 256).unwrap();
        assert!(!rows.is_empty(), "entry {} is gone", frontier.size());
        for row in rows {
            assert_eq!(row.index, frontier.size());
            check_row(&row).unwrap();
            assert!(ids.insert(row.id), "two entries have one id");
            frontier.push(leaf_hash(&row.leaf));
            if let Some(checkpoint) = signed.get(&frontier.size()) {
                assert_eq!((checkpoint.size, checkpoint.root), (frontier.size(), frontier.root()));
                checked += 1;
            }
            let record = records.open(row).unwrap();
            if let Some((asked, _, answer)) = recorded_decision(&record) {
                assert_eq!(answer.decision_id, record.leaf.id.to_string());
                let recorded = Recorded { index: record.row.index, answer };
                assert!(found.insert(asked.request_id, recorded).is_none(), "a request is on record twice");
            }
        }
    }
    assert_eq!((frontier.root(), checked), (head.frontier.root(), signed.len()));
    found
}

/// Everything that was answered is on record as it was answered.
pub fn hold(found: &HashMap<String, Recorded>, answers: &[EvaluateResponse]) {
    for answer in answers {
        let recorded = found.get(&answer.request_id).unwrap_or_else(|| panic!("{} is lost", answer.request_id));
        let receipt = answer.receipt.as_ref().expect("a receipt");
        assert_eq!(receipt.index, recorded.index);
        assert!(recorded.answer == EvaluateResponse { receipt: None, ..answer.clone() }, "{}", answer.request_id);
    }
}

/// Opens a log as the service would, to append to it.
pub fn reopen(data: &Path) {
    let begun = data.join(FILE).exists();
    let (key, _) = master_key_file(&data.join("master.key"), !begun).unwrap();
    let access = Access { master: Arc::new(key), signing_key: data.join("signing.key"), origin: None };
    Log::open(Box::new(Sqlite::open(data).unwrap()), &access).unwrap();
}
