//! An answer as a page to read at a bedside: what must not be missed first,
//! and a reason beside everything that is said.

mod asks;
mod differ;
mod exclusions;
mod layout;
mod parts;
mod record;
mod refs;
mod said;
mod words;

use self::layout::{Paint, Sheet};
use self::said::Said;
use crate::engine::decision::{Alert, Answer, Explain};

/// Characters of a line where the terminal does not say.
pub const WIDTH: usize = 100;

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
    /// How much is explained.
    pub explain: Explain,
}

impl Default for PageStyle {
    fn default() -> Self {
        Self { width: WIDTH, color: false, package: String::new(), signed: false, explain: Explain::Standard }
    }
}

/// Lines of a first screen: what must not be missed is on it.
const SCREEN: usize = 40;

/// More alerts than this share lines on the first screen.
const CROWD: usize = 16;

/// The page.
#[must_use]
pub fn render(answer: &Answer, style: &PageStyle) -> String {
    let mut sheet = Sheet::new(style.width, style.color);
    let mut said = Said::new(style.explain);
    head(&mut sheet, answer, style);
    let mut gravest = sheet.scratch();
    parts::alerts(&mut gravest, &mut said, answer);
    exclusions::block(&mut gravest, &mut said, answer);
    // Told once where it fits; named first and told after where it does not.
    if sheet.height().saturating_add(gravest.height()) > SCREEN {
        glance(&mut sheet, answer);
    }
    sheet.append(&gravest);
    parts::recommendations(&mut sheet, &mut said, answer);
    asks::all(&mut sheet, &mut said.refs, answer, style.explain);
    parts::insights(&mut sheet, &mut said, answer);
    parts::notes(&mut sheet, &mut said, answer);
    differ::all(&mut sheet, &mut said, answer);
    record::not_understood(&mut sheet, answer);
    record::readings(&mut sheet, answer);
    record::meanings(&mut sheet, answer, style.explain);
    record::assumptions(&mut sheet, answer, style.explain);
    record::considered(&mut sheet, answer);
    said.refs.print(&mut sheet);
    sheet.finish()
}

fn head(sheet: &mut Sheet, answer: &Answer, style: &PageStyle) {
    let review =
        if style.signed { "a clinician has signed its rules" } else { "no clinician has reviewed these rules" };
    let what = format!("· decision support for a licensed clinician to weigh · {review}");
    sheet.tagged(0, "Concord", Paint::Bold, &what);
    let package = if style.package.is_empty() { String::new() } else { format!(" · {}", style.package) };
    sheet.lines(0, &format!("As of {}{package}", words::instant(&answer.as_of)));
    let tag = format!("Opioid use disorder: {}.", words::scope(answer.scope));
    sheet.tagged(0, &tag, Paint::Bold, &words::short_scope_note(&answer.scope_note));
    if answer.drafts_included {
        sheet.tagged(0, "DRAFTS INCLUDED:", Paint::Care, "what is marked DRAFT rests on a rule that is not in force.");
    }
    disabled(sheet, answer);
}

/// What this answer leaves out because the site wants it so.
fn disabled(sheet: &mut Sheet, answer: &Answer) {
    if answer.disabled_safety_rules.is_empty() {
        return;
    }
    sheet.heading("Safety rules that this site has disabled");
    for rule in &answer.disabled_safety_rules {
        let by = if rule.by.is_empty() { String::new() } else { format!(" ({})", rule.by) };
        let tag = format!("NOT EVALUATED {}:", rule.rule);
        sheet.tagged(2, &tag, Paint::Care, &format!("{}. Reason given: {}{by}", rule.title, rule.reason));
    }
}

/// The names of what is told at length below.
fn glance(sheet: &mut Sheet, answer: &Answer) {
    sheet.heading("At a glance");
    if answer.alerts.len() > CROWD {
        crowd(sheet, &answer.alerts);
    } else {
        for alert in &answer.alerts {
            let (tag, paint) = words::alert(alert);
            sheet.tagged(2, &tag, paint, &alert.title);
        }
    }
    for (standing, names) in exclusions::by_standing(&exclusions::excluded(answer)) {
        let (word, paint) = words::standing(standing);
        sheet.tagged(2, &format!("{word}:"), paint, &names);
    }
}

/// Alerts of one severity and urgency on one line; their order stays.
fn crowd(sheet: &mut Sheet, alerts: &[Alert]) {
    let mut rest = alerts;
    while let Some(first) = rest.first() {
        let (tag, paint) = words::alert(first);
        let same = rest.iter().take_while(|alert| words::alert(alert).0 == tag).count();
        let (group, after) = rest.split_at(same);
        let titles: Vec<&str> = group.iter().map(|alert| alert.title.as_str()).collect();
        sheet.tagged(2, &tag, paint, &titles.join(" · "));
        rest = after;
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
