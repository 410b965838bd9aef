//! `concord descriptor-set`: the contract as a file.

use std::io::Write as _;

use super::{Exit, complain};
use crate::api::descriptors;

pub(super) fn run() -> Exit {
    match descriptors::published() {
        Ok(set) => {
            let mut out = std::io::stdout().lock();
            match out.write_all(&set).and_then(|()| out.flush()) {
                Ok(()) => Exit::Fine,
                // Half a file is none: whoever asked must learn of it.
                Err(error) => {
                    complain(format_args!("the descriptor set could not be written: {error}"));
                    Exit::Failed
                }
            }
        }
        Err(error) => {
            complain(format_args!("the descriptor set is damaged: {error}"));
            Exit::Failed
        }
    }
}
