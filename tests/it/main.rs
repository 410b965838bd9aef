//! Integration tests, in one binary: on two cores every further one costs a link.
#![expect(
    clippy::expect_used,
    clippy::needless_pass_by_value,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test says that something is wrong by panicking, and its tables hold their values"
)]

mod admin;
mod architecture;
mod audit;
mod audit_crash;
mod audit_disk;
mod audit_erase;
mod audit_postgres;
mod audit_power;
mod audit_records;
mod audit_replay;
mod audit_service;
mod audit_tamper;
mod audited;
mod authority;
mod bad_input;
mod bad_package;
mod broken;
mod canaries;
mod canary;
mod cases;
mod catalog;
mod dashboards;
mod deck;
mod diagnoses;
mod dice;
mod diff;
mod disagreements;
mod disk;
mod drafts;
mod drain;
mod faults;
mod first_screen;
mod fuzz_corpus;
mod handbook;
mod http2;
mod identity;
mod invariants;
mod laws;
mod ledger;
mod lifecycle;
mod load;
mod matrix;
mod metrics;
mod open_deck;
mod overlay;
mod overload;
mod packages;
mod postgres;
mod protowire;
mod reload;
mod ruleset;
mod safety;
mod schema;
mod serve;
mod server;
mod standard;
mod startup;
mod telemetry;
mod theory;
mod tls;
mod traces;
mod tutorial;
mod web;
