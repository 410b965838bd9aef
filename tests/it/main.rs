//! Integration tests.

mod serve;
mod server;
mod traces;
