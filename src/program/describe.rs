//! Facts and conditions in words a clinician reads.

use std::collections::HashMap;

use crate::clinical::patient::{Setting, Severity, Sex};
use crate::rule::model::{
    Bound, Comparison, ComparisonUnit, DiagnosisStatus, Fact, MedicationTest, Name, ObservationTest, Package, Window,
};

/// Knows the titles of a package.
pub struct Describer<'a> {
    titles: HashMap<(&'static str, &'a str), &'a str>,
    units: HashMap<&'a str, &'a str>,
}

impl<'a> Describer<'a> {
    /// Collects the titles.
    #[must_use]
    pub fn new(package: &'a Package) -> Self {
        let mut titles = HashMap::new();
        let mut units = HashMap::new();
        for concept in &package.concepts {
            titles.insert(("concept", concept.def.id.as_str()), concept.def.title.as_str());
            if let Some(unit) = &concept.unit {
                units.insert(concept.def.id.as_str(), unit.value.as_str());
            }
        }
        let words = &package.vocabulary;
        for (kind, list) in [
            ("event", &words.events),
            ("history", &words.history),
            ("plan", &words.plans),
            ("preference", &words.preferences),
        ] {
            titles.extend(list.iter().map(|word| ((kind, word.id.value.as_str()), word.title.as_str())));
        }
        for component in &package.components {
            titles.insert(("component", component.id.value.as_str()), component.title.as_str());
        }
        for definition in &package.definitions {
            titles.insert(("definition", definition.id.value.as_str()), definition.title.as_str());
        }
        Self { titles, units }
    }

    fn title(&self, kind: &'static str, id: &str) -> String {
        self.titles.get(&(kind, id)).map_or_else(|| id.replace('-', " "), |title| (*title).to_owned())
    }

    /// Title of a component.
    #[must_use]
    pub fn component(&self, id: &str) -> String {
        self.title("component", id)
    }

    /// Title of a definition.
    #[must_use]
    pub fn definition(&self, id: &str) -> String {
        self.title("definition", id)
    }

    /// Title of a concept.
    #[must_use]
    pub fn concept(&self, id: &str) -> String {
        self.title("concept", id)
    }

    fn list(&self, kind: &'static str, names: &[Name]) -> String {
        names.iter().map(|name| self.title(kind, &name.value)).collect::<Vec<_>>().join(" or ")
    }

    /// A fact in words.
    #[must_use]
    pub fn fact(&self, fact: &Fact) -> String {
        match fact {
            Fact::Diagnosis { concepts, status, severity, onset, recorded } => {
                let mut text = format!("{}{}", self.list("concept", concepts), diagnosis_status(*status));
                if !severity.is_empty() {
                    let words: Vec<_> = severity.iter().map(|severity| severity_word(*severity)).collect();
                    text.push_str(&format!(", stated as {}", words.join(" or ")));
                }
                text.push_str(&window(", onset", *onset));
                text.push_str(&window(", recorded", *recorded));
                text
            }
            Fact::Medication { concepts, status, started, ended, given_for, not_given_for, daily_dose } => {
                let mut text = format!("{}{}", self.list("concept", concepts), medication_status(*status));
                text.push_str(&window(", started", *started));
                text.push_str(&window(", stopped", *ended));
                if let Some(dose) = daily_dose {
                    text.push_str(&format!(", daily dose {}", comparison(dose, "mg/d")));
                }
                if !given_for.is_empty() {
                    text.push_str(&format!(", given for {}", self.list("concept", given_for)));
                }
                if !not_given_for.is_empty() {
                    text.push_str(&format!(", not given for {}", self.list("concept", not_given_for)));
                }
                text
            }
            Fact::Allergy { concepts } => format!("allergy or intolerance to {}", self.list("concept", concepts)),
            Fact::Observation { concepts, window: range, test } => self.observation(concepts, *range, test.as_ref()),
            Fact::Event { types, substances, window: range } => {
                let mut text = self.list("event", types);
                if !substances.is_empty() {
                    let words: Vec<_> = substances.iter().map(|name| name.value.replace('-', " ")).collect();
                    text.push_str(&format!(" ({})", words.join(" or ")));
                }
                text + &window("", *range)
            }
            Fact::History { codes } => format!("history: {}", self.list("history", codes)),
            Fact::Plan { kinds, concepts } => {
                let of =
                    if concepts.is_empty() { String::new() } else { format!(" of {}", self.list("concept", concepts)) };
                format!("planned: {}{of}", self.list("plan", kinds))
            }
            Fact::Preference { codes } => format!("preference: {}", self.list("preference", codes)),
            Fact::OnsetOrder { first, then, gap } => {
                let by = gap.map_or_else(String::new, |gap| format!(" by {gap} or more"));
                format!("{} began before {}{by}", self.list("concept", first), self.list("concept", then))
            }
            small => small_fact(small),
        }
    }

    fn observation(&self, concepts: &[Name], range: Window, test: Option<&ObservationTest>) -> String {
        let name = self.list("concept", concepts);
        let unit = concepts.first().and_then(|first| self.units.get(first.value.as_str())).copied().unwrap_or("");
        let value = match test {
            None => " on record".to_owned(),
            Some(ObservationTest::Is(answer)) => format!(" {}", answer.value.replace('-', " ")),
            Some(ObservationTest::Quantity(range)) => format!(" {}", comparison(range, unit)),
        };
        format!("{name}{value}{}", window("", range))
    }
}

fn small_fact(fact: &Fact) -> String {
    match fact {
        Fact::Age(range) => format!("age {}", comparison(range, "years")),
        Fact::Sex(sex) => format!("recorded sex {}", sex_word(*sex)),
        Fact::Pregnancy(true) => "pregnant".to_owned(),
        Fact::Pregnancy(false) => "stated as not pregnant".to_owned(),
        Fact::Lactation(true) => "lactating".to_owned(),
        Fact::Lactation(false) => "stated as not lactating".to_owned(),
        Fact::ChildbearingPotential(true) => "could become pregnant".to_owned(),
        Fact::ChildbearingPotential(false) => "stated as not able to become pregnant".to_owned(),
        Fact::Setting { settings } => {
            let words: Vec<_> = settings.iter().map(|setting| setting_word(*setting)).collect();
            format!("setting: {}", words.join(" or "))
        }
        Fact::InForce { from, until } => format!(
            "rule in force{}{}",
            from.as_ref().map_or_else(String::new, |day| format!(" from {day}")),
            until.as_ref().map_or_else(String::new, |day| format!(" until {day}"))
        ),
        _ => String::new(),
    }
}

fn window(word: &str, window: Window) -> String {
    let mut text = String::new();
    if let Some(length) = window.within {
        text.push_str(&format!(" within {length}"));
    }
    if let Some(length) = window.more_than {
        text.push_str(&format!(" more than {length} ago"));
    }
    if text.is_empty() { text } else { format!("{word}{text}") }
}

fn bound(bound: Bound) -> String {
    bound.value.normalize().to_string()
}

/// A range in words, with the unit of the comparison or the canonical one.
fn comparison(range: &Comparison, canonical: &str) -> String {
    let unit = match &range.unit {
        ComparisonUnit::Canonical => canonical,
        ComparisonUnit::Ucum(unit) => unit,
        ComparisonUnit::UpperLimitOfNormal => "times the upper limit of normal",
    };
    let unit = if unit.is_empty() || unit == "{score}" || unit == "1" { String::new() } else { format!(" {unit}") };
    let low = range.low.map(|low| format!("{} {}", if low.inclusive { "at least" } else { "above" }, bound(low)));
    let high = range.high.map(|high| format!("{} {}", if high.inclusive { "at most" } else { "below" }, bound(high)));
    let ends: Vec<String> = low.into_iter().chain(high).collect();
    format!("{}{unit}", ends.join(" and "))
}

fn diagnosis_status(status: DiagnosisStatus) -> &'static str {
    match status {
        DiagnosisStatus::Active => ", active",
        DiagnosisStatus::Remission => ", in remission",
        DiagnosisStatus::Past => ", resolved or inactive",
        DiagnosisStatus::Ever => ", now or in the past",
        DiagnosisStatus::Doubtful => ", recorded in a way that can't be counted on",
        DiagnosisStatus::Conflicting => ", recorded both as active and as in remission",
    }
}

fn medication_status(status: MedicationTest) -> &'static str {
    match status {
        MedicationTest::Current => ", current",
        MedicationTest::Planned => ", planned",
        MedicationTest::Stopped => ", stopped",
        MedicationTest::CurrentOrPlanned => ", current or planned",
        MedicationTest::Ever => ", current, planned or stopped",
    }
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Mild => "mild",
        Severity::Moderate => "moderate",
        Severity::Severe => "severe",
    }
}

fn sex_word(sex: Sex) -> &'static str {
    match sex {
        Sex::Female => "female",
        Sex::Male => "male",
        Sex::Other => "other",
    }
}

fn setting_word(setting: Setting) -> &'static str {
    match setting {
        Setting::Emergency => "emergency",
        Setting::Inpatient => "inpatient",
        Setting::Outpatient => "outpatient",
        Setting::OpioidTreatmentProgram => "opioid treatment program",
        Setting::Custody => "custody",
        Setting::Residential => "residential program",
    }
}
