//! Keeps the active package that of its directories, its overlay's among them. Three things lead to an
//! attempt: an event of the file system, which is a hint and no more (a
//! Kubernetes ConfigMap changes by a link beside the files, and some file
//! systems tell nothing); a poll, which is the guarantee; and a signal. What
//! decides is the content: see [`crate::ruleset::reload`].

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval_at, sleep};

use crate::api::recording::Recorder;
use crate::api::status::item_status;
use crate::ruleset::reload::{Attempt, Outcome, Reloader};
use crate::ruleset::{Active, State};
use crate::telemetry::metrics::RulesetMetrics;

/// Time from an event to the reading: a package is many files, and the first
/// event comes with the first of them.
const SETTLE: Duration = Duration::from_millis(100);

/// Between two attempts to record an activation.
const RECORD_AGAIN: Duration = Duration::from_secs(1);

/// Reloads a package, one attempt at a time.
#[derive(Clone, Debug)]
pub struct Loader {
    reloader: Arc<Mutex<Reloader>>,
    metrics: Arc<RulesetMetrics>,
    active: Active,
    recorder: Recorder,
}

/// Why an attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trigger {
    Start,
    Event,
    Poll,
    Signal,
}

impl Trigger {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Event => "event",
            Self::Poll => "poll",
            Self::Signal => "signal",
        }
    }
}

impl Loader {
    /// Over a reloader that sets `active`.
    #[must_use]
    pub fn new(reloader: Reloader, active: Active, recorder: Recorder) -> Self {
        let (metrics, of) = (RulesetMetrics::new(), active.clone());
        metrics.observe_age(move || {
            let State { ruleset, since, .. } = of.state();
            let (ruleset, since) = (ruleset?, since?);
            let meta = &ruleset.package().meta;
            let age = jiff::Timestamp::now().duration_since(since).as_secs_f64().max(0.0);
            Some((age, meta.name.clone(), meta.version.clone(), ruleset.digest().to_owned()))
        });
        Self { reloader: Arc::new(Mutex::new(reloader)), metrics: Arc::new(metrics), active, recorder }
    }

    /// The first attempt. Where it is refused there is no package to serve.
    ///
    /// # Errors
    /// What is wrong with the package.
    pub async fn start(&self) -> Result<(), String> {
        match self.attempt(Trigger::Start).await {
            Some(Attempt { outcome: Outcome::Activated, .. }) => Ok(()),
            Some(refused) => Err(refused.report),
            None => Err("the rules package could not be loaded".to_owned()),
        }
    }

    /// Reloads until it is dropped; `signaled` yields at each signal.
    pub async fn run(self, poll: Duration, mut signaled: impl AsyncFnMut()) {
        let dirs: Vec<PathBuf> = self.lock().origin().dirs().map(ToOwned::to_owned).collect();
        if dirs.is_empty() {
            loop {
                signaled().await;
                tracing::info!(
                    "the rules package is the one in the binary, and never reloads; rules.dir names another"
                );
            }
        }
        // Keeps one event that comes during an attempt for the next.
        let changed = Arc::new(Notify::new());
        let mut watcher = watch(&dirs, &changed);
        let mut ticks = interval_at(tokio::time::Instant::now() + poll, poll);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Between the first reading and the watch something may have changed.
        changed.notify_one();
        loop {
            let trigger = tokio::select! {
                () = changed.notified() => {
                    sleep(SETTLE).await;
                    Trigger::Event
                }
                _ = ticks.tick() => Trigger::Poll,
                () = signaled() => Trigger::Signal,
            };
            let attempt = self.attempt(trigger).await;
            // The poll saw what no event told: the directory may be another now.
            let missed = attempt.is_some_and(|attempt| attempt.outcome != Outcome::Unchanged);
            if trigger == Trigger::Poll && (missed || watcher.is_none()) {
                drop(watcher);
                watcher = watch(&dirs, &changed);
            }
        }
    }

    // A panic leaves the reloader as it was before the attempt.
    fn lock(&self) -> std::sync::MutexGuard<'_, Reloader> {
        self.reloader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None: the attempt panicked. The package before is still active.
    async fn attempt(&self, trigger: Trigger) -> Option<Attempt> {
        let before = self.active.get();
        let this = self.clone();
        // Off the workers, which answer calls meanwhile.
        let attempt = tokio::task::spawn_blocking(move || this.lock().attempt()).await.ok();
        let Some(attempt) = attempt else {
            tracing::error!(trigger = trigger.word(), "the rules package could not be loaded; the one before stays");
            self.metrics.count("refused", Some("panic"));
            return None;
        };
        self.metrics.count(attempt.outcome.word(), attempt.outcome.reason());
        let before =
            before.as_deref().map(|ruleset| (ruleset.package().meta.version.clone(), ruleset.digest().to_owned()));
        tell(&attempt, trigger, before.unwrap_or_default(), &self.active);
        if attempt.outcome == Outcome::Activated {
            self.record(trigger).await;
        }
        Some(attempt)
    }

    /// Records that the package became active. Decisions carry the package into
    /// the archive by themselves, so that they need not wait for this.
    async fn record(&self, trigger: Trigger) {
        let Some(ruleset) = self.active.get() else { return };
        while let Err(refusal) = self.recorder.activated(&ruleset, trigger.word()).await {
            let reason = item_status(&refusal).reason;
            tracing::warn!(reason, "the activation is not on record yet");
            sleep(RECORD_AGAIN).await;
        }
    }
}

fn tell(attempt: &Attempt, trigger: Trigger, before: (String, String), active: &Active) {
    let trigger = trigger.word();
    match attempt.outcome {
        Outcome::Activated => {
            let Some(ruleset) = active.get() else { return };
            let meta = &ruleset.package().meta;
            let (name, version, digest) = (&meta.name, &meta.version, ruleset.digest());
            let overlay = ruleset.package().overlay.as_ref().map(|overlay| overlay.head.name.as_str());
            let overlay_version = ruleset.package().overlay.as_ref().map(|overlay| overlay.head.version.as_str());
            let disabled = ruleset.counts().disabled;
            let (version_before, digest_before) = before;
            tracing::info!(
                name,
                version,
                digest,
                overlay,
                overlay_version,
                disabled,
                version_before,
                digest_before,
                trigger,
                "rules package active"
            );
        }
        Outcome::Unchanged if trigger == "signal" => tracing::info!("the rules package is unchanged"),
        Outcome::Unchanged => {}
        // The caller of the first attempt says so itself.
        Outcome::Refused { .. } if trigger == "start" => {}
        Outcome::Refused { reason } => {
            let content = attempt.content.as_deref().unwrap_or_default();
            let (diagnostics, digest_active) = (attempt.diagnostics, before.1);
            let report = attempt.report.trim_end();
            tracing::error!(
                reason,
                diagnostics,
                content,
                digest_active,
                trigger,
                "rules package refused, the one before stays active\n{report}"
            );
        }
    }
}

/// A watch of the directories and all below. Where the system can't, the poll is
/// left.
fn watch(dirs: &[PathBuf], changed: &Arc<Notify>) -> Option<RecommendedWatcher> {
    let hint = Arc::clone(changed);
    let handler = move |event: notify::Result<notify::Event>| {
        // Our own reading opens and closes files, which are events too.
        let read = |kind: &EventKind| matches!(kind, EventKind::Access(access) if !matches!(access, AccessKind::Close(AccessMode::Write)));
        if !event.is_ok_and(|event| read(&event.kind)) {
            hint.notify_one();
        }
    };
    // Links are not followed: one that leads out would watch all that is there.
    let config = notify::Config::default().with_follow_symlinks(false);
    let watching = || {
        let mut watcher = RecommendedWatcher::new(handler, config)?;
        for dir in dirs {
            watcher.watch(&dir.canonicalize()?, RecursiveMode::Recursive)?;
        }
        Ok::<_, notify::Error>(watcher)
    };
    watching()
        .inspect_err(
            |error| tracing::warn!(%error, "the directories of the rules package can't be watched; they are polled"),
        )
        .ok()
}
