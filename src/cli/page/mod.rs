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
mod screen;
mod words;

use self::layout::{Paint, Sheet};
use self::said::Said;
pub use self::screen::SCREEN;
use crate::engine::decision::{Answer, Explain};
use crate::ruleset::Ruleset;

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

impl PageStyle {
    /// Plain, of the usual width, with the head of a package.
    #[must_use]
    pub fn of(ruleset: &Ruleset) -> Self {
        let meta = &ruleset.package().meta;
        let overlay = ruleset.package().overlay.as_ref();
        let overlay = overlay.map_or_else(String::new, |one| format!(" with {} {}", one.head.name, one.head.version));
        let short: String = ruleset.digest().chars().take(12).collect();
        let package = format!("Package {} {}{overlay} (sha256 {short})", meta.name, meta.version);
        Self { package, signed: meta.signed_by.is_some(), ..Self::default() }
    }
}

/// The page.
#[must_use]
pub fn render(answer: &Answer, style: &PageStyle) -> String {
    let mut sheet = Sheet::new(style.width, style.color);
    let mut said = Said::new(style.explain);
    head(&mut sheet, answer, style);
    screen::print(&mut sheet, answer);
    parts::alerts(&mut sheet, &mut said, answer);
    exclusions::block(&mut sheet, &mut said, answer);
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

/// The first screen of the page, alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstScreen {
    /// Its text: what the page begins with.
    pub text: String,
    /// Lines down to the last item that must not be missed.
    pub last: usize,
}

/// The head of the page: everything that must not be missed, and what follows.
#[must_use]
pub fn first_screen(answer: &Answer, style: &PageStyle) -> FirstScreen {
    let mut sheet = Sheet::new(style.width, style.color);
    head(&mut sheet, answer, style);
    let last = screen::print(&mut sheet, answer);
    FirstScreen { text: sheet.finish(), last }
}

fn head(sheet: &mut Sheet, answer: &Answer, style: &PageStyle) {
    let review = if style.signed { "rules signed by a clinician" } else { "rules not reviewed by a clinician" };
    let what = format!("· for a licensed clinician to weigh · {review}");
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

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
