//! Integration tests.

mod drain;
mod serve;
mod server;
mod standard;
mod traces;
