//! Program to decision, with its explanation (stand-in until the room is merged).

pub mod decision;
