//! Events, plans and preferences. A history flag can be said, denied or left
//! open whatever else is, so nothing is said of it here.

use std::collections::{BTreeMap, HashMap};

use super::window::{disjoint, narrower};
use super::{Ground, of_kind, single};
use crate::analysis::logic::{Lit, Rails};
use crate::clinical::patient::List;
use crate::program::Atom;
use crate::rule::model::{Fact, Package, Window};

pub fn facts(ground: &mut Ground<'_>, atoms: &[&Atom]) -> HashMap<usize, Rails> {
    let mut found: HashMap<usize, Rails> = events(ground, atoms).into_iter().collect();
    found.extend(plans(ground, atoms));
    for (at, _) in of_kind(atoms, |fact| matches!(fact, Fact::Preference { .. })) {
        let stated = ground.logic.fresh();
        let absent = ground.absent(List::Preferences, false);
        found.insert(at, ground.any(&[Ground::certain(stated), absent]));
    }
    found
}

struct Entries {
    /// An entry that may be of the class.
    listed: Lit,
    windows: BTreeMap<Window, Rails>,
}

fn events(ground: &mut Ground<'_>, atoms: &[&Atom]) -> Vec<(usize, Rails)> {
    let asked = of_kind(atoms, |fact| matches!(fact, Fact::Event { .. }));
    let mut entries: BTreeMap<(&str, &str), Entries> = BTreeMap::new();
    for (_, atom) in &asked {
        let Fact::Event { types, substances, window } = &atom.fact else { continue };
        let of = entries
            .entry((single(types), single(substances)))
            .or_insert_with(|| Entries { listed: ground.logic.fresh(), windows: BTreeMap::new() });
        let fits = ground.logic.fresh_rails();
        ground.logic.assert(&[fits.no, of.listed]);
        of.windows.entry(*window).or_insert(fits);
    }
    for ((kind, class), lower) in &entries {
        for ((other, wider), upper) in &entries {
            if kind == other && class_holds(ground.theory.package, class, wider) {
                ground.logic.assert(&[!lower.listed, upper.listed]);
                relate(ground, kind, (class, lower), (wider, upper));
            }
        }
    }
    let mut found = Vec::new();
    for (at, atom) in &asked {
        let Fact::Event { types, substances, window } = &atom.fact else { continue };
        let Some(of) = entries.get(&(single(types), single(substances))) else { continue };
        let Some(fits) = of.windows.get(window) else { continue };
        let absent = ground.absent(List::Events, false);
        // What was last used is said by the newest entry; other events may have
        // happened without being listed.
        let rails = if newest_only(ground.theory.package, single(types)) {
            ground.choose(of.listed, *fits, absent)
        } else {
            ground.any(&[*fits, absent])
        };
        found.push((*at, rails));
    }
    found
}

fn relate(ground: &mut Ground<'_>, kind: &str, (class, lower): (&str, &Entries), (wider, upper): (&str, &Entries)) {
    let newest_only = newest_only(ground.theory.package, kind);
    for (narrow, below) in &lower.windows {
        for (wide, above) in &upper.windows {
            if newest_only && class == wider && disjoint(*narrow, *wide) {
                ground.logic.assert(&[!below.yes, !above.yes]);
            }
            if (class, narrow) == (wider, wide) || !narrower(*narrow, *wide) {
                continue;
            }
            if !newest_only || class == wider {
                ground.below(*below, *above);
            } else if narrow.more_than.is_none() && wide.more_than.is_none() {
                // Of a wider class a newer entry may be the newest: inside too.
                ground.logic.assert(&[!below.yes, above.yes]);
            }
        }
    }
}

fn newest_only(package: &Package, kind: &str) -> bool {
    package.vocabulary.events.iter().any(|word| word.newest && word.id.value == kind)
}

/// Is every substance of the class one of the wider class, for certain and possibly?
fn class_holds(package: &Package, class: &str, wider: &str) -> bool {
    if wider.is_empty() || class == wider {
        return true;
    }
    !class.is_empty()
        && package.vocabulary.substances.iter().all(|substance| {
            let is = |class: &str| substance.id.value == class || substance.classes.iter().any(|one| one == class);
            let may = |class: &str| is(class) || substance.unspecific;
            (!is(class) || is(wider)) && (!may(class) || may(wider))
        })
}

fn plans(ground: &mut Ground<'_>, atoms: &[&Atom]) -> Vec<(usize, Rails)> {
    let asked = of_kind(atoms, |fact| matches!(fact, Fact::Plan { .. }));
    let mut entries: BTreeMap<(&str, &str), Rails> = BTreeMap::new();
    for (_, atom) in &asked {
        let Fact::Plan { kinds, concepts } = &atom.fact else { continue };
        let fits = if concepts.is_empty() { Ground::certain(ground.logic.fresh()) } else { ground.logic.fresh_rails() };
        entries.entry((single(kinds), single(concepts))).or_insert(fits);
    }
    for ((kind, concept), lower) in &entries {
        for ((other, wider), upper) in &entries {
            let wider = wider.is_empty() || (!concept.is_empty() && ground.theory.within.holds(concept, wider));
            if kind == other && wider {
                ground.below(*lower, *upper);
            }
        }
    }
    let mut found = Vec::new();
    for (at, atom) in &asked {
        let Fact::Plan { kinds, concepts } = &atom.fact else { continue };
        if let Some(fits) = entries.get(&(single(kinds), single(concepts))) {
            let absent = ground.absent(List::Plans, false);
            found.push((*at, ground.any(&[*fits, absent])));
        }
    }
    found
}
