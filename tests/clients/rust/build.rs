//! Generates the client from the contract, with a compiler written in Rust: no `protoc` is needed.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true);
    for file in ["audit_service", "decision_service", "ruleset_service"] {
        compiler.open_file(root.join(format!("concord/v1/{file}.proto")))?;
    }
    // For the test, which reads requests as JSON.
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("concord.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure().build_server(false).compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
