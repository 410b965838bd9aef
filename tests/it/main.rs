//! Integration tests: one binary, since every further one costs a link.

mod architecture;
