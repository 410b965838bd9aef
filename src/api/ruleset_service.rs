//! `concord.v1.RulesetService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::limits::{Limits, PAGE_RULES};
use super::proto;
use super::proto::ruleset_service_server::RulesetService;
use super::refusal::Refusal;
use super::request::{self, Page};
use super::ruleset_answer::{rule, ruleset, sorted};
use super::status::status;
use crate::ruleset::{Active, Ruleset};

/// Hexadecimal digits of the package's digest in a page token: enough to tell
/// packages apart, since a token grants nothing.
const TOKEN_DIGEST: usize = 16;

/// Reads the active package.
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
        let found = found.map(|found| rule(&ruleset, found));
        match found {
            Some(rule) => Ok(proto::GetRuleResponse { rule: Some(rule) }),
            None => Err(Refusal::RuleNotFound { id }),
        }
    }
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
        self.active().map(|active| Response::new(ruleset(&active))).map_err(|refusal| status(&refusal))
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
