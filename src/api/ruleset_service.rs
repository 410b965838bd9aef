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
    let mut rest = all.into_iter().skip_while(|rule| rule.id.value.as_str() <= after);
    let mut taken = Vec::new();
    let mut last = "";
    for found in rest.by_ref().take(size) {
        last = &found.id.value;
        taken.push(rule(ruleset, found));
    }
    let more = rest.next().is_some();
    Ok(proto::ListRulesResponse {
        rules: taken,
        next_page_token: if more { format!("{prefix}{last}") } else { String::new() },
    })
}

#[tonic::async_trait]
impl RulesetService for Rules {
    async fn get_ruleset(
        &self,
        _request: Request<proto::GetRulesetRequest>,
    ) -> Result<Response<proto::GetRulesetResponse>, Status> {
        self.active()
            .map(|active| Response::new(ruleset(&active)))
            .map_err(|refusal| status(&refusal))
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
