//! Requests of the audit service to what they ask for.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use prost::Message as _;
use uuid::Uuid;

use crate::api::limits::{FEEDBACK_ITEMS, Limits, PAGE_DECISIONS};
use crate::api::proto::list_decisions_request::Outcome;
use crate::api::proto::{self, ErrorReason, feedback_item};
use crate::api::recording::decision_id;
use crate::api::refusal::{Path, Refusal};
use crate::api::request::LARGEST_PAGE;
use crate::api::text::{Check, Need};
use crate::audit::entry::sha256;
use crate::note::hex;

/// Which entries are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Made then or later.
    pub from: Option<Timestamp>,
    /// Made before.
    pub to: Option<Timestamp>,
    /// Who called.
    pub caller: Option<String>,
    /// Digest of the package.
    pub ruleset: Option<String>,
    /// A rule that fired.
    pub rule: Option<String>,
    /// Decisions.
    pub decisions: bool,
    /// Refusals.
    pub refusals: bool,
    /// The gRPC status.
    pub status: Option<String>,
}

/// A page that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Of which entries.
    pub filter: Filter,
    /// Entries on it at most.
    pub size: usize,
    /// Of entries before this one; none: from the end of the log.
    pub before: Option<u64>,
    /// What the tokens of this listing begin with.
    prefix: String,
}

impl Listing {
    /// The token of the page of entries before an index.
    #[must_use]
    pub fn token(&self, before: u64) -> String {
        format!("{}{before}", self.prefix)
    }
}

/// An entry that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// By its index.
    Index(u64),
    /// By the id of its decision; none: no decision has such an id.
    Decision(Option<Uuid>),
}

fn id(check: &mut Check<'_>, path: &Path<'_>, text: &str) -> String {
    if text.is_empty() {
        check.required(path);
    }
    check.opaque(path, text.to_owned())
}

/// Who reads and why: checked, and kept in the record of the read alone.
fn reader(check: &mut Check<'_>, requester: &str, purpose: &str) {
    check.opaque(&Path::root("requester"), requester.to_owned());
    check.code(&Path::root("purpose_of_use"), Need::Optional, purpose.to_owned());
}

/// The decision that is asked for; none where no decision has such an id.
///
/// # Errors
/// [`Refusal::Fields`].
pub fn get(request: &proto::GetDecisionRequest, limits: &Limits) -> Result<Option<Uuid>, Refusal> {
    one(&request.decision_id, &request.requester, &request.purpose_of_use, limits)
}

/// The decision that is to be replayed; none where no decision has such an id.
///
/// # Errors
/// [`Refusal::Fields`].
pub fn replay(request: &proto::ReplayDecisionRequest, limits: &Limits) -> Result<Option<Uuid>, Refusal> {
    one(&request.decision_id, &request.requester, &request.purpose_of_use, limits)
}

fn one(decision: &str, requester: &str, purpose: &str, limits: &Limits) -> Result<Option<Uuid>, Refusal> {
    let mut check = Check::new(limits);
    let decision = id(&mut check, &Path::root("decision_id"), decision);
    reader(&mut check, requester, purpose);
    check.faults.finish(Some(decision_id(&decision)))
}

/// Reads the request for a page of decisions.
///
/// # Errors
/// [`Refusal::Fields`], and [`Refusal::PageToken`] where the token is not of this
/// listing.
pub fn listing(request: &proto::ListDecisionsRequest, limits: &Limits) -> Result<Listing, Refusal> {
    let mut check = Check::new(limits);
    let size = check.whole(&Path::root("page_size"), request.page_size, 0, LARGEST_PAGE).unwrap_or_default();
    let token = check.opaque(&Path::root("page_token"), request.page_token.clone());
    let from = instant(&mut check, &Path::root("start_time"), &request.start_time, false);
    let to = instant(&mut check, &Path::root("end_time"), &request.end_time, true);
    let caller = check.code(&Path::root("caller"), Need::Optional, request.caller.clone());
    let ruleset = check.digest(&Path::root("ruleset_digest"), &request.ruleset_digest);
    let rule = check.token(&Path::root("rule"), Need::Optional, request.rule.clone());
    let outcome: Option<Outcome> = check.choice(&Path::root("outcome"), request.outcome, Some);
    let outcome = outcome.unwrap_or_default();
    let status = check.code(&Path::root("status"), Need::Optional, request.status.clone());
    reader(&mut check, &request.requester, &request.purpose_of_use);
    let any = outcome == Outcome::All || (outcome == Outcome::Unspecified && status.is_some());
    let (decisions, refusals) = (any || outcome != Outcome::Refused, any || outcome == Outcome::Refused);
    let filter = Filter { from, to, caller, ruleset, rule, decisions, refusals, status };
    let filter = check.faults.finish(Some(filter))?;
    // Of the filters alone: the pages of a listing may have other sizes, and other readers.
    let asked = proto::ListDecisionsRequest {
        page_size: 0,
        page_token: String::new(),
        requester: String::new(),
        purpose_of_use: String::new(),
        ..request.clone()
    };
    let digest: String = hex(&sha256(&asked.encode_to_vec())).chars().take(16).collect();
    let prefix = format!("{digest}:");
    let before = match token.as_str() {
        "" => None,
        token => Some(token.strip_prefix(&prefix).and_then(|index| index.parse().ok()).ok_or(Refusal::PageToken)?),
    };
    let size = usize::try_from(size).ok().filter(|size| *size > 0).unwrap_or(PAGE_DECISIONS);
    Ok(Listing { filter, size, before, prefix })
}

/// An end of a range of time: of a full date its beginning, or that of the next.
fn instant(check: &mut Check<'_>, path: &Path<'_>, text: &str, end: bool) -> Option<Timestamp> {
    if text.is_empty() {
        return None;
    }
    check.instant(path, text)?;
    let found = if text.len() == 10 {
        let date = text.parse::<Date>().ok();
        let day = date.and_then(|date| if end { date.tomorrow().ok() } else { Some(date) });
        day.and_then(|day| day.to_zoned(TimeZone::UTC).ok()).map(|zoned| zoned.timestamp())
    } else {
        text.parse().ok()
    };
    if found.is_none() {
        check.faults.add(path, ErrorReason::Range, "is outside the years that can be told");
    }
    found
}

/// A part of an answer of which something is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: feedback_item::Kind,
    /// As the answer names it.
    pub name: String,
    /// The action, where it is stated.
    pub action: Option<proto::Action>,
}

/// Feedback that is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// Of this decision; none where no decision has such an id.
    pub decision: Option<Uuid>,
    /// On these.
    pub items: Vec<Item>,
}

/// Reads feedback.
///
/// # Errors
/// [`Refusal::Fields`] with every field at fault.
pub fn feedback(request: &proto::RecordFeedbackRequest, limits: &Limits) -> Result<Feedback, Refusal> {
    let mut check = Check::new(limits);
    check.opaque(&Path::root("request_id"), request.request_id.clone());
    check.opaque(&Path::root("requester"), request.requester.clone());
    let decision = id(&mut check, &Path::root("decision_id"), &request.decision_id);
    if request.items.is_empty() {
        check.required(&Path::root("items"));
    }
    let items = check.list(Path::root("items"), request.items.clone(), FEEDBACK_ITEMS, item);
    let items = items.into_iter().collect::<Option<_>>();
    check.faults.finish(items.map(|items| Feedback { decision: decision_id(&decision), items }))
}

fn item(check: &mut Check<'_>, at: &Path<'_>, item: proto::FeedbackItem) -> Option<Item> {
    let kind = chosen(check, &at.field("kind"), item.kind, &feedback_item::Kind::Unspecified);
    let verdict = chosen(check, &at.field("verdict"), item.verdict, &feedback_item::Verdict::Unspecified);
    let path = at.field("reason");
    let reason: Option<feedback_item::Reason> = check.choice(&path, item.reason, Some);
    match (verdict, reason) {
        (Some(feedback_item::Verdict::Overridden), Some(feedback_item::Reason::Unspecified)) => check.required(&path),
        (Some(feedback_item::Verdict::Accepted), Some(reason)) if reason != feedback_item::Reason::Unspecified => {
            check.conflict(&path, "verdict: ACCEPTED");
        }
        _ => {}
    }
    let comment = at.field("comment");
    check.comment(&comment, &item.comment);
    if reason == Some(feedback_item::Reason::Other) && item.comment.trim().is_empty() {
        check.required(&comment);
    }
    let path = at.field("action");
    let action: Option<proto::Action> = check.choice(&path, item.action, Some);
    let action = action.filter(|action| *action != proto::Action::Unspecified);
    if action.is_some() && kind.is_some_and(|kind| kind != feedback_item::Kind::Component) {
        check.conflict(&path, "kind");
    }
    let name = check.code(&at.field("item"), Need::Required, item.item)?;
    Some(Item { kind: kind?, name, action })
}

/// An enum that must be stated.
fn chosen<P: TryFrom<i32> + PartialEq>(
    check: &mut Check<'_>,
    path: &Path<'_>,
    number: i32,
    unspecified: &P,
) -> Option<P> {
    let value = check.choice(path, number, Some)?;
    if value == *unspecified {
        check.required(path);
        return None;
    }
    Some(value)
}

/// The entry whose inclusion is to be proven.
///
/// # Errors
/// [`Refusal::Fields`].
pub fn place(request: &proto::GetInclusionProofRequest, limits: &Limits) -> Result<Place, Refusal> {
    let mut check = Check::new(limits);
    let path = Path::root("decision_id");
    let decision = check.opaque(&path, request.decision_id.clone());
    if request.index > 0 && !request.decision_id.is_empty() {
        check.conflict(&path, "index");
    }
    let place = if request.decision_id.is_empty() {
        Place::Index(request.index)
    } else {
        Place::Decision(decision_id(&decision))
    };
    check.faults.finish(Some(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(request: &proto::ListDecisionsRequest) -> Listing {
        listing(request, &Limits::default()).unwrap()
    }

    #[test]
    fn a_full_date_is_its_whole_day() {
        let day = |from: &str, to: &str| {
            let request = proto::ListDecisionsRequest {
                start_time: from.to_owned(),
                end_time: to.to_owned(),
                ..proto::ListDecisionsRequest::default()
            };
            let filter = list(&request).filter;
            (filter.from.unwrap().to_string(), filter.to.unwrap().to_string())
        };
        let whole = ("2026-06-01T00:00:00Z".to_owned(), "2026-06-02T00:00:00Z".to_owned());
        assert_eq!(day("2026-06-01", "2026-06-01"), whole);
        assert_eq!(day("2026-06-01T02:00:00+02:00", "2026-06-02T00:00:00Z"), whole);
    }

    #[test]
    fn a_status_alone_lists_refusals_too() {
        let kinds = |outcome: Outcome, status: &str| {
            let request = proto::ListDecisionsRequest {
                outcome: outcome.into(),
                status: status.to_owned(),
                ..proto::ListDecisionsRequest::default()
            };
            let filter = list(&request).filter;
            (filter.decisions, filter.refusals)
        };
        assert_eq!(kinds(Outcome::Unspecified, ""), (true, false));
        assert_eq!(kinds(Outcome::Unspecified, "INVALID_ARGUMENT"), (true, true));
        assert_eq!(kinds(Outcome::Answered, "OK"), (true, false));
        assert_eq!(kinds(Outcome::Refused, ""), (false, true));
        assert_eq!(kinds(Outcome::All, ""), (true, true));
    }

    #[test]
    fn a_token_is_of_its_filters_whatever_the_size_of_the_page() {
        let request = proto::ListDecisionsRequest { caller: "a".to_owned(), ..proto::ListDecisionsRequest::default() };
        let token = list(&request).token(17);
        let next = proto::ListDecisionsRequest { page_token: token.clone(), page_size: 7, ..request.clone() };
        assert_eq!((list(&next).before, list(&next).size), (Some(17), 7));
        let other = proto::ListDecisionsRequest { page_token: token, caller: "b".to_owned(), ..request };
        assert_eq!(listing(&other, &Limits::default()), Err(Refusal::PageToken));
    }

    #[test]
    fn an_override_has_a_reason_and_an_acceptance_none() {
        use feedback_item::{Kind, Reason, Verdict};
        let faults = |kind: Kind, action: proto::Action, verdict: Verdict, reason: Reason, comment: &str| {
            let item = proto::FeedbackItem {
                kind: kind.into(),
                item: "methadone".to_owned(),
                action: action.into(),
                verdict: verdict.into(),
                reason: reason.into(),
                comment: comment.to_owned(),
            };
            let request = proto::RecordFeedbackRequest {
                decision_id: "d".to_owned(),
                items: vec![item],
                ..proto::RecordFeedbackRequest::default()
            };
            match feedback(&request, &Limits::default()) {
                Ok(_) => Vec::new(),
                Err(Refusal::Fields(faults)) => {
                    faults.into_iter().map(|fault| format!("{} {}", fault.field, fault.reason.as_str_name())).collect()
                }
                Err(other) => panic!("{other:?}"),
            }
        };
        let none = proto::Action::Unspecified;
        let (accepted, overridden) = (Verdict::Accepted, Verdict::Overridden);
        assert!(faults(Kind::Component, proto::Action::Start, accepted, Reason::Unspecified, "").is_empty());
        assert!(faults(Kind::Alert, none, overridden, Reason::AlreadyDone, "").is_empty());
        assert_eq!(faults(Kind::Alert, none, overridden, Reason::Unspecified, ""), ["items[0].reason REQUIRED"]);
        assert_eq!(faults(Kind::Alert, none, accepted, Reason::Other, "x"), ["items[0].reason CONFLICT"]);
        assert_eq!(faults(Kind::Alert, none, overridden, Reason::Other, " "), ["items[0].comment REQUIRED"]);
        assert_eq!(
            faults(Kind::Alert, proto::Action::Start, accepted, Reason::Unspecified, ""),
            ["items[0].action CONFLICT"]
        );
    }
}
