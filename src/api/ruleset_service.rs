//! `concord.v1.RulesetService`.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status};

use super::limits::{CHECKS, Limits, PAGE_RULES};
use super::proto;
use super::proto::ruleset_service_server::RulesetService;
use super::refusal::Refusal;
use super::request::{self, Candidate, NamedFiles, Page, candidate};
use super::ruleset_answer::{active, checked, one, rule, sorted};
use super::status::status;
use crate::diag::{Diagnostic, Files, Span};
use crate::ruleset::signature::content_digest;
use crate::ruleset::{self, Active, Depth, Ruleset, Sources, check_sources};

/// Hexadecimal digits of the package's digest in a page token: enough to tell
/// packages apart, since a token grants nothing.
const TOKEN_DIGEST: usize = 16;

/// Who may check a package at once. A turn is taken before the message is read,
/// and kept until the work has ended, though the caller may be gone by then: so
/// neither messages nor work pile up.
#[derive(Clone, Debug)]
pub struct Turns(Arc<Semaphore>);

/// The right to check a package. Rides on the request.
#[derive(Clone, Debug)]
pub struct Turn(#[expect(dead_code, reason = "held until it is dropped")] Arc<OwnedSemaphorePermit>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(CHECKS)))
    }
}

impl Turns {
    /// A turn.
    ///
    /// # Errors
    /// [`Refusal::CheckBusy`] where all are taken.
    pub fn take(&self) -> Result<Turn, Refusal> {
        let permit = Arc::clone(&self.0).try_acquire_owned().map_err(|_| Refusal::CheckBusy)?;
        Ok(Turn(Arc::new(permit)))
    }
}

/// Reads the active package, and checks others.
#[derive(Clone, Debug)]
pub struct Rules {
    active: Active,
    limits: Limits,
}

impl Rules {
    /// A service over the package that `active` holds at each call.
    #[must_use]
    pub fn new(active: Active, limits: Limits) -> Self {
        Self { active, limits }
    }

    fn active(&self) -> Result<Arc<Ruleset>, Refusal> {
        self.active.get().ok_or(Refusal::NoActiveRuleset)
    }

    fn list(&self, request: proto::ListRulesRequest) -> Result<proto::ListRulesResponse, Refusal> {
        let page = request::page(request, &self.limits)?;
        list(&*self.active()?, &page)
    }

    fn one(&self, request: proto::GetRuleRequest) -> Result<proto::GetRuleResponse, Refusal> {
        let id = request::rule_id(request, &self.limits)?;
        let ruleset = self.active()?;
        let found = ruleset.package().rules.iter().find(|rule| rule.id.value == id);
        let found = found.map(|found| one(&ruleset, found));
        found.ok_or(Refusal::RuleNotFound)
    }

    fn get(&self) -> Result<proto::GetRulesetResponse, Refusal> {
        let state = self.active.state();
        let ruleset = state.ruleset.as_deref().ok_or(Refusal::NoActiveRuleset)?;
        Ok(active(ruleset, &state))
    }
}

/// Files as texts. What is no text is told, with the files counted from `first`.
fn texts(files: NamedFiles, first: u32, faults: &mut Vec<Diagnostic>) -> Files {
    let mut unreadable = HashMap::new();
    let texts = files.into_iter().map(|(name, bytes)| {
        let text = ruleset::text(bytes).unwrap_or_else(|why| {
            unreadable.insert(name.clone(), why);
            String::new()
        });
        (name, text)
    });
    let files = Files::new(texts.collect());
    faults.extend(files.iter().filter_map(|(index, name, _)| {
        let span = Span { file: first.saturating_add(index), start: 0, end: 0 };
        unreadable.remove(name).map(|why| Diagnostic::error("not-utf-8", span, why))
    }));
    files
}

/// Checks a package as a reload would. Nothing of it is kept.
fn check(candidate: Candidate) -> proto::CheckRulesetResponse {
    let mut faults = Vec::new();
    let base = texts(candidate.files, 0, &mut faults);
    let first = u32::try_from(base.count()).unwrap_or(u32::MAX);
    let overlay = (!candidate.overlay.is_empty()).then(|| texts(candidate.overlay, first, &mut faults));
    let sources = Sources { base, overlay };
    if !faults.is_empty() {
        // A digest of other bytes than those that were sent would name nothing.
        return checked(&sources.files(), &faults, None, String::new());
    }
    let content = content_digest(&sources);
    let found = check_sources(sources, None, Depth::Errors);
    let (files, mut diagnostics) = (found.files.clone(), found.diagnostics.clone());
    let ruleset = if found.errors() > 0 {
        None
    } else {
        Ruleset::from_checked(found)
            .map_err(|error| diagnostics.push(Diagnostic::error("concept", Span::default(), error.to_string())))
            .ok()
    };
    checked(&files, &diagnostics, ruleset.as_ref(), content)
}

fn prefix(ruleset: &Ruleset) -> String {
    let digest: String = ruleset.digest().chars().take(TOKEN_DIGEST).collect();
    format!("{digest}:")
}

/// The token is the package and the last id of the page before: a token of
/// another package is refused, so that a listing never mixes two.
fn list(ruleset: &Ruleset, page: &Page) -> Result<proto::ListRulesResponse, Refusal> {
    let prefix = prefix(ruleset);
    let after = match page.token.as_str() {
        "" => "",
        token => token.strip_prefix(&prefix).ok_or(Refusal::PageToken)?,
    };
    let size = if page.size == 0 { PAGE_RULES } else { page.size };
    let all = sorted(ruleset.package());
    let (taken, more) = part(&all, |rule| rule.id.value.as_str(), after, size);
    let last = taken.last().filter(|_| more);
    Ok(proto::ListRulesResponse {
        rules: taken.iter().map(|found| rule(ruleset, found)).collect(),
        next_page_token: last.map(|last| format!("{prefix}{}", last.id.value)).unwrap_or_default(),
    })
}

/// Of entries in the order of their ids, those after an id, `size` at most;
/// and whether there are more.
fn part<'a, T>(all: &'a [T], id: impl Fn(&T) -> &str, after: &str, size: usize) -> (&'a [T], bool) {
    let from = all.partition_point(|entry| id(entry) <= after);
    let rest = all.get(from..).unwrap_or_default();
    match rest.split_at_checked(size) {
        Some((taken, further)) => (taken, !further.is_empty()),
        None => (rest, false),
    }
}

#[tonic::async_trait]
impl RulesetService for Rules {
    async fn get_ruleset(
        &self,
        _request: Request<proto::GetRulesetRequest>,
    ) -> Result<Response<proto::GetRulesetResponse>, Status> {
        self.get().map(Response::new).map_err(|refusal| status(&refusal))
    }

    async fn list_rules(
        &self,
        request: Request<proto::ListRulesRequest>,
    ) -> Result<Response<proto::ListRulesResponse>, Status> {
        self.list(request.into_inner()).map(Response::new).map_err(|refusal| status(&refusal))
    }

    async fn get_rule(
        &self,
        request: Request<proto::GetRuleRequest>,
    ) -> Result<Response<proto::GetRuleResponse>, Status> {
        self.one(request.into_inner()).map(Response::new).map_err(|refusal| status(&refusal))
    }

    async fn check_ruleset(
        &self,
        request: Request<proto::CheckRulesetRequest>,
    ) -> Result<Response<proto::CheckRulesetResponse>, Status> {
        let turn = request.extensions().get::<Turn>().cloned();
        let files = candidate(request.into_inner(), &self.limits).map_err(|refusal| status(&refusal))?;
        // Off the workers, which answer evaluations meanwhile.
        let work = tokio::task::spawn_blocking(move || {
            let answer = check(files);
            drop(turn);
            answer
        });
        match work.await {
            Ok(answer) => Ok(Response::new(answer)),
            Err(_) => {
                tracing::error!("the check of a package panicked");
                Err(status(&Refusal::Internal))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn pages_follow_each_other_without_gap_or_overlap() {
        let all = ["a", "b", "c", "d"];
        let page = |after, size| part(&all, |id| *id, after, size);
        assert_eq!(page("", 2), (&all[..2], true));
        assert_eq!(page("b", 2), (&all[2..], false));
        assert_eq!(page("", 9), (&all[..], false));
        assert_eq!(page("d", 2), (&all[4..], false));
        // A rule that is gone ends no listing.
        assert_eq!(page("bb", 1), (&all[2..3], true));
    }
}
