//! `concord serve`: settings → telemetry → bind → load → serve → drain → flush.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::Args;
use serde_json::json;
use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;

use super::audit::{Place, place, prune};
use super::gate::gate;
use super::settings::{SettingsArguments, Unusable, origin, terms, trust};
use super::{Exit, cases, complain};
use crate::admin::{self, Pages};
use crate::api::decide::ENGINE_VERSION;
use crate::api::recording::Recorder;
use crate::audit::{Audit, State};
use crate::config::{AuditStore, LogFormat, Reflection, Settings};
use crate::ruleset::reload::Reloader;
use crate::ruleset::{Active, Ruleset};
use crate::server::canary;
use crate::server::counts::counting;
use crate::server::health::{Board, Phase};
use crate::server::notify::Notify;
use crate::server::reload::Loader;
use crate::server::tls::Certificates;
use crate::server::{self, End};
use crate::telemetry::metrics::{AuditFigures, observe_audit};
use crate::telemetry::page::{self, Page};
use crate::telemetry::{self, Telemetry};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Address of the gRPC listener: `server.grpc_addr`.
    #[arg(long, value_name = "ADDRESS")]
    grpc_addr: Option<String>,
    #[command(flatten)]
    settings: SettingsArguments,
}

pub(super) fn run(arguments: Arguments) -> Exit {
    match start(arguments) {
        Ok(End::Drained) => Exit::Fine,
        Ok(End::Cut | End::Forced) => Exit::Cut,
        Err(Unusable(message)) => {
            complain(message);
            Exit::Unusable
        }
    }
}

/// A core holds the records that were at work: the process leaves none.
fn leave_no_core() -> Result<(), Unusable> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limited = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // A program that cores are piped to is not bound by the limit, but by this.
    #[cfg(target_os = "linux")]
    let limited =
        limited.and_then(|()| rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable));
    limited.map_err(|error| Unusable(format!("core dumps can't be turned off: {error}")))
}

/// Steps of tasks between two looks at sockets and clocks. As many as the
/// runtime's own 61 let a few connections that always have more to do keep the
/// others waiting for tens of milliseconds; where each step is followed by a
/// look, calls are read one by one.
const STEPS_BETWEEN_EVENTS: u32 = 24;

fn start(arguments: Arguments) -> Result<End, Unusable> {
    leave_no_core()?;
    let flags = arguments.grpc_addr.map(|address| ("server.grpc_addr".to_owned(), address));
    let settings = arguments.settings.load(flags.into_iter().collect())?.settings;
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .event_interval(STEPS_BETWEEN_EVENTS)
        .build()
        .map_err(|error| Unusable(format!("no runtime: {error}")))?;
    let end = runtime.block_on(async {
        let telemetry = telemetry(&settings)?;
        let end = serve(settings, telemetry.page().cloned()).await;
        telemetry.flush().await;
        end
    });
    // What was cut may still be at work: the process does not wait for it.
    runtime.shutdown_background();
    end
}

fn telemetry(settings: &Settings) -> Result<Telemetry, Unusable> {
    let from = &settings.telemetry;
    let options = telemetry::Options {
        json: from.log_format == LogFormat::Json,
        filter: from.log_filter.clone(),
        otlp_endpoint: from.otlp_endpoint.clone(),
        sample_ratio: from.sample_ratio,
        sampled_per_second: from.sampled_per_second,
        service_name: from.service_name.clone(),
        page: settings.admin.addr.is_some(),
    };
    telemetry::start(&options).map_err(|error| Unusable(error.to_string()))
}

async fn serve(settings: Settings, metrics: Option<Page>) -> Result<End, Unusable> {
    let mut signals = Signals::new()?;
    let mut hangup = listen(SignalKind::hangup())?;
    let trust = trust(&settings)?;
    let address = settings.server.grpc_addr;
    // Bound before the rules are loaded, so that an address in use is told at
    // once, and probes find the process alive.
    let failed = |error: server::ServeError| Unusable(error.to_string());
    let certificates = settings.tls.files().map(|files| Certificates::load(files, settings.server.grpc_web));
    let certificates = certificates.transpose().map_err(failed)?;
    let plaintext = settings.server.allow_plaintext_off_loopback;
    let listener = server::bind(address, certificates.is_some(), plaintext).await.map_err(failed)?;
    let bound = listener.local_addr().unwrap_or(address);
    let gate = gate(&settings, bound).await?;
    tracing::info!("listening grpc={bound}");
    let (active, board) = (Active::new(), Board::default());
    if let Some(address) = settings.admin.addr {
        probes(address, &active, &board, metrics).await?;
    }
    let recorder = match settings.audit.store {
        AuditStore::None => Recorder::none(),
        AuditStore::Sqlite | AuditStore::Postgres => Recorder::awaiting(),
    };
    let recorder = recorder.observed(counting(active.clone()));
    if !settings.canary.interval.is_zero() {
        tokio::spawn(canary::keep(cases::canaries()?, settings.canary.interval, active.clone(), terms(&settings)));
    }
    let options = server::Options {
        terms: terms(&settings),
        server: settings.server.clone(),
        limits: settings.limits,
        tls: settings.tls.clone(),
        recorder: recorder.clone(),
        audit_off_loopback: settings.audit.serve_off_loopback,
        gate,
        reflection: match settings.server.reflection {
            Reflection::Auto => None,
            Reflection::On => Some(true),
            Reflection::Off => Some(false),
        },
    };
    let reloader = Reloader::new(origin(&settings), trust, active.clone());
    let loader = Loader::new(reloader, active.clone(), recorder.clone());
    let notify = Notify::from_environment();
    let tls = certificates.as_ref().map(Certificates::tls);
    let serving = server::serve(listener, tls, active, board.clone(), options, async || {
        signals.next().await;
        notify.stopping();
    });
    let mut serving = std::pin::pin!(serving);
    let opening = async {
        open_log(&settings, &recorder, &board).await?;
        loader.start().await.map_err(|why| unloaded(&settings, &why))
    };
    tokio::select! {
        end = &mut serving => return end.map_err(failed),
        begun = opening => begun?,
    }
    if let Some(certificates) = certificates {
        // Each has its own ear for the signal.
        let mut hangup = listen(SignalKind::hangup())?;
        tokio::spawn(certificates.run(settings.tls.poll, async move || {
            hangup.recv().await;
        }));
    }
    board.enter(Phase::Serving);
    notify.ready();
    let mut reloading = false;
    // Asked for the next signal, the last one's reload is done.
    let hangups = async || {
        if std::mem::take(&mut reloading) {
            notify.ready();
        }
        hangup.recv().await;
        reloading = true;
        notify.reloading();
    };
    let end = tokio::select! {
        end = serving => end.map_err(failed),
        () = loader.run(settings.rules.poll, hangups) => Ok(End::Drained),
    };
    if let Ok(Some(audit)) = recorder.audit() {
        audit.close().await;
    }
    end
}

/// Why no package could be loaded, and in the last line by which settings.
fn unloaded(settings: &Settings, why: &str) -> Unusable {
    let dirs = [("rules.dir", &settings.rules.dir), ("rules.overlay", &settings.rules.overlay)];
    let named = |(key, dir): (&str, &Option<PathBuf>)| Some(format!("{key} = {}", dir.as_ref()?.display()));
    let named: Vec<String> = dirs.into_iter().filter_map(named).collect();
    Unusable(if named.is_empty() {
        why.to_owned()
    } else {
        format!("{}\n{}: not a package to serve with", why.trim_end(), named.join(", "))
    })
}

/// Opens the listener for probes and metrics. It answers to the very end, so that
/// a process that drains is not taken for a dead one.
async fn probes(address: SocketAddr, active: &Active, board: &Board, metrics: Option<Page>) -> Result<(), Unusable> {
    let listener = admin::bind(address).await.map_err(|error| Unusable(error.to_string()))?;
    tracing::info!("listening admin={}", listener.local_addr().unwrap_or(address));
    let (board, started, versioned) = (board.clone(), active.clone(), active.clone());
    let pages = Pages {
        unready: Box::new(move || board.unready()),
        started: Box::new(move || started.get().is_some()),
        version: Box::new(move || version(&versioned)),
        metrics: Box::new(move || Some((metrics.as_ref()?.text()?, page::CONTENT_TYPE))),
    };
    tokio::spawn(admin::serve(listener, pages));
    Ok(())
}

fn version(active: &Active) -> String {
    let ruleset = active.get().map(|ruleset| {
        let meta = &ruleset.package().meta;
        json!({"name": meta.name, "version": meta.version, "digest": ruleset.digest()})
    });
    json!({"version": ENGINE_VERSION, "semantics": Ruleset::semantics(), "ruleset": ruleset}).to_string()
}

/// Opens the audit log, on a thread that may wait for it, and lets health say
/// whether it can be written.
async fn open_log(settings: &Settings, recorder: &Recorder, board: &Board) -> Result<(), Unusable> {
    let Some(Place { options, opener }) = place(settings)? else {
        tracing::warn!("audit.store is none: there is no record of what is answered");
        return Ok(());
    };
    let runtime = Handle::current();
    let opened = spawn_blocking(move || Audit::start(&options, move || opener(), runtime)).await;
    let audit = opened
        .map_err(|_| Unusable("the audit log could not be opened".to_owned()))?
        .map_err(|error| Unusable(error.to_string()))?;
    tracing::info!(log = audit.origin(), "audit log open");
    let figures = audit.figures();
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a process's life fit")]
    observe_audit(move || AuditFigures {
        entries: figures.entries.load(Ordering::Relaxed),
        commits: figures.commits.load(Ordering::Relaxed),
        commit_seconds: figures.commit_micros.load(Ordering::Relaxed) as f64 / 1e6,
        failed: figures.failed.load(Ordering::Relaxed),
        busy: figures.busy.load(Ordering::Relaxed),
        waiting: figures.waiting.now().0 as u64,
        lag_seconds: figures.waiting.now().1.as_secs_f64(),
    });
    let (mut state, board) = (audit.state(), board.clone());
    tokio::spawn(async move {
        while state.changed().await.is_ok() {
            let up = *state.borrow_and_update() == State::Up;
            board.recordable(up);
        }
    });
    if settings.audit.retention_years > 0 {
        tokio::spawn(prune::keep(audit.clone(), settings.audit.retention_years));
    }
    recorder.opened(audit);
    Ok(())
}

fn listen(kind: SignalKind) -> Result<Signal, Unusable> {
    signal(kind).map_err(|error| Unusable(format!("no signals: {error}")))
}

/// The signals that end the server.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, Unusable> {
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
