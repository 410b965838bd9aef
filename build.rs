//! Compiles the protobuf contract with a compiler written in Rust, so that a
//! build needs no `protoc`, and puts the shipped rules package into the binary.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    compile_protos(Path::new("proto"), &out)?;
    let rules = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("rules");
    embed(&rules, &out.join("embedded_rules.rs"))?;
    embed(&rules.join("cases"), &out.join("embedded_cases.rs"))?;
    Ok(())
}

/// Generates the messages and services, and writes `concord.bin`: the encoded
/// descriptor set with imports and comments. It stays encoded because decoding
/// it into `prost-types` would lose the custom option `rules`.
fn compile_protos(root: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files: Vec<PathBuf> = fs::read_dir(root.join("concord/v1"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    let mut compiler = protox::Compiler::new([root])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(&files)?;
    fs::write(out.join("concord.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure()
        .build_transport(false)
        .emit_rerun_if_changed(false)
        .out_dir(out)
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

/// Writes an expression of all files below a folder: `&[("name", include_str!("path")), …]`.
fn embed(root: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    yaml_files(root, root, &mut files)?;
    files.sort();
    let mut code = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
        writeln!(code, "({name:?}, include_str!({:?})),", file.to_string_lossy())?;
    }
    code.push(']');
    fs::write(out, code)?;
    Ok(())
}

/// Every `*.yaml` below a folder, `cases` aside: those are patients, not rules.
fn yaml_files(root: &Path, dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            if !(dir == root && path.ends_with("cases")) {
                yaml_files(root, &path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    Ok(())
}
