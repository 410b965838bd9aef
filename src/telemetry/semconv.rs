//! Names of OpenTelemetry's conventions, in one place: they are a release
//! candidate and still move.

/// Which RPC system.
pub const RPC_SYSTEM: &str = "rpc.system.name";

/// Fully qualified method, or `_OTHER`.
pub const RPC_METHOD: &str = "rpc.method";

/// Name of the status code that the call ended with.
pub const RPC_STATUS: &str = "rpc.response.status_code";

/// Duration of a call, from its first byte to its last.
pub const RPC_DURATION: &str = "rpc.server.call.duration";

/// Calls in flight, by method. The conventions have no name for it.
pub const CALLS_IN_FLIGHT: &str = "concord.calls.in_flight";

/// Decisions that were answered, by scope.
pub const DECISIONS: &str = "concord.decisions";

/// Rules that fired, by rule.
pub const RULE_FIRED: &str = "concord.rule.fired";

/// Facts that were missing and asked for, by fact.
pub const FACTS_UNKNOWN: &str = "concord.facts.unknown";

/// Alerts of answers, by severity and category.
pub const ALERTS: &str = "concord.alerts";

/// Evaluations of canary patients.
pub const CANARY_RUNS: &str = "concord.canary.runs";

/// Those whose answer was not the first under the same package.
pub const CANARY_CHANGED: &str = "concord.canary.changed";

/// Those that had no answer.
pub const CANARY_FAILED: &str = "concord.canary.failed";

/// What a canary patient's answer is, by hash: to be compared among processes.
pub const CANARY_ANSWER: &str = "concord.canary.answer";

/// Memory that the process uses.
pub const PROCESS_MEMORY: &str = "process.memory.usage";

/// File descriptors that are open.
pub const PROCESS_DESCRIPTORS: &str = "process.unix.file_descriptor.count";

/// File descriptors that may be. The conventions have no name for it.
pub const DESCRIPTOR_LIMIT: &str = "concord.file_descriptor.limit";

/// The instrumentation scope.
pub const SCOPE: &str = "concord";

/// Attempts to load the rules package.
pub const RULESET_RELOADS: &str = "concord.ruleset.reloads";

/// Attempts to read the keys of tokens, by outcome.
pub const KEY_LOADS: &str = "concord.auth.key_loads";

/// Age of the active rules package.
pub const RULESET_AGE: &str = "concord.ruleset.age";

/// Audit entries that became durable.
pub const AUDIT_ENTRIES: &str = "concord.audit.entries";

/// Commits of the audit log.
pub const AUDIT_COMMITS: &str = "concord.audit.commits";

/// Time that these took.
pub const AUDIT_COMMIT_TIME: &str = "concord.audit.commit.time";

/// Audit entries that were not written, by reason.
pub const AUDIT_NOT_RECORDED: &str = "concord.audit.not_recorded";

/// Audit entries that wait to be durable.
pub const AUDIT_WAITING: &str = "concord.audit.waiting";

/// How long the oldest of them has waited.
pub const AUDIT_LAG: &str = "concord.audit.lag";

/// Id of the decision that a unary call was answered with, on the call's span,
/// as `api` writes it.
pub const DECISION_ID: &str = "concord.decision.id";

/// Attempts to replace the certificates.
pub const TLS_RELOADS: &str = "concord.tls.reloads";

/// Connections that are open.
pub const CONNECTIONS: &str = "concord.connections";

/// Connections that ended, by reason.
pub const CONNECTIONS_ENDED: &str = "concord.connections.ended";

/// Calls that were refused for load.
pub const CALLS_SHED: &str = "concord.calls.shed";

/// Names of the span of one evaluation, as `api` writes them: that floor
/// imports no telemetry, so the two are held together by a test.
pub const EVALUATION: [&str; 7] = [
    "concord.decision.id",
    "concord.ruleset.digest",
    "concord.answer.alerts",
    "concord.answer.components",
    "concord.answer.requests",
    "concord.rules.fired",
    "concord.facts",
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_span_of_an_evaluation_uses_these_names() {
        let source = include_str!("../api/decide.rs");
        for name in super::EVALUATION {
            assert!(source.contains(&format!("{name} =")), "{name}");
        }
    }
}
