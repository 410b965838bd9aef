//! The results of a test as JUnit XML: a suite a file, a test case a case.
//! Without times, so that the same run gives the same bytes.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::Results;
use super::text;
use crate::deck::run::Verdict;

type Xml = Writer<Vec<u8>>;

/// The document.
///
/// # Errors
/// None that a buffer in memory could have.
pub(super) fn report(results: &Results<'_>) -> io::Result<Vec<u8>> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let files = &results.bench.deck.files;
    let all: Vec<&Verdict<'_>> = results.verdicts.iter().collect();
    xml.create_element("testsuites")
        .with_attribute(("name", "concord rules test"))
        .with_attributes(counts(&all).each())
        .write_inner_content(|xml| {
            for (file, name, _) in files.iter() {
                let cases: Vec<&Verdict<'_>> =
                    all.iter().copied().filter(|verdict| verdict.case.span.file == file).collect();
                if !cases.is_empty() {
                    suite(xml, results, name, &cases)?;
                }
            }
            Ok(())
        })?;
    let mut bytes = xml.into_inner();
    bytes.push(b'\n');
    Ok(bytes)
}

struct Counts {
    tests: String,
    failures: String,
    skipped: String,
}

impl Counts {
    fn each(&self) -> [(&str, &str); 4] {
        [("tests", &self.tests), ("failures", &self.failures), ("errors", "0"), ("skipped", &self.skipped)]
    }
}

fn counts(verdicts: &[&Verdict<'_>]) -> Counts {
    let count =
        |wanted: fn(&Verdict<'_>) -> bool| verdicts.iter().filter(|verdict| wanted(verdict)).count().to_string();
    Counts {
        tests: verdicts.len().to_string(),
        failures: count(|verdict| !verdict.passed()),
        skipped: count(|verdict| verdict.passed() && !verdict.case.labeled),
    }
}

fn suite(xml: &mut Xml, results: &Results<'_>, file: &str, verdicts: &[&Verdict<'_>]) -> io::Result<()> {
    let suite = xml.create_element("testsuite").with_attribute(("name", file));
    suite
        .with_attributes(counts(verdicts).each())
        .write_inner_content(|xml| verdicts.iter().try_for_each(|verdict| case(xml, results, file, verdict)))?;
    Ok(())
}

fn case(xml: &mut Xml, results: &Results<'_>, file: &str, verdict: &Verdict<'_>) -> io::Result<()> {
    let files = &results.bench.deck.files;
    let line = files.position(verdict.case.span).map_or(0, |(_, line, _)| line).to_string();
    let name = clean(&format!("{}: {}", verdict.case.id, verdict.case.title));
    let element = xml.create_element("testcase").with_attributes([
        ("name", name.as_str()),
        ("classname", file),
        ("file", file),
        ("line", line.as_str()),
    ]);
    if verdict.passed() && verdict.case.labeled {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|xml| {
        if verdict.passed() {
            xml.create_element("skipped").with_attribute(("message", "nothing is expected yet")).write_empty()?;
        }
        for miss in &verdict.misses {
            let found = &miss.found;
            let message =
                clean(&format!("{}: {}: expected {}, found {}", found.key, found.subject, found.expected, found.found));
            let words = clean(&text::differs(miss, files));
            xml.create_element("failure")
                .with_attributes([("message", message.as_str()), ("type", found.key)])
                .write_text_content(BytesText::new(&words))?;
        }
        Ok(())
    })?;
    Ok(())
}

/// XML has no place for control characters.
fn clean(text: &str) -> String {
    text.chars().filter(|one| !one.is_control() || matches!(one, '\n' | '\t')).collect()
}
