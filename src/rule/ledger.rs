//! What became of every item of the clinical briefs: which rules carry it, or
//! why none does. Read by the check and by the handbook.

use std::collections::BTreeMap;

use super::model::{
    Brief, BriefBranch, BriefItem, Disagreement, Invariant, ItemKind, ItemStatus, Name, Package, Rule, RuleStatus,
    Spanned,
};

/// What can carry items of a brief.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CarrierKind {
    /// A rule.
    Rule,
    /// An invariant over the package.
    Invariant,
    /// A disagreement between sources.
    Disagreement,
}

impl CarrierKind {
    /// What messages call it.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::Rule => "a rule",
            Self::Invariant => "an invariant",
            Self::Disagreement => "a disagreement",
        }
    }
}

impl ItemKind {
    /// What carries items of the kind.
    #[must_use]
    pub fn carried_by(self) -> CarrierKind {
        match self {
            Self::Rule | Self::Note => CarrierKind::Rule,
            Self::DoNot => CarrierKind::Invariant,
            Self::Disagreement => CarrierKind::Disagreement,
        }
    }
}

/// Something of a package that carries items.
#[derive(Clone, Copy, Debug)]
pub struct Carrier<'a> {
    /// What it is.
    pub kind: CarrierKind,
    /// Id.
    pub id: &'a Name,
    /// Status; of what has none, active.
    pub status: RuleStatus,
    /// Items and branches that it names.
    pub follows: &'a [Name],
    /// `file:line`.
    pub location: &'a str,
}

/// Everything of a package that carries items. What else gets a list of items
/// adds its own here.
pub fn carriers(package: &Package) -> impl Iterator<Item = Carrier<'_>> {
    package
        .rules
        .iter()
        .map(of_rule)
        .chain(package.invariants.iter().map(of_invariant))
        .chain(package.disagreements.iter().map(of_disagreement))
}

fn of_disagreement(one: &Disagreement) -> Carrier<'_> {
    Carrier {
        kind: CarrierKind::Disagreement,
        id: &one.id,
        status: RuleStatus::Active,
        follows: &one.follows,
        location: &one.location,
    }
}

fn of_invariant(invariant: &Invariant) -> Carrier<'_> {
    Carrier {
        kind: CarrierKind::Invariant,
        id: &invariant.id,
        status: RuleStatus::Active,
        follows: &invariant.follows,
        location: &invariant.location,
    }
}

fn of_rule(rule: &Rule) -> Carrier<'_> {
    Carrier {
        kind: CarrierKind::Rule,
        id: &rule.id,
        status: rule.status,
        follows: &rule.follows,
        location: &rule.location,
    }
}

/// What became of an item, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Something active carries it and no other item.
    Active,
    /// All that is active and carries it carries other items too.
    Merged,
    /// Only drafts carry it.
    Draft,
    /// Only what the overlay disables carries it.
    Disabled,
    /// Nothing carries it, and the ledger says why.
    LeftOut,
    /// Nothing carries it.
    Uncarried,
}

/// The ledger of a package.
#[derive(Debug)]
pub struct Ledger<'a> {
    /// Items, by brief and in its order.
    pub entries: Vec<Entry<'a>>,
    /// Every name that can be followed, with the item.
    names: BTreeMap<String, &'a BriefItem>,
}

/// An item with what became of it.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The brief.
    pub brief: &'a Brief,
    /// The item.
    pub item: &'a BriefItem,
    /// What became of it: of its branches the worst.
    pub outcome: Outcome,
    /// Its branches, or the item itself where it has none.
    pub lines: Vec<Line<'a>>,
}

/// A branch, or an item without branches.
#[derive(Debug)]
pub struct Line<'a> {
    /// The branch.
    pub branch: Option<&'a BriefBranch>,
    /// What carries it.
    pub carried_by: Vec<Carried<'a>>,
    /// Why nothing does.
    pub left_out: Option<&'a Spanned<String>>,
    /// What became of it.
    pub outcome: Outcome,
}

/// Something that carries a line.
#[derive(Clone, Copy, Debug)]
pub struct Carried<'a> {
    /// What carries it.
    pub carrier: Carrier<'a>,
    /// It names the item as a whole, and not this branch of it.
    pub whole: bool,
    /// It carries other items too.
    pub shared: bool,
}

/// The name by which a branch is followed.
#[must_use]
pub fn branch_name(item: &BriefItem, branch: &BriefBranch) -> String {
    format!("{}-{}", item.id.value, branch.id.value)
}

/// What was verified of a branch.
#[must_use]
pub fn status(item: &BriefItem, branch: Option<&BriefBranch>) -> Option<ItemStatus> {
    branch.and_then(|branch| branch.status).or(item.status)
}

impl<'a> Ledger<'a> {
    /// The ledger of a package.
    #[must_use]
    pub fn of(package: &'a Package) -> Self {
        let items = || package.briefs.iter().flat_map(|brief| brief.items.iter().map(move |item| (brief, item)));
        let mut names = BTreeMap::new();
        for (_, item) in items() {
            names.insert(item.id.value.clone(), item);
            names.extend(item.branches.iter().map(|branch| (branch_name(item, branch), item)));
        }
        let mut followed: BTreeMap<&str, Vec<Carrier<'a>>> = BTreeMap::new();
        for carrier in carriers(package).filter(|carrier| carrier.status != RuleStatus::Retired) {
            for name in carrier.follows {
                followed.entry(&name.value).or_default().push(carrier);
            }
        }
        let mut ledger = Self { entries: Vec::new(), names };
        ledger.entries = items().map(|(brief, item)| ledger.entry(brief, item, &followed)).collect();
        ledger
    }

    /// The item that a name stands for, itself or by a branch.
    #[must_use]
    pub fn item(&self, name: &str) -> Option<&'a BriefItem> {
        self.names.get(name).copied()
    }

    /// Every name that can be followed.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    fn entry(&self, brief: &'a Brief, item: &'a BriefItem, followed: &BTreeMap<&str, Vec<Carrier<'a>>>) -> Entry<'a> {
        let branches: Vec<Option<&BriefBranch>> = match item.branches.as_slice() {
            [] => vec![None],
            some => some.iter().map(Some).collect(),
        };
        let lines: Vec<Line<'a>> = branches.into_iter().map(|branch| self.line(item, branch, followed)).collect();
        let outcome = lines.iter().map(|line| line.outcome).max().unwrap_or(Outcome::Uncarried);
        Entry { brief, item, outcome, lines }
    }

    fn line(
        &self,
        item: &'a BriefItem,
        branch: Option<&'a BriefBranch>,
        followed: &BTreeMap<&str, Vec<Carrier<'a>>>,
    ) -> Line<'a> {
        let of = |name: &str| followed.get(name).into_iter().flatten().copied();
        let own = branch.map(|branch| branch_name(item, branch));
        let mut carried_by: Vec<Carried<'a>> = Vec::new();
        for (name, whole) in [(own.as_deref(), false), (Some(item.id.value.as_str()), branch.is_some())] {
            for carrier in name.into_iter().flat_map(of) {
                let again = carried_by.iter().any(|known| known.carrier.id.span == carrier.id.span);
                if carrier.kind == item.kind.carried_by() && !again {
                    carried_by.push(Carried { carrier, whole, shared: self.carries_others(&carrier, item) });
                }
            }
        }
        let left_out = branch.and_then(|branch| branch.left_out.as_ref()).or(item.left_out.as_ref());
        let outcome = outcome(&carried_by, left_out.is_some());
        Line { branch, carried_by, left_out, outcome }
    }

    fn carries_others(&self, carrier: &Carrier<'_>, item: &BriefItem) -> bool {
        let items = carrier.follows.iter().filter_map(|name| self.item(&name.value));
        items.into_iter().any(|other| other.id.value != item.id.value)
    }
}

fn outcome(carried_by: &[Carried<'_>], left_out: bool) -> Outcome {
    let outcomes = carried_by.iter().map(|one| match one.carrier.status {
        RuleStatus::Active if one.shared => Outcome::Merged,
        RuleStatus::Active => Outcome::Active,
        RuleStatus::Draft => Outcome::Draft,
        RuleStatus::Disabled => Outcome::Disabled,
        RuleStatus::Retired => Outcome::Uncarried,
    });
    outcomes.min().unwrap_or(if left_out { Outcome::LeftOut } else { Outcome::Uncarried })
}
