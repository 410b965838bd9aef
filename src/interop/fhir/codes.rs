//! The codes of an `AuditEvent`, with the words that their systems give them.

use serde_json::{Value, json};

/// A code of a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the names are those of a FHIR Coding")]
pub(super) struct Code {
    system: &'static str,
    code: &'static str,
    display: &'static str,
}

impl Code {
    /// As a `Coding`.
    pub(super) fn coding(self) -> Value {
        json!({"system": self.system, "code": self.code, "display": self.display})
    }

    /// As a `CodeableConcept`.
    pub(super) fn concept(self) -> Value {
        json!({"coding": [self.coding()]})
    }
}

const fn code(system: &'static str, code: &'static str, display: &'static str) -> Code {
    Code { system, code, display }
}

const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";

/// What recorded the event.
pub(super) const APPLICATION_SERVER: Code =
    code("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server");

/// What happened.
pub(super) mod event {
    use super::{Code, DCM, code};

    pub(in super::super) const REST: Code =
        code("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "RESTful Operation");
    pub(in super::super) const AUDIT_LOG_USED: Code = code(DCM, "110101", "Audit Log Used");
    pub(in super::super) const SECURITY_ALERT: Code = code(DCM, "110113", "Security Alert");
    pub(in super::super) const SECURITY_CONFIGURATION: Code = code(DCM, "110129", "Security Configuration");
    pub(in super::super) const SOFTWARE_CONFIGURATION: Code = code(DCM, "110131", "Software Configuration");
    pub(in super::super) const RECORDING_STOPPED: Code = code(DCM, "110133", "Audit Recording Stopped");
    pub(in super::super) const RECORDING_STARTED: Code = code(DCM, "110134", "Audit Recording Started");
    pub(in super::super) const DESTROY: Code = code(
        "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle",
        "destroy",
        "Destroy/Delete Record Lifecycle Event",
    );
}

/// What kind of call.
pub(super) mod interaction {
    use super::{Code, code};

    pub(in super::super) const OPERATION: Code =
        code("http://hl7.org/fhir/restful-interaction", "operation", "operation");
}

/// Who took part. In DICOM and IHE the client is the source, and the server the
/// destination, of the request.
pub(super) mod actor {
    use super::{Code, DCM, code};

    pub(in super::super) const APPLICATION: Code = code(DCM, "110150", "Application");
    pub(in super::super) const DESTINATION: Code = code(DCM, "110152", "Destination Role ID");
    pub(in super::super) const SOURCE: Code = code(DCM, "110153", "Source Role ID");
    pub(in super::super) const INFORMATION_RECIPIENT: Code =
        code("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", "information recipient");
}

/// What it was about.
pub(super) mod entity {
    use super::{Code, code};

    const TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";

    const REQUEST_ID_MEANS: &str = "transport specific unique identifier where http X-Request-Id is used";

    pub(in super::super) const PERSON: Code = code(TYPE, "1", "Person");
    pub(in super::super) const SYSTEM_OBJECT: Code = code(TYPE, "2", "System Object");
    pub(in super::super) const OTHER: Code = code(TYPE, "4", "Other");
    pub(in super::super) const REQUEST_ID: Code =
        code("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId", REQUEST_ID_MEANS);
}

/// What part it had.
pub(super) mod role {
    use super::{Code, code};

    const ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";

    pub(in super::super) const PATIENT: Code = code(ROLE, "1", "Patient");
    pub(in super::super) const SECURITY_RESOURCE: Code = code(ROLE, "13", "Security Resource");
    pub(in super::super) const QUERY: Code = code(ROLE, "24", "Query");
}
