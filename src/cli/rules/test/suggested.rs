//! Suggested patients as a table file, for a clinician to label.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use crate::deck::suggest::Suggested;

/// The file in the folder.
const NAME: &str = "suggested.yaml";

/// Writes a table of them, and says where. What is there already is kept: labels
/// may stand in it.
pub(super) fn write(dir: &Path, suggested: &[Suggested]) -> Result<String, String> {
    let path = dir.join(NAME);
    let words = |error: std::io::Error| format!("{}: {error}", path.display());
    std::fs::create_dir_all(dir).map_err(words)?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(words)?;
    let (text, count) = table(suggested);
    file.write_all(text.as_bytes()).map_err(words)?;
    Ok(format!("{count} patients suggested, for {} things that no case shows: {}\n", suggested.len(), path.display()))
}

/// One patient may show several things: the questions stand together.
fn table(suggested: &[Suggested]) -> (String, usize) {
    let mut patients: BTreeMap<(String, &str, &str), Vec<&Suggested>> = BTreeMap::new();
    for one in suggested {
        patients.entry((one.patient.to_string(), one.rule.as_str(), one.as_of.as_str())).or_default().push(one);
    }
    let mut by_rule: Vec<(&str, String, &str, Vec<&Suggested>)> =
        patients.into_iter().map(|((patient, rule, as_of), ones)| (rule, patient, as_of, ones)).collect();
    by_rule.sort_by(|a, b| (a.0, &a.1, a.2).cmp(&(b.0, &b.1, b.2)));
    let mut text = String::from(
        "# Patients that would show what no case shows yet. A clinician says what is expected, and of which source;\n\
         # an empty `expect` shows nothing.\n\
         source: {title: not named yet}\nkind: guideline-constructed\ntags: [suggested]\ncases:\n",
    );
    for (at, (rule, patient, as_of, ones)) in by_rule.iter().enumerate() {
        text.push_str(&format!("# What must be said of {rule} here?\n"));
        for one in ones {
            text.push_str(&format!("#   {}\n", one.goal));
        }
        let number = at.saturating_add(1);
        text.push_str(&format!(
            "- id: suggested-{number}\n  title: {rule}\n  as_of: '{as_of}'\n  patient: {patient}\n  expect: {{}}\n"
        ));
    }
    (text, by_rule.len())
}
