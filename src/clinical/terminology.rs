//! The embedded code tables: which ICD-10-CM codes exist, and which ingredients an RxNorm code has.
//!
//! `terminology/README.md` names releases, sources and licenses. Each table is indexed once, on first use.

use std::ops::Range;
use std::sync::OnceLock;

use super::code::CodeStanding;

const ICD: &str = include_str!("../../terminology/icd10cm.txt");
const ICD_RETIRED: &str = include_str!("../../terminology/icd10cm-retired.txt");
const RXNORM: &str = include_str!("../../terminology/rxnorm-ingredients.txt");

/// The tables as embedded, for a digest: ICD-10-CM codes, retired ICD-10-CM codes, RxNorm ingredients.
pub const DIGEST_INPUT: [&str; 3] = [ICD, ICD_RETIRED, RXNORM];

/// What the tables say of an ICD-10-CM code in normal form.
pub fn icd_standing(code: &str) -> CodeStanding {
    let icd = icd();
    match icd.position(code) {
        Some(place) if icd.is_billable(place) => CodeStanding::Current,
        Some(_) => CodeStanding::Header,
        None if is_retired(code) => CodeStanding::Retired,
        None => CodeStanding::NotListed,
    }
}

/// Whether an ICD-10-CM code in normal form is in the current release and has no code below it.
pub fn is_billable(code: &str) -> bool {
    icd_standing(code) == CodeStanding::Current
}

/// The billable codes below an ICD-10-CM header, in order; none for a code that is not a header.
pub fn billable_descendants(header: &str) -> impl Iterator<Item = &'static str> {
    let icd = icd();
    let range = match icd.position(header) {
        Some(place) if !icd.is_billable(place) => icd.range(header),
        _ => 0..0,
    };
    range.filter(|place| icd.is_billable(*place)).filter_map(|place| icd.lines.get(place).copied())
}

/// The RXCUIs of the ingredients of an RxNorm code: its own for an ingredient, none for a code that is not listed.
pub fn ingredients_of(rxcui: &str) -> impl Iterator<Item = &'static str> {
    let lines = rxnorm();
    let found = lines.binary_search_by_key(&rxcui, |line| first_word(line)).ok();
    let line = found.and_then(|place| lines.get(place)).copied().unwrap_or_default();
    line.split(' ').skip(1)
}

/// Whether the ingredients of an RxNorm code are known.
pub fn is_rxnorm_listed(rxcui: &str) -> bool {
    ingredients_of(rxcui).next().is_some()
}

/// Whether an ICD-10-CM code in normal form is of an earlier release only.
pub(super) fn is_retired(code: &str) -> bool {
    retired().binary_search(&code).is_ok()
}

/// The retired codes below a retired code that have none below them, or the code itself if it is one of these.
pub(super) fn retired_leaves(code: &str) -> impl Iterator<Item = &'static str> {
    let lines = retired();
    let start = lines.partition_point(|line| *line < code);
    let below = lines.get(start..).unwrap_or_default().iter().copied().take_while(move |line| line.starts_with(code));
    let next = lines.get(start.saturating_add(1)..).unwrap_or_default().iter().copied();
    below.zip(next.map(Some).chain([None])).filter_map(|(line, next)| {
        let has_children = next.is_some_and(|next| next.starts_with(line));
        (!has_children).then_some(line)
    })
}

/// The ICD-10-CM table with its tree.
pub(super) struct Icd {
    lines: Vec<&'static str>,
    parents: Vec<Option<usize>>,
    /// How many billable codes stand before each line, and after the last.
    billable_before: Vec<usize>,
}

/// The current ICD-10-CM release.
pub(super) fn icd() -> &'static Icd {
    static TABLE: OnceLock<Icd> = OnceLock::new();
    TABLE.get_or_init(|| Icd::index(ICD))
}

impl Icd {
    fn index(text: &'static str) -> Self {
        let lines: Vec<&'static str> = text.lines().collect();
        let mut parents = Vec::with_capacity(lines.len());
        let mut billable_before = Vec::with_capacity(lines.len() + 1);
        let mut billable = 0;
        let mut above: Vec<(usize, &str)> = Vec::new();
        for (place, line) in lines.iter().enumerate() {
            let code = icd_code(line);
            while above.last().is_some_and(|(_, header)| !code.starts_with(header)) {
                above.pop();
            }
            parents.push(above.last().map(|(place, _)| *place));
            billable_before.push(billable);
            if code.len() == line.len() {
                billable += 1;
            } else {
                above.push((place, code));
            }
        }
        billable_before.push(billable);
        Self { lines, parents, billable_before }
    }

    /// How many codes there are.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Where a code in normal form stands.
    pub(super) fn position(&self, code: &str) -> Option<usize> {
        self.lines.binary_search_by_key(&code, |line| icd_code(line)).ok()
    }

    /// The code at a place.
    pub(super) fn code(&self, place: usize) -> &'static str {
        self.lines.get(place).map(|line| icd_code(line)).unwrap_or_default()
    }

    /// The places of a code and of everything below it.
    pub(super) fn range(&self, code: &str) -> Range<usize> {
        let start = self.lines.partition_point(|line| icd_code(line) < code);
        let rest = self.lines.get(start..).unwrap_or_default();
        start..start + rest.partition_point(|line| line.starts_with(code))
    }

    /// Whether the code at a place has no code below it.
    pub(super) fn is_billable(&self, place: usize) -> bool {
        self.lines.get(place).is_some_and(|line| !line.ends_with('-'))
    }

    /// How many billable codes a header has below it.
    pub(super) fn billable_below(&self, header: usize) -> usize {
        let range = self.range(self.code(header));
        match (self.billable_before.get(range.start), self.billable_before.get(range.end)) {
            (Some(before), Some(after)) => after - before,
            _ => 0,
        }
    }

    /// The headers above a place, nearest first.
    pub(super) fn headers_above(&self, place: usize) -> impl Iterator<Item = usize> {
        let parent = |place: &usize| self.parents.get(*place).copied().flatten();
        std::iter::successors(parent(&place), parent)
    }
}

fn icd_code(line: &'static str) -> &'static str {
    line.strip_suffix('-').unwrap_or(line)
}

fn first_word(line: &'static str) -> &'static str {
    line.split(' ').next().unwrap_or_default()
}

fn retired() -> &'static [&'static str] {
    static TABLE: OnceLock<Vec<&'static str>> = OnceLock::new();
    TABLE.get_or_init(|| ICD_RETIRED.lines().collect())
}

fn rxnorm() -> &'static [&'static str] {
    static TABLE: OnceLock<Vec<&'static str>> = OnceLock::new();
    TABLE.get_or_init(|| RXNORM.lines().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_complete() {
        let icd = icd();
        assert_eq!(icd.len(), 98_403);
        assert_eq!(icd.billable_before.last(), Some(&74_879));
        assert!(icd.lines.is_sorted_by(|a, b| icd_code(a) < icd_code(b)));
        assert!(retired().is_sorted_by(|a, b| a < b));
        assert!(retired().iter().all(|code| icd.position(code).is_none()));
        assert!(rxnorm().is_sorted_by(|a, b| first_word(a) < first_word(b)));
    }

    #[test]
    fn a_code_is_billable_exactly_when_nothing_is_below_it() {
        let icd = icd();
        let mut parents = vec![false; icd.len()];
        for parent in icd.parents.iter().flatten() {
            parents[*parent] = true;
        }
        assert!((0..icd.len()).all(|place| icd.is_billable(place) != parents[place]));
    }

    #[test]
    fn headers_have_descendants_and_leaves_have_none() {
        assert_eq!(billable_descendants("F11.12").collect::<Vec<_>>(), ["F11.120", "F11.121", "F11.122", "F11.129"]);
        assert_eq!(billable_descendants("F11.10").count(), 0);
        assert_eq!(billable_descendants("F11").count(), 45);
        assert!(is_billable("QA0") || icd_standing("QA0") == CodeStanding::Header);
        let place = icd().position("T40.1X1A").unwrap();
        let above: Vec<_> = icd().headers_above(place).map(|place| icd().code(place)).collect();
        assert_eq!(above, ["T40.1X1", "T40.1X", "T40.1", "T40"]);
    }

    #[test]
    fn ingredients_are_found_at_every_level() {
        assert_eq!(ingredients_of("1819").collect::<Vec<_>>(), ["1819"]);
        assert_eq!(ingredients_of("1010600").collect::<Vec<_>>(), ["1819", "7242"]);
        assert_eq!(ingredients_of("218337").collect::<Vec<_>>(), ["6813"]);
        assert_eq!(ingredients_of("258326").collect::<Vec<_>>(), ["258326"]);
        // Their ingredients are not known, so that they read as not listed.
        assert!(!is_rxnorm_listed("1304480") && !is_rxnorm_listed("2045130"));
        assert!(!is_rxnorm_listed("") && !is_rxnorm_listed("0"));
    }

    #[test]
    fn retired_headers_have_retired_leaves() {
        assert_eq!(retired_leaves("T40.4X1").collect::<Vec<_>>(), ["T40.4X1A", "T40.4X1D", "T40.4X1S"]);
        assert_eq!(retired_leaves("T40.4X1S").collect::<Vec<_>>(), ["T40.4X1S"]);
        assert_eq!(retired_leaves("V29.9XXS").count(), 1);
        assert_eq!(retired_leaves("Z99").count(), 0);
    }
}
