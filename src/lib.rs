//! Concord: decision support for people with opioid use disorder and a co-occurring mental health disorder.
//!
//! Six floors; a module imports only from floors below.
//!
//! | floor | rooms | purpose |
//! | --- | --- | --- |
//! | 5 | `main.rs`, [`cli`] | words on a command line to calls, results to text |
//! | 4 | [`server`] | sockets, limits, drain, health |
//! | 3 | [`api`], [`handbook`] | protobuf to domain and back; a package as a book |
//! | 2 | [`ruleset`] | load and activate a package |
//! | 1 | [`engine`], [`analysis`] | program to decision, with its explanation; questions about all patients |
//! | 0 | [`program`], [`rule`], [`clinical`], [`diag`] | compiled form; rule language; codes, patient; diagnostics |
//! | leaf | [`config`], [`telemetry`] | settings; logs and traces |

pub mod analysis;
pub mod api;
pub mod cli;
pub mod clinical;
pub mod config;
pub mod diag;
pub mod engine;
pub mod handbook;
pub mod program;
pub mod rule;
pub mod ruleset;
pub mod server;
pub mod telemetry;
