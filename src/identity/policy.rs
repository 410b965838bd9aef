//! What each method asks of a caller, and what each caller may do.

use std::fmt;

use super::spiffe::{SpiffeFault, SpiffeId};

/// What a caller may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Ask for decisions, and say what became of them.
    Evaluate,
    /// Read the rules package.
    ReadRules,
    /// Read the record: what was asked and answered of patients.
    ReadAudit,
    /// What costs the service much: have packages checked.
    Administer,
}

impl Role {
    /// All there are, by their names in settings.
    pub const ALL: [(&'static str, Self); 4] = [
        ("evaluate", Self::Evaluate),
        ("read-rules", Self::ReadRules),
        ("read-audit", Self::ReadAudit),
        ("administer", Self::Administer),
    ];
}

/// What a method asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it tells nothing and does nothing.
    Nothing,
    /// A name, whatever the caller may do.
    Name,
    /// A role. No role has another within it.
    Role(Role),
}

/// Every method, by its path without the slash. One that is not here is called
/// by no one.
pub const METHODS: &[(&str, Need)] = &[
    ("concord.v1.DecisionService/Evaluate", Need::Role(Role::Evaluate)),
    ("concord.v1.DecisionService/EvaluateStream", Need::Role(Role::Evaluate)),
    ("concord.v1.RulesetService/GetRuleset", Need::Role(Role::ReadRules)),
    ("concord.v1.RulesetService/ListRules", Need::Role(Role::ReadRules)),
    ("concord.v1.RulesetService/GetRule", Need::Role(Role::ReadRules)),
    ("concord.v1.RulesetService/CheckRuleset", Need::Role(Role::Administer)),
    ("concord.v1.AuditService/GetDecision", Need::Role(Role::ReadAudit)),
    ("concord.v1.AuditService/ListDecisions", Need::Role(Role::ReadAudit)),
    ("concord.v1.AuditService/ReplayDecision", Need::Role(Role::ReadAudit)),
    ("concord.v1.AuditService/RecordFeedback", Need::Role(Role::Evaluate)),
    ("concord.v1.AuditService/GetCheckpoint", Need::Role(Role::ReadAudit)),
    ("concord.v1.AuditService/GetInclusionProof", Need::Role(Role::ReadAudit)),
    ("concord.v1.AuditService/GetConsistencyProof", Need::Role(Role::ReadAudit)),
    ("grpc.health.v1.Health/Check", Need::Nothing),
    ("grpc.health.v1.Health/Watch", Need::Nothing),
    ("grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Need::Name),
    ("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Need::Name),
];

/// What the method of a path asks, by the path to the byte; none where the path
/// is that of no method.
#[must_use]
pub fn need(path: &str) -> Option<Need> {
    let method = path.strip_prefix('/')?;
    METHODS.iter().find(|(known, _)| *known == method).map(|(_, need)| *need)
}

/// Roles that a caller has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles(u8);

impl Roles {
    /// Are these among them?
    #[must_use]
    pub fn has(self, role: Role) -> bool {
        self.0 & bit(role) != 0
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |all, role| all | bit(role)))
    }
}

fn bit(role: Role) -> u8 {
    match role {
        Role::Evaluate => 1,
        Role::ReadRules => 2,
        Role::ReadAudit => 4,
        Role::Administer => 8,
    }
}

/// A caller with a name that was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// `spiffe://…`, or issuer, `#` and subject.
    pub name: String,
    /// What it may do.
    pub roles: Roles,
}

impl Need {
    /// May this caller call the method?
    #[must_use]
    pub fn is_met(self, caller: &Caller) -> bool {
        match self {
            Self::Nothing | Self::Name => true,
            Self::Role(role) => caller.roles.has(role),
        }
    }
}

/// Roles by who has them.
#[derive(Clone, Debug, Default)]
pub struct Grants(Vec<Grant>);

/// Some callers, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who.
    pub subject: Subject,
    /// What.
    pub roles: Roles,
}

/// Who has roles. Compared to the byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The workload of this ID.
    Workload(SpiffeId),
    /// Workloads whose ID has one more part than this one.
    Below(SpiffeId),
    /// The subject of a token: issuer, `#`, subject.
    Token(String),
    /// Tokens with this value in the claim of roles.
    Claim(String),
}

/// Why an entry grants nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantFault {
    /// Not `who = roles`.
    Form,
    /// No role, or one that there is not.
    Role,
    /// Neither a SPIFFE ID, nor issuer, `#` and subject, nor `claim:` and a value.
    Subject,
    /// `*` stands elsewhere than for the last part of the path of a SPIFFE ID.
    Star,
    /// A SPIFFE ID that is none.
    Id(SpiffeFault),
}

impl fmt::Display for GrantFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Form => "must be of the form `who = role role`",
            Self::Role => "the roles are evaluate, read-rules, read-audit and administer, at least one",
            Self::Subject => "who: a SPIFFE ID, `issuer#subject`, or `claim:value`",
            Self::Star => "a `*` stands for the last part of the path of a SPIFFE ID, whole, and nowhere else",
            Self::Id(fault) => return fault.fmt(out),
        })
    }
}

impl std::error::Error for GrantFault {}

impl Grant {
    /// Reads `spiffe://example.org/ns/ehr/* = evaluate read-rules`.
    ///
    /// # Errors
    /// [`GrantFault`].
    pub fn parse(text: &str) -> Result<Self, GrantFault> {
        let (who, roles) = text.rsplit_once('=').ok_or(GrantFault::Form)?;
        let role = |name: &str| Role::ALL.iter().find(|(known, _)| *known == name).map(|(_, role)| *role);
        let roles: Option<Roles> =
            roles.split([' ', ',']).filter(|name| !name.is_empty()).map(role).collect::<Option<_>>();
        let roles = roles.filter(|roles| *roles != Roles::default()).ok_or(GrantFault::Role)?;
        Ok(Self { subject: Subject::parse(who.trim())?, roles })
    }
}

impl Subject {
    fn parse(text: &str) -> Result<Self, GrantFault> {
        if let Some(value) = text.strip_prefix("claim:") {
            return if value.is_empty() { Err(GrantFault::Subject) } else { Ok(Self::Claim(value.to_owned())) };
        }
        let (above, star) = text.strip_suffix("/*").map_or((text, false), |above| (above, true));
        if above.contains('*') {
            return Err(GrantFault::Star);
        }
        if let Some((issuer, subject)) = text.split_once('#') {
            let named = !issuer.is_empty() && !subject.is_empty();
            return match (named, star) {
                (true, false) => Ok(Self::Token(text.to_owned())),
                (true, true) => Err(GrantFault::Star),
                (false, _) => Err(GrantFault::Subject),
            };
        }
        if !text.starts_with("spiffe:") {
            return Err(GrantFault::Subject);
        }
        let id = SpiffeId::parse(above).map_err(GrantFault::Id)?;
        Ok(if star { Self::Below(id) } else { Self::Workload(id) })
    }

    fn is(&self, name: &str, marks: &[String]) -> bool {
        match self {
            Self::Workload(id) => id.to_string() == name,
            Self::Below(id) => {
                let rest = name.strip_prefix(&id.to_string()).and_then(|rest| rest.strip_prefix('/'));
                rest.is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
            }
            Self::Token(text) => text == name,
            Self::Claim(value) => marks.contains(value),
        }
    }
}

impl Grants {
    /// The roles of a caller of this name, whose token has these marks.
    #[must_use]
    pub fn roles(&self, name: &str, marks: &[String]) -> Roles {
        let of = self.0.iter().filter(|grant| grant.subject.is(name, marks));
        of.fold(Roles::default(), |all, grant| all.and(grant.roles))
    }
}

impl FromIterator<Grant> for Grants {
    fn from_iter<I: IntoIterator<Item = Grant>>(grants: I) -> Self {
        Self(grants.into_iter().collect())
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
