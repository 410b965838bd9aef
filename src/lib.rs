//! Concord: decision support for people with opioid use disorder and a co-occurring mental health disorder.
//!
//! Six floors; a module imports only from floors below.
//!
//! | floor | rooms | purpose |
//! | --- | --- | --- |
//! | 5 | `main.rs`, [`cli`] | words on a command line to calls, results to text |
//! | 4 | [`server`], [`admin`], [`deck`] | sockets, limits, drain, health; probes and metrics over HTTP; cases, and what they prove of a package |
//! | 3 | [`api`], [`handbook`], [`interop`] | protobuf to domain and back; a package as a book; records in forms of others |
//! | 2 | [`ruleset`], [`audit`], [`identity`] | load and activate a package; append and verify records; who calls |
//! | 1 | [`engine`], [`analysis`] | program to decision, with its explanation; questions about all patients |
//! | 0 | [`program`], [`rule`], [`clinical`], [`diag`], [`note`] | compiled form; rule language; codes, patient; diagnostics; signed notes |
//! | leaf | [`config`], [`telemetry`] | settings; logs, traces and metrics |

pub mod admin;
pub mod analysis;
pub mod api;
pub mod audit;
pub mod cli;
pub mod clinical;
pub mod config;
pub mod deck;
pub mod diag;
pub mod engine;
pub mod handbook;
pub mod identity;
pub mod interop;
pub mod note;
pub mod program;
pub mod rule;
pub mod ruleset;
pub mod server;
pub mod telemetry;
