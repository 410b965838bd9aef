//! Integration tests: one binary, since every further one costs a link.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "helpers of tests say that something is wrong by panicking, as the tests do"
)]

mod architecture;
mod serve;
