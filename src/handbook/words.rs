//! Words for what the package has codes for.

use crate::rule::model::{ActionName, Conclusion, RuleStatus, Severity, Urgency, WhenUnknown};

use super::model::{Join, Piece, Tone};

/// Lower-case words joined by hyphens, as a title.
pub fn title(id: &str) -> String {
    capitalized(&id.replace('-', " "))
}

/// With a capital at its head.
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `1 rule`, `2 rules`.
pub fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `a`, `a or b`, `a, b or c`.
pub fn any_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Pieces joined: `a`, `a and b`, `a, b and c`.
pub fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let last = pieces.len().saturating_sub(1);
    let mut phrase = Vec::new();
    for (place, piece) in pieces.into_iter().enumerate() {
        if place > 0 {
            phrase.push(Piece::Text(if place == last { " and " } else { ", " }.to_owned()));
        }
        phrase.push(piece);
    }
    phrase
}

/// What a title is sorted by: its words without an article at their head.
pub fn sorted_by(title: &str) -> String {
    let lower = title.to_lowercase();
    let bare = ["a ", "an ", "the "].iter().find_map(|article| lower.strip_prefix(article));
    bare.map_or_else(|| lower.clone(), str::to_owned)
}

pub fn text(words: impl Into<String>) -> Piece {
    Piece::Text(words.into())
}

pub fn tone(conclusion: &Conclusion) -> Tone {
    match conclusion {
        Conclusion::Alert { .. } => Tone::Alert,
        Conclusion::Contraindicate { .. } => Tone::Against,
        Conclusion::Caution { .. } => Tone::Care,
        Conclusion::Recommend { .. } => Tone::For,
        Conclusion::Consider { .. } => Tone::Consider,
        Conclusion::Request { .. } | Conclusion::Assess { .. } => Tone::Ask,
        Conclusion::Insight { .. } | Conclusion::Note => Tone::Remark,
    }
}

pub fn verb(conclusion: &Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Recommend { .. } => "recommends",
        Conclusion::Consider { .. } => "considers",
        Conclusion::Caution { .. } => "advises care with",
        Conclusion::Contraindicate { .. } => "contraindicates",
        Conclusion::Alert { .. } => "raises an alert:",
        Conclusion::Request { .. } => "asks for",
        Conclusion::Assess { .. } => "finds due",
        Conclusion::Insight { .. } => "offers an insight:",
        Conclusion::Note => "remarks",
    }
}

pub fn action(action: ActionName) -> &'static str {
    match action {
        ActionName::Start => "starting",
        ActionName::Continue => "continuing",
        ActionName::Increase => "increasing",
    }
}

pub fn severity(severity: Severity) -> &'static str {
    severity.word()
}

pub fn urgency(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Immediate => "act now",
        Urgency::SameDay => "same day",
        Urgency::Prompt => "within days",
        Urgency::Routine => "at a planned visit",
    }
}

pub fn status(status: RuleStatus) -> &'static str {
    match status {
        RuleStatus::Draft => "draft: not evaluated",
        RuleStatus::Active => "active",
        RuleStatus::Disabled => "disabled by the site's overlay: not evaluated",
        RuleStatus::Retired => "retired: not evaluated",
    }
}

/// What an unknown condition does.
pub fn unknown(conclusion: &Conclusion, policy: WhenUnknown) -> &'static str {
    match (policy, conclusion) {
        (WhenUnknown::Verify, _) => {
            "The component stands at verify first: it is not offered until what is unknown has been settled."
        }
        (WhenUnknown::AlertPossible, _) => "The alert is raised as possible, and the missing facts are asked for.",
        (_, Conclusion::Contraindicate { .. } | Conclusion::Caution { .. }) => {
            "The rule holds nothing against the component, and the missing facts are asked for by name."
        }
        (_, Conclusion::Alert { .. }) => "The alert is not raised; the missing facts are asked for by name.",
        (_, Conclusion::Recommend { .. } | Conclusion::Consider { .. }) => {
            "The rule offers nothing; the facts that would decide it are asked for."
        }
        (_, Conclusion::Insight { .. }) => "The rule is silent; the facts that would decide it are asked for.",
        (_, Conclusion::Request { .. } | Conclusion::Assess { .. } | Conclusion::Note) => "The rule is silent.",
    }
}

impl Join {
    /// In words, before the parts.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Fact | Self::Named => String::new(),
            Self::All => "all of these".to_owned(),
            Self::Any => "any of these".to_owned(),
            Self::None => "none of these".to_owned(),
            Self::AtLeast(count) => format!("at least {count} of these"),
            Self::Not => "not".to_owned(),
            Self::Implies => "if the first, then the second".to_owned(),
            Self::Xor => "one of these, not both".to_owned(),
            Self::Known => "known either way".to_owned(),
            Self::Unknown => "not known".to_owned(),
            Self::Established => "established".to_owned(),
        }
    }

    /// Does it say something of a single part?
    #[must_use]
    pub fn is_unary(self) -> bool {
        matches!(self, Self::Not | Self::Known | Self::Unknown | Self::Established)
    }
}
