//! `concord rules schema`: what editors complete and check YAML files by.

use super::super::{Exit, complain, print};
use super::json;
use crate::api::patient_schema;
use crate::rule::schema;

/// What a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum Document {
    /// A file of a rules package.
    Package,
    /// A file of a site's overlay.
    Overlay,
    /// A case of the package.
    Cases,
}

pub(super) fn run(of: Document) -> Exit {
    let schema = match of {
        Document::Package => schema::package(),
        Document::Overlay => schema::overlay(),
        Document::Cases => match patient_schema::definitions() {
            Ok(patient) => schema::cases(patient),
            Err(error) => {
                complain(error);
                return Exit::Failed;
            }
        },
    };
    if print(&json(&schema)) { Exit::Fine } else { Exit::Failed }
}
