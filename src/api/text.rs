//! The forms of `proto/concord/v1/validation.proto`: what a string, a number
//! or an enum of a request must be.

use rust_decimal::Decimal;

use super::limits::{COMMENT_BYTES, Limits};
use super::proto::ErrorReason;
use super::refusal::{Path, Violations};
use crate::clinical::date::{AsOf, DateFault, FhirDate};
use crate::ruleset::path_fault;

/// Checks values and gathers what is wrong with them. A value at fault reads
/// as absent, so that everything else can still be checked.
pub(super) struct Check<'a> {
    pub(super) limits: &'a Limits,
    pub(super) faults: Violations,
}

/// Must a field be there?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

impl<'a> Check<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self { limits, faults: Violations::new(limits.violations) }
    }

    fn fits(&mut self, path: &Path<'_>, text: &str) -> bool {
        let most = self.limits.string_bytes;
        self.fits_in(path, text, most, " (limits.string_bytes)")
    }

    fn fits_in(&mut self, path: &Path<'_>, text: &str, most: usize, setting: &str) -> bool {
        let fits = text.len() <= most;
        if !fits {
            self.faults.add(path, ErrorReason::StringTooLong, format!("longer than {most} bytes{setting}"));
        }
        fits
    }

    fn absent(&mut self, path: &Path<'_>, need: Need) {
        if need == Need::Required {
            self.required(path);
        }
    }

    pub(super) fn required(&mut self, path: &Path<'_>) {
        self.faults.add(path, ErrorReason::Required, "is required");
    }

    pub(super) fn conflict(&mut self, path: &Path<'_>, with: &str) {
        self.faults.add(path, ErrorReason::Conflict, format!("excludes `{with}`, which is set too"));
    }

    /// Words of the record, shown back as they are; records break their lines.
    pub(super) fn words(&mut self, path: &Path<'_>, text: String) -> String {
        if self.fits(path, &text) && self.is_text(path, &text) { text } else { String::new() }
    }

    /// What someone writes of a decision: longer than words of the record are.
    pub(super) fn comment(&mut self, path: &Path<'_>, text: &str) {
        if self.fits_in(path, text, COMMENT_BYTES, "") {
            self.is_text(path, text);
        }
    }

    fn is_text(&mut self, path: &Path<'_>, text: &str) -> bool {
        let odd = |character: char| character.is_control() && !matches!(character, '\t' | '\n' | '\r');
        let fits = !text.chars().any(odd);
        if !fits {
            self.faults.add(path, ErrorReason::ControlCharacter, "contains a control character");
        }
        fits
    }

    /// A code, a unit or a code system: printable ASCII.
    pub(super) fn code(&mut self, path: &Path<'_>, need: Need, text: String) -> Option<String> {
        if text.is_empty() {
            self.absent(path, need);
            return None;
        }
        if !self.fits(path, &text) {
            return None;
        }
        if text.chars().any(char::is_control) {
            self.faults.add(path, ErrorReason::ControlCharacter, "contains a control character");
            return None;
        }
        if !text.is_ascii() {
            self.faults.add(path, ErrorReason::LookAlike, "contains a character that is not ASCII");
            return None;
        }
        if text.trim().is_empty() {
            match need {
                Need::Required => self.required(path),
                // Read as absent, a filter of spaces would list everything.
                Need::Optional => self.faults.add(path, ErrorReason::Format, "holds spaces alone"),
            }
            return None;
        }
        Some(text)
    }

    /// A word of the package: `[a-z0-9]+(-[a-z0-9]+)*`.
    pub(super) fn token(&mut self, path: &Path<'_>, need: Need, text: String) -> Option<String> {
        if text.is_empty() {
            self.absent(path, need);
            return None;
        }
        if !self.fits(path, &text) {
            return None;
        }
        let word = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if text.split('-').all(word) {
            return Some(text);
        }
        if text.is_ascii() {
            self.faults.add(path, ErrorReason::Format, "must be lower-case words joined by hyphens");
        } else {
            self.faults.add(path, ErrorReason::LookAlike, "contains a character that is not ASCII");
        }
        None
    }

    /// An identifier that means nothing here.
    pub(super) fn opaque(&mut self, path: &Path<'_>, text: String) -> String {
        if !self.fits(path, &text) {
            return String::new();
        }
        if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/|".contains(&byte)) {
            return text;
        }
        self.faults.add(path, ErrorReason::Format, "may hold letters, digits and -_.:/| only");
        String::new()
    }

    /// The path of a file of a package.
    pub(super) fn file_path(&mut self, path: &Path<'_>, text: String) -> Option<String> {
        if text.is_empty() {
            self.required(path);
            return None;
        }
        if !self.fits(path, &text) {
            return None;
        }
        if let Some(fault) = path_fault(&text) {
            self.faults.add(path, ErrorReason::Format, fault);
            return None;
        }
        Some(text)
    }

    /// 64 hexadecimal digits, with or without `sha256:`.
    pub(super) fn digest(&mut self, path: &Path<'_>, text: &str) -> Option<String> {
        if text.is_empty() {
            return None;
        }
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() == 64 && digits.bytes().all(hexadecimal) {
            return Some(digits.to_owned());
        }
        self.faults.add(path, ErrorReason::Format, "must be 64 lower-case hexadecimal digits");
        None
    }

    fn date_fault(&mut self, path: &Path<'_>, fault: DateFault, form: &'static str) {
        match fault {
            DateFault::Form => self.faults.add(path, ErrorReason::Format, form),
            DateFault::Impossible => self.faults.add(path, ErrorReason::ImpossibleDate, "is not in the calendar"),
        }
    }

    /// A FHIR date or dateTime.
    pub(super) fn date(&mut self, path: &Path<'_>, text: &str) -> Option<FhirDate> {
        if text.is_empty() {
            return None;
        }
        FhirDate::parse(text)
            .map_err(|fault| {
                self.date_fault(path, fault, "must be YYYY, YYYY-MM, YYYY-MM-DD, or RFC 3339 with seconds and offset");
            })
            .ok()
    }

    /// The instant of the evaluation.
    pub(super) fn instant(&mut self, path: &Path<'_>, text: &str) -> Option<AsOf> {
        AsOf::parse(text)
            .map_err(|fault| self.date_fault(path, fault, "must be YYYY-MM-DD, or RFC 3339 with seconds and offset"))
            .ok()
    }

    /// A number as the sender typed it: the shortest decimal text that reads
    /// back as the same double.
    pub(super) fn decimal(&mut self, path: &Path<'_>, value: f64) -> Option<Decimal> {
        let decimal = value
            .is_finite()
            .then(|| value.to_string().parse::<Decimal>().ok())
            .flatten()
            .filter(|decimal| decimal.is_zero() == (value == 0.0));
        if decimal.is_none() {
            self.faults.add(path, ErrorReason::Range, "is not a number that can be represented");
        }
        decimal
    }

    /// A whole number between both ends.
    pub(super) fn whole(&mut self, path: &Path<'_>, value: i32, least: i32, most: i32) -> Option<u32> {
        let inside = (least..=most).contains(&value);
        if !inside {
            self.faults.add(path, ErrorReason::Range, format!("must be {least} to {most}"));
            return None;
        }
        u32::try_from(value).ok()
    }

    /// An enum: `None` for its zero value, a violation for an undefined number.
    pub(super) fn choice<P: TryFrom<i32>, D>(
        &mut self,
        path: &Path<'_>,
        number: i32,
        read: impl FnOnce(P) -> Option<D>,
    ) -> Option<D> {
        match P::try_from(number) {
            Ok(value) => read(value),
            Err(_) => {
                self.faults.add(path, ErrorReason::EnumValue, "is not a defined value");
                None
            }
        }
    }

    /// A list of at most `most` entries.
    pub(super) fn list<W, D>(
        &mut self,
        path: Path<'_>,
        entries: Vec<W>,
        most: usize,
        mut read: impl FnMut(&mut Self, &Path<'_>, W) -> D,
    ) -> Vec<D> {
        if entries.len() > most {
            // Its entries are not read: work stays in proportion to the limit.
            let setting = if most == self.limits.list_entries { " (limits.list_entries)" } else { "" };
            self.faults.add(&path, ErrorReason::TooManyEntries, format!("more than {most} entries{setting}"));
            return Vec::new();
        }
        entries.into_iter().enumerate().map(|(index, entry)| read(self, &path.at(index), entry)).collect()
    }
}
