//! Names of OpenTelemetry's conventions, in one place: they are a release
//! candidate and still move.

/// Which RPC system.
pub const RPC_SYSTEM: &str = "rpc.system.name";

/// Fully qualified method, or `_OTHER`.
pub const RPC_METHOD: &str = "rpc.method";

/// Name of the status code that the call ended with.
pub const RPC_STATUS: &str = "rpc.response.status_code";

/// The instrumentation scope.
pub const SCOPE: &str = "concord";

/// Attempts to load the rules package.
pub const RULESET_RELOADS: &str = "concord.ruleset.reloads";

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
