//! Propositions and their satisfiability: a thin room around the SAT solver.

use batsat::{BasicSolver, SolverInterface as _, lbool};

/// A proposition or its negation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lit(batsat::Lit);

impl std::ops::Not for Lit {
    type Output = Self;

    fn not(self) -> Self {
        Self(!self.0)
    }
}

/// The two propositions of a three-valued formula. Neither holds where it is
/// unknown; both never do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rails {
    /// It is true.
    pub yes: Lit,
    /// It is false.
    pub no: Lit,
}

impl Rails {
    /// Of the negation.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { yes: self.no, no: self.yes }
    }
}

/// Propositions with what is known of them.
pub struct Logic {
    solver: BasicSolver,
    always: Lit,
}

impl std::fmt::Debug for Logic {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Logic").field("variables", &self.solver.num_vars()).finish_non_exhaustive()
    }
}

impl Default for Logic {
    fn default() -> Self {
        let mut solver = BasicSolver::default();
        let always = Lit(batsat::Lit::new(solver.new_var_default(), true));
        solver.add_clause_reuse(&mut vec![always.0]);
        Self { solver, always }
    }
}

impl Logic {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What always holds.
    #[must_use]
    pub fn always(&self) -> Lit {
        self.always
    }

    /// What never holds.
    #[must_use]
    pub fn never(&self) -> Lit {
        !self.always
    }

    /// A new proposition. The solver tries it as not holding first, so that
    /// models hold little.
    pub fn fresh(&mut self) -> Lit {
        Lit(batsat::Lit::new(self.solver.new_var_default(), true))
    }

    /// A new three-valued variable.
    pub fn fresh_rails(&mut self) -> Rails {
        let rails = Rails { yes: self.fresh(), no: self.fresh() };
        self.assert(&[!rails.yes, !rails.no]);
        rails
    }

    /// One of these holds, in every model.
    pub fn assert(&mut self, clause: &[Lit]) {
        self.solver.add_clause_reuse(&mut clause.iter().map(|lit| lit.0).collect());
    }

    /// The proposition that every one holds.
    pub fn and(&mut self, parts: &[Lit]) -> Lit {
        let never = self.never();
        let parts: Vec<Lit> = parts.iter().copied().filter(|part| *part != self.always).collect();
        match parts[..] {
            _ if parts.contains(&never) => never,
            [] => self.always,
            [only] => only,
            _ => {
                let whole = self.fresh();
                let mut back = vec![whole];
                for part in parts {
                    self.assert(&[!whole, part]);
                    back.push(!part);
                }
                self.assert(&back);
                whole
            }
        }
    }

    /// The proposition that one holds at least.
    pub fn or(&mut self, parts: &[Lit]) -> Lit {
        let negated: Vec<Lit> = parts.iter().map(|part| !*part).collect();
        !self.and(&negated)
    }

    /// The proposition that `count` hold at least.
    pub fn at_least(&mut self, count: usize, parts: &[Lit]) -> Lit {
        // reached[k]: k of the parts seen so far hold.
        let mut reached = vec![self.never(); count.saturating_add(1)];
        if let Some(first) = reached.first_mut() {
            *first = self.always;
        }
        for part in parts {
            for k in (1..=count).rev() {
                let (Some(here), Some(below)) = (reached.get(k).copied(), reached.get(k.wrapping_sub(1)).copied())
                else {
                    continue;
                };
                let step = self.and(&[below, *part]);
                let now = self.or(&[here, step]);
                if let Some(slot) = reached.get_mut(k) {
                    *slot = now;
                }
            }
        }
        reached.last().copied().unwrap_or(self.always)
    }

    /// At most one of these holds, in every model.
    pub fn at_most_one(&mut self, parts: &[Lit]) {
        // Pairs for few, a ladder for many: `seen` holds once one of the parts has.
        if parts.len() <= 5 {
            for (index, first) in parts.iter().enumerate() {
                for second in parts.iter().skip(index.saturating_add(1)) {
                    self.assert(&[!*first, !*second]);
                }
            }
            return;
        }
        let mut seen = self.never();
        for part in parts {
            self.assert(&[!seen, !*part]);
            let next = self.fresh();
            self.assert(&[!seen, next]);
            self.assert(&[!*part, next]);
            seen = next;
        }
    }

    /// A model in which all of these hold, where there is one.
    pub fn solve(&mut self, assumed: &[Lit]) -> Option<Model> {
        let assumed: Vec<batsat::Lit> = assumed.iter().map(|lit| lit.0).collect();
        let found = self.solver.solve_limited(&assumed) == lbool::TRUE;
        found.then(|| Model { values: self.solver.get_model().to_vec() })
    }

    /// Is there no model in which all of these hold?
    pub fn impossible(&mut self, assumed: &[Lit]) -> bool {
        let assumed: Vec<batsat::Lit> = assumed.iter().map(|lit| lit.0).collect();
        self.solver.solve_limited(&assumed) == lbool::FALSE
    }

    /// Of the assumptions of the last question that had no model, those that
    /// exclude each other.
    #[must_use]
    pub fn core(&self, assumed: &[Lit]) -> Vec<Lit> {
        // The solver keeps the core negated: a clause over the assumptions.
        let holds = |lit: Lit| self.solver.unsat_core().iter().any(|one| *one == lit.0 || *one == !lit.0);
        assumed.iter().copied().filter(|lit| holds(*lit)).collect()
    }
}

/// A model: which propositions hold.
#[derive(Clone, Debug)]
pub struct Model {
    values: Vec<lbool>,
}

impl Model {
    /// Does it hold here?
    #[must_use]
    pub fn holds(&self, lit: Lit) -> bool {
        let value = self.values.get(lit.0.var().idx() as usize).copied().unwrap_or(lbool::UNDEF);
        // A proposition that decides nothing is taken as not holding.
        if lit.0.sign() { value == lbool::TRUE } else { value != lbool::TRUE }
    }

    /// The truth of a three-valued formula here.
    #[must_use]
    pub fn truth(&self, rails: Rails) -> crate::rule::truth::Truth {
        use crate::rule::truth::Truth;
        if self.holds(rails.yes) {
            Truth::True
        } else if self.holds(rails.no) {
            Truth::False
        } else {
            Truth::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_reached_exactly_where_so_many_hold() {
        for count in 0..=4 {
            for pattern in 0_u32..8 {
                let mut logic = Logic::new();
                let parts: Vec<Lit> = (0..3).map(|_| logic.fresh()).collect();
                let reached = logic.at_least(count, &parts);
                for (bit, part) in parts.iter().enumerate() {
                    let holds = pattern >> bit & 1 == 1;
                    logic.assert(&[if holds { *part } else { !*part }]);
                }
                let expected = pattern.count_ones() as usize >= count;
                assert_eq!(logic.solve(&[reached]).is_some(), expected, "{count} of {pattern:03b}");
                assert_eq!(logic.solve(&[!reached]).is_some(), !expected, "{count} of {pattern:03b}");
            }
        }
    }

    #[test]
    fn at_most_one_holds_of_few_and_of_many() {
        for len in [2, 5, 6, 20] {
            let mut logic = Logic::new();
            let parts: Vec<Lit> = (0..len).map(|_| logic.fresh()).collect();
            logic.at_most_one(&parts);
            assert!(logic.solve(&[parts[0]]).is_some() && logic.solve(&[parts[len - 1]]).is_some());
            assert!(logic.impossible(&[parts[0], parts[len - 1]]), "{len}");
        }
    }

    #[test]
    fn a_core_names_the_assumptions_that_exclude_each_other() {
        let mut logic = Logic::new();
        let (a, b, c) = (logic.fresh(), logic.fresh(), logic.fresh());
        logic.assert(&[!a, !b]);
        let assumed = [a, c, b];
        assert!(logic.impossible(&assumed));
        assert_eq!(logic.core(&assumed), [a, b]);
    }
}
