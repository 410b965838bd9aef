//! An answer as a page to read at a bedside: what must not be missed first,
//! and a reason beside everything that is said.

mod asks;
mod layout;
mod parts;
mod words;

use self::layout::{Paint, Sheet};
use crate::engine::decision::{Answer, Component, Standing};

/// Characters of a line where the terminal does not say.
pub const WIDTH: usize = 100;

/// Ends every page.
const FOOT: &str = "Restricted: this page speaks of substance use and mental health. Where the record behind it is \
covered by 42 CFR Part 2, so is this page.";

/// How a page looks, and what stands in its head besides the answer.
#[derive(Clone, Debug)]
pub struct PageStyle {
    /// Characters of a line.
    pub width: usize,
    /// Paint words. Color never says what no word says.
    pub color: bool,
    /// The package, in words: `concord 1.0.0 (sha256 0123456789ab)`.
    pub package: String,
    /// A clinician has signed the package.
    pub signed: bool,
}

impl Default for PageStyle {
    fn default() -> Self {
        Self { width: WIDTH, color: false, package: String::new(), signed: false }
    }
}

/// The page.
#[must_use]
pub fn render(answer: &Answer, style: &PageStyle) -> String {
    let mut sheet = Sheet::new(style.width, style.color);
    head(&mut sheet, answer, style);
    glance(&mut sheet, answer);
    parts::alerts(&mut sheet, &answer.alerts);
    parts::recommendations(&mut sheet, &answer.recommendations);
    asks::missing(&mut sheet, answer);
    asks::assessments(&mut sheet, answer);
    parts::insights(&mut sheet, &answer.insights);
    parts::notes(&mut sheet, &answer.notes);
    asks::not_understood(&mut sheet, &answer.unrecognized);
    asks::readings(&mut sheet, &answer.readings);
    asks::considered(&mut sheet, &answer.considered);
    sheet.blank();
    sheet.lines(0, FOOT);
    sheet.finish()
}

fn head(sheet: &mut Sheet, answer: &Answer, style: &PageStyle) {
    sheet.tagged(0, "Concord", Paint::Bold, "decision support for a licensed clinician to weigh; not an order");
    let review = if style.signed { "signed by a clinician" } else { "NOT reviewed by a clinician" };
    let package = if style.package.is_empty() { "rules" } else { style.package.as_str() };
    sheet.lines(0, &format!("As of {}. {package}, {review}.", answer.as_of));
    sheet.blank();
    let tag = format!("Opioid use disorder: {}.", words::scope(answer.scope));
    sheet.tagged(0, &tag, Paint::Bold, &answer.scope_note);
}

/// What must not be missed, in a few lines that fit the first screen.
fn glance(sheet: &mut Sheet, answer: &Answer) {
    sheet.heading("At a glance");
    if answer.alerts.is_empty() {
        sheet.lines(2, "No safety alert fired.");
    }
    for alert in &answer.alerts {
        let (tag, paint) = words::alert(alert);
        sheet.tagged(2, &tag, paint, &alert.title);
    }
    for (standing, label, paint) in [
        (Standing::Contraindicated, "Contraindicated:", Paint::Danger),
        (Standing::VerifyFirst, "Verify first:", Paint::Care),
        (Standing::Caution, "Caution:", Paint::Care),
        (Standing::Recommended, "Recommended:", Paint::Good),
    ] {
        let named = standing_at(answer, standing);
        if !named.is_empty() {
            sheet.tagged(2, label, paint, &named);
        }
    }
    let asked = [
        answer.data_requests.len(),
        answer.assessments.len(),
        answer.more_data_requests.len(),
        answer.more_assessments.len(),
    ];
    let asked: usize = asked.iter().sum();
    if asked > 0 {
        let what = if asked == 1 { "fact or assessment" } else { "facts or assessments" };
        sheet.tagged(2, "Missing:", Paint::Bold, &format!("{asked} {what} that would change this answer"));
    }
}

/// A component has one standing wherever it is listed: it is named once.
fn standing_at(answer: &Answer, standing: Standing) -> String {
    let mut named: Vec<String> = Vec::new();
    let components = answer.recommendations.iter().flat_map(|approach| &approach.components);
    for component in components.filter(|component| component.standing == standing) {
        let name = name(component);
        if !named.contains(&name) {
            named.push(name);
        }
    }
    named.join("; ")
}

fn name(component: &Component) -> String {
    format!("{} ({})", component.title, words::action(component.action))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
