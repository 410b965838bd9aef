//! Questions about all patients at once: can this rule ever fire, does this
//! clause matter, do two packages answer alike.
//!
//! Independent of the engine: it reads the compiled form and the package alone,
//! so that a fault of the one shows in the other. A formula of Kleene's logic
//! becomes two propositions, *is true* and *is false*, and a question becomes
//! one of satisfiability ([`logic`]). Two spaces of patients can be asked:
//!
//! - every record there could be, with facts that hang together at least as
//!   their windows and thresholds say: what is impossible there is proven;
//! - the records of a [`catalog`], entry by entry: what is possible there comes
//!   with a record that shows it.

pub mod catalog;
pub mod check;
pub mod diff;
pub mod encode;
pub mod invariants;
pub mod logic;
pub mod questions;
pub mod space;
pub mod theory;
