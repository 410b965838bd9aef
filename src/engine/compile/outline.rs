//! Small helpers for outlines.

use crate::engine::program::{NodeId, Outline, Shape};

/// A part without parts.
pub fn leaf(text: String, node: NodeId) -> Outline {
    Outline { text, node, shape: Shape::Leaf, parts: Vec::new() }
}
