//! Concepts (stand-in until the room is merged).

use serde::Serialize;

/// A value set.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ConceptDef {
    /// Id.
    pub id: String,
}
