//! Integration tests, in one binary: on two cores every further one costs a link.

mod cases;
mod serve;
