//! Integration tests.

mod serve;
