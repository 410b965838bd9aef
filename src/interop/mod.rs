//! What Concord records, in the forms that others read.
//!
//! | module | purpose |
//! | --- | --- |
//! | [`fhir`] | FHIR R4 `AuditEvent`, as the Basic Audit Log Patterns of IHE shape it |
//!
//! A form says what the record says and no more: what is not known is left out.

pub mod fhir;
