//! The formulas of a program as propositions over its atoms.

use super::logic::{Lit, Logic, Rails};
use crate::program::{Formula, NodeId, Program};

/// The rails of every formula of a program.
#[derive(Clone, Debug)]
pub struct Encoded {
    nodes: Vec<Rails>,
}

impl Encoded {
    /// Encodes a program over the rails of its atoms, in their order.
    #[must_use]
    pub fn new(logic: &mut Logic, program: &Program, atoms: &[Rails]) -> Self {
        let nowhere = Rails { yes: logic.never(), no: logic.never() };
        let mut nodes: Vec<Rails> = Vec::with_capacity(program.nodes.len());
        for formula in &program.nodes {
            // Parts come before what they are part of.
            let of = |node: &NodeId| nodes.get(node.at()).copied().unwrap_or(nowhere);
            let rails = match formula {
                Formula::Atom(atom) => atoms.get(atom.at()).copied().unwrap_or(nowhere),
                Formula::Not(part) => of(part).negated(),
                Formula::Known(part) => {
                    let part = of(part);
                    let known = logic.or(&[part.yes, part.no]);
                    Rails { yes: known, no: !known }
                }
                Formula::Certain(part) => {
                    let part = of(part);
                    Rails { yes: part.yes, no: !part.yes }
                }
                Formula::And(parts) => all(logic, &parts.iter().map(of).collect::<Vec<_>>()),
                Formula::Or(parts) => {
                    let negated: Vec<Rails> = parts.iter().map(|part| of(part).negated()).collect();
                    all(logic, &negated).negated()
                }
                Formula::AtLeast(count, parts) => {
                    let rails: Vec<Rails> = parts.iter().map(of).collect();
                    at_least(logic, *count as usize, &rails)
                }
            };
            nodes.push(rails);
        }
        Self { nodes }
    }

    /// The rails of a formula.
    #[must_use]
    pub fn of(&self, node: NodeId) -> Option<Rails> {
        self.nodes.get(node.at()).copied()
    }
}

/// Every part.
pub fn all(logic: &mut Logic, parts: &[Rails]) -> Rails {
    let yes: Vec<Lit> = parts.iter().map(|part| part.yes).collect();
    let no: Vec<Lit> = parts.iter().map(|part| part.no).collect();
    Rails { yes: logic.and(&yes), no: logic.or(&no) }
}

/// One part at least.
pub fn any(logic: &mut Logic, parts: &[Rails]) -> Rails {
    let negated: Vec<Rails> = parts.iter().map(|part| part.negated()).collect();
    all(logic, &negated).negated()
}

/// `count` parts at least: false once too few can still be true.
pub fn at_least(logic: &mut Logic, count: usize, parts: &[Rails]) -> Rails {
    let yes: Vec<Lit> = parts.iter().map(|part| part.yes).collect();
    let no: Vec<Lit> = parts.iter().map(|part| part.no).collect();
    let too_few = parts.len().saturating_add(1).saturating_sub(count);
    Rails { yes: logic.at_least(count, &yes), no: logic.at_least(too_few, &no) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::truth::Truth;

    /// The rails say of every combination what the truth tables say.
    #[test]
    fn rails_follow_the_truth_tables() {
        let values = [Truth::False, Truth::Unknown, Truth::True];
        for a in values {
            for b in values {
                for c in values {
                    let mut logic = Logic::new();
                    let parts: Vec<Rails> = [a, b, c].map(|truth| fixed(&mut logic, truth)).to_vec();
                    let (and, or) = (all(&mut logic, &parts), any(&mut logic, &parts));
                    let model = logic.solve(&[]).expect("no contradiction");
                    assert_eq!(model.truth(and), a.and(b).and(c));
                    assert_eq!(model.truth(or), a.or(b).or(c));
                    for count in 0..=4 {
                        let rails = at_least(&mut logic, count, &parts);
                        let model = logic.solve(&[]).expect("no contradiction");
                        assert_eq!(model.truth(rails), Truth::at_least(count, [a, b, c].into_iter()), "{count}");
                    }
                }
            }
        }
    }

    fn fixed(logic: &mut Logic, truth: Truth) -> Rails {
        let rails = logic.fresh_rails();
        logic.assert(&[if truth == Truth::True { rails.yes } else { !rails.yes }]);
        logic.assert(&[if truth == Truth::False { rails.no } else { !rails.no }]);
        rails
    }
}
