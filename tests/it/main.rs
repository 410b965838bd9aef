//! Integration tests, in one binary: on two cores every further one costs a link.

mod architecture;
mod cases;
mod drain;
mod serve;
mod server;
mod standard;
mod traces;
