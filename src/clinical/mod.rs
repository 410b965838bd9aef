//! Codes, concepts, quantities, dates and the patient record: what the words of a clinical record mean.
//!
//! The room a clinician reviews. It does no I/O, reads no clock, logs nothing and does not panic on input.

/// `Debug` for types that hold what is said of a patient: the name of the type
/// and nothing of its content, so that it can't slip into a log, a panic or an
/// error by way of `{:?}`.
macro_rules! prints_nothing {
    ($($name:ident),* $(,)?) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}

pub(crate) use prints_nothing;

pub mod code;
pub mod concept;
pub mod date;
pub mod patient;
pub mod terminology;
pub mod unit;
