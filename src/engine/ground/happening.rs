//! Events, history flags, plans, preferences and allergies.

use crate::clinical::date::Interval;
use crate::clinical::patient::{Allergy, List, VerificationStatus};
use crate::engine::decision::UnrecognizedReason;
use crate::rule::model::{Name, Window, Word};
use crate::rule::truth::Truth;

use super::read::{Codes, Meaning};
use super::record::{Record, by_content};
use super::{Element, ElementKind, Grounder, Witnessed, time};

/// An allergy with its meaning.
pub struct ReadAllergy {
    element: Element,
    pub(super) meaning: Meaning,
    /// True: confirmed. False: refuted. Unknown: neither.
    certainty: Truth,
}

/// A plan with its meaning.
pub struct ReadPlan {
    element: Element,
    kind: String,
    pub(super) meaning: Meaning,
    coded: bool,
}

/// Entries with their indexes, in the order of their content.
fn in_order<T: Ord>(entries: &[T]) -> impl Iterator<Item = (usize, &T)> {
    by_content(entries).into_iter().filter_map(|index| Some((index, entries.get(index)?)))
}

impl Record<'_> {
    pub(super) fn read_allergies(&mut self, codes: &Codes<'_>) {
        let patient = self.patient;
        for index in by_content(&patient.allergies) {
            let Some(allergy) = patient.allergies.get(index) else { continue };
            let element = Element { kind: ElementKind::Allergy, index };
            let meaning = codes.meaning(&allergy.coding, &element.path(), &mut self.unrecognized);
            let certainty = self.allergy_certainty(allergy, &element.path());
            if !meaning.understood && certainty != Truth::False {
                self.not_mapped(List::Allergies, element);
            }
            if patient.allergies_none_known == Some(true) && certainty == Truth::True {
                self.unusable(
                    "patient.allergies_none_known".to_owned(),
                    UnrecognizedReason::Contradictory,
                    "no known allergy, and an allergy listed: the list is used",
                );
            }
            self.allergies.push(ReadAllergy { element, meaning, certainty });
        }
    }

    fn allergy_certainty(&mut self, allergy: &Allergy, path: &str) -> Truth {
        match allergy.verification_status {
            Some(VerificationStatus::Refuted | VerificationStatus::EnteredInError) => {
                self.reading(path.to_owned(), "refuted", "refuted or entered in error: makes no fact true");
                Truth::False
            }
            Some(VerificationStatus::Confirmed) => Truth::True,
            None => {
                self.reading(
                    path.to_owned(),
                    "absent-verification-status",
                    "no verification status: read as confirmed",
                );
                Truth::True
            }
            Some(_) => Truth::Unknown,
        }
    }

    pub(super) fn allergy(&self, grounder: &Grounder, concepts: &[Name]) -> Witnessed {
        let concept = concepts.first().and_then(|name| grounder.concept(&name.value));
        let entries: Vec<&ReadAllergy> = self
            .allergies
            .iter()
            .filter(|entry| concept.is_some_and(|concept| entry.meaning.of(concept).is_some()))
            .collect();
        let told = entries.iter().map(|entry| entry.certainty).fold(Truth::False, Truth::or);
        if !entries.is_empty() {
            let elements = entries.iter().filter(|entry| entry.certainty == told).map(|entry| entry.element).collect();
            return Witnessed::new(told, elements);
        }
        let unmapped = self.unmapped.contains_key(&List::Allergies);
        if self.patient.allergies_none_known == Some(true) && !unmapped {
            return Witnessed::new(Truth::False, vec![Element::field(ElementKind::AllergiesNoneKnown)]);
        }
        Witnessed::new(self.absent(List::Allergies, false), Vec::new())
    }

    pub(super) fn read_plans(&mut self, codes: &Codes<'_>) {
        let patient = self.patient;
        for index in by_content(&patient.plans) {
            let Some(plan) = patient.plans.get(index) else { continue };
            let element = Element { kind: ElementKind::Plan, index };
            let has_coding = !plan.coding.is_empty();
            let meaning = if has_coding {
                codes.meaning(&plan.coding, &element.path(), &mut self.unrecognized)
            } else {
                Meaning::default()
            };
            self.plans.push(ReadPlan { element, kind: plan.kind.clone(), meaning, coded: has_coding });
        }
    }

    pub(super) fn plan(&self, grounder: &Grounder, kinds: &[Name], concepts: &[Name]) -> Witnessed {
        let concept = concepts.first().and_then(|name| grounder.concept(&name.value));
        let mut truth = Truth::False;
        let mut elements = Vec::new();
        for plan in self.plans.iter().filter(|plan| kinds.iter().any(|kind| kind.value == plan.kind)) {
            let fits = match concept {
                None => Truth::True,
                Some(concept) if plan.meaning.of(concept).is_some() => Truth::True,
                // A plan of something that words alone name may be a plan of anything.
                Some(_) if !plan.coded || !plan.meaning.understood => Truth::Unknown,
                Some(_) => Truth::False,
            };
            if fits > truth {
                elements.clear();
            }
            if fits >= truth && fits != Truth::False {
                elements.push(plan.element);
            }
            truth = truth.or(fits);
        }
        if truth == Truth::False {
            return Witnessed::new(self.absent(List::Plans, false), elements);
        }
        Witnessed::new(truth, elements)
    }

    /// Names words that are in no vocabulary, and keeps the events that can be
    /// used in an order that the request does not decide.
    pub(super) fn read_words(&mut self) {
        let patient = self.patient;
        let words = &self.package.vocabulary;
        let known = |list: &[Word], code: &str| list.iter().any(|word| word.id.value == code);
        let mut unknown = Vec::new();
        for (index, event) in in_order(&patient.events) {
            if !known(&words.events, &event.kind) {
                unknown.push((format!("patient.events[{index}].type"), "event", event.kind.clone()));
            }
            if let Some(substance) = &event.substance
                && self.substance(substance).is_none()
            {
                unknown.push((format!("patient.events[{index}].substance"), "substance", substance.clone()));
            }
        }
        for (index, flag) in in_order(&patient.history) {
            if !known(&words.history, &flag.code) {
                unknown.push((format!("patient.history[{index}].code"), "history code", flag.code.clone()));
            }
        }
        for (index, plan) in in_order(&patient.plans) {
            if !known(&words.plans, &plan.kind) {
                unknown.push((format!("patient.plans[{index}].kind"), "kind of plan", plan.kind.clone()));
            }
        }
        for (index, code) in in_order(&patient.preferences) {
            if !known(&words.preferences, code) {
                unknown.push((format!("patient.preferences[{index}]"), "preference", code.clone()));
            }
        }
        for (path, what, code) in unknown {
            let detail = match what {
                "substance" => "no substance that the package knows: read as an unknown one".to_owned(),
                _ => format!("no {what} that the package knows: not used"),
            };
            self.unrecognized.push(crate::engine::decision::Unrecognized {
                path,
                system: String::new(),
                code,
                reason: UnrecognizedReason::Unmapped,
                detail,
            });
        }
        for index in by_content(&patient.events) {
            let Some(event) = patient.events.get(index) else { continue };
            if time::after(event.at.as_ref(), self.as_of) {
                let path = format!("patient.events[{index}].at");
                self.unusable(path, UnrecognizedReason::AfterAsOf, "dated after `as_of`: not used");
            } else {
                self.events.push(index);
            }
        }
        for (index, flag) in in_order(&patient.history) {
            let path = format!("patient.history[{index}]");
            if flag.present.is_none() {
                self.unusable(
                    format!("{path}.present"),
                    UnrecognizedReason::Value,
                    "neither present nor absent: read as unknown",
                );
            } else if patient
                .history
                .iter()
                .any(|other| other.code == flag.code && other.present == flag.present.map(|is| !is))
            {
                self.unusable(
                    path,
                    UnrecognizedReason::Contradictory,
                    "said to be present and to be absent: read as unknown",
                );
            }
        }
    }

    fn substance(&self, word: &str) -> Option<&crate::rule::model::Substance> {
        let word = word.trim().to_ascii_lowercase();
        self.package.vocabulary.substances.iter().find(|substance| substance.id.value == word)
    }

    /// Is the substance of an event of the class (or the substance itself)?
    fn is_of(&self, substance: Option<&String>, class: &Name) -> Truth {
        let Some(word) = substance else { return Truth::Unknown };
        let Some(substance) = self.substance(word) else { return Truth::Unknown };
        if substance.id.value == class.value || substance.classes.contains(&class.value) {
            Truth::True
        } else if substance.unspecific {
            Truth::Unknown
        } else {
            Truth::False
        }
    }

    pub(super) fn event(&self, types: &[Name], substances: &[Name], window: Window) -> Witnessed {
        let kind = types.first();
        let newest_only = self
            .package
            .vocabulary
            .events
            .iter()
            .any(|word| word.newest && kind.is_some_and(|kind| kind.value == word.id.value));
        let mut matching: Vec<(usize, Truth)> = Vec::new();
        for index in &self.events {
            let Some(event) = self.patient.events.get(*index) else { continue };
            if kind.is_none_or(|kind| kind.value != event.kind) {
                continue;
            }
            let of_class = substances.first().map_or(Truth::True, |class| self.is_of(event.substance.as_ref(), class));
            if of_class != Truth::False {
                matching.push((*index, of_class));
            }
        }
        if newest_only {
            matching = self.newest_events(&matching);
        }
        let element = |index: usize| Element { kind: ElementKind::Event, index };
        let mut truth = Truth::False;
        let mut elements = Vec::new();
        for (index, of_class) in &matching {
            let at = self.patient.events.get(*index).and_then(|event| event.at.as_ref());
            let fits = of_class.and(time::inside(at, window, self.as_of));
            if fits > truth {
                elements.clear();
            }
            if fits >= truth {
                elements.push(element(*index));
            }
            truth = truth.or(fits);
        }
        // What was last used is said by the newest entry; other events may have
        // happened without being listed.
        if truth == Truth::True || (newest_only && !matching.is_empty()) {
            return Witnessed::new(truth, elements);
        }
        let absent = self.absent(List::Events, false);
        if absent > truth { Witnessed::new(absent, Vec::new()) } else { Witnessed::new(truth, elements) }
    }

    /// Of the entries surely of the class, and of those possibly of it, the
    /// ones that may be the newest.
    fn newest_events(&self, matching: &[(usize, Truth)]) -> Vec<(usize, Truth)> {
        let interval = |index: usize| -> Option<Interval> {
            self.patient.events.get(index)?.at.as_ref().map(|date| time::clip(date.interval(self.as_of), self.as_of))
        };
        let mut kept = Vec::new();
        for sure in [true, false] {
            let group: Vec<_> = matching.iter().filter(|(_, truth)| !sure || *truth == Truth::True).collect();
            let latest = group.iter().filter_map(|(index, _)| interval(*index)).map(|interval| interval.earliest).max();
            for entry in group {
                let newest = match (interval(entry.0), latest) {
                    (Some(interval), Some(latest)) => interval.latest >= latest,
                    _ => true,
                };
                if newest && !kept.contains(entry) {
                    kept.push(*entry);
                }
            }
        }
        kept
    }

    pub(super) fn history(&self, codes: &[Name]) -> Witnessed {
        let mut flags: Vec<(usize, Option<bool>)> = self
            .patient
            .history
            .iter()
            .enumerate()
            .filter(|(_, flag)| codes.iter().any(|code| code.value == flag.code))
            .map(|(index, flag)| (index, flag.present))
            .collect();
        flags.sort_by_key(|(index, present)| (*present, *index));
        let elements: Vec<Element> =
            flags.iter().map(|(index, _)| Element { kind: ElementKind::History, index: *index }).collect();
        let said = |what: bool| flags.iter().any(|(_, present)| *present == Some(what));
        match (said(true), said(false)) {
            (true, false) => Witnessed::new(Truth::True, elements),
            (false, true) => Witnessed::new(Truth::False, elements),
            (true, true) => Witnessed::new(Truth::Unknown, elements),
            (false, false) if flags.is_empty() => Witnessed::new(self.absent(List::History, false), Vec::new()),
            (false, false) => Witnessed::new(Truth::Unknown, elements),
        }
    }

    pub(super) fn preference(&self, codes: &[Name]) -> Witnessed {
        let element = |index: usize| Element { kind: ElementKind::Preference, index };
        let stated = self.patient.preferences.iter().enumerate();
        let elements: Vec<Element> = stated
            .filter(|(_, code)| codes.iter().any(|asked| asked.value == **code))
            .map(|(index, _)| element(index))
            .collect();
        if elements.is_empty() {
            return Witnessed::new(self.absent(List::Preferences, false), Vec::new());
        }
        Witnessed::new(Truth::True, elements)
    }
}
