//! Codes, quantities, dates and the patient record: the room a clinician reviews.

pub mod concept;
pub mod date;
pub mod patient;
