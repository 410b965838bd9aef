//! Compiles the protobuf contract with a compiler written in Rust, so that a
//! build needs no `protoc`, and puts the shipped rules package into the binary.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto};

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
    let set = compiler.file_descriptor_set();
    let mut types = Types::default();
    for file in set.file.iter().filter(|file| file.package() == "concord.v1") {
        types.read(".concord.v1", "", &file.message_type, &file.enum_type);
    }
    fs::write(out.join("debug.rs"), types.debug)?;
    // `.` is every type: what holds a message prints its name alone, and enums,
    // which it takes along, are given theirs back.
    let mut config = tonic_prost_build::configure().skip_debug(["."]);
    for name in types.enums {
        config = config.enum_attribute(name, "#[derive(Debug)]");
    }
    config.build_transport(false).emit_rerun_if_changed(false).out_dir(out).compile_fds(set)?;
    Ok(())
}

/// The types that are generated.
#[derive(Default)]
struct Types {
    /// `Debug` of every message and every oneof: its name, and nothing of its
    /// content, so that no request or answer can slip into a log.
    debug: String,
    /// Full names of the enums.
    enums: Vec<String>,
}

impl Types {
    /// Takes messages and enums of one place: its full name in the contract, and
    /// the module that its types are generated in.
    fn read(&mut self, place: &str, module: &str, messages: &[DescriptorProto], enums: &[EnumDescriptorProto]) {
        self.enums.extend(enums.iter().map(|one| format!("{place}.{}", one.name())));
        for message in messages {
            let inner = format!("{module}{}::", snake(message.name()));
            self.prints_nothing(&format!("{module}{}", message.name()));
            let stated = |index: usize| {
                let of = |field: &&FieldDescriptorProto| field.oneof_index.and_then(|at| usize::try_from(at).ok());
                message.field.iter().any(|field| of(&field) == Some(index) && !field.proto3_optional())
            };
            for (_, oneof) in message.oneof_decl.iter().enumerate().filter(|(index, _)| stated(*index)) {
                self.prints_nothing(&format!("{inner}{}", camel(oneof.name())));
            }
            self.read(&format!("{place}.{}", message.name()), &inner, &message.nested_type, &message.enum_type);
        }
    }

    fn prints_nothing(&mut self, path: &str) {
        let name = path.rsplit("::").next().unwrap_or(path);
        self.debug.push_str(&format!(
            "impl ::core::fmt::Debug for {path} {{\n    fn fmt(&self, out: &mut ::core::fmt::Formatter<'_>) -> \
             ::core::fmt::Result {{\n        out.write_str(\"{name}(..)\")\n    }}\n}}\n"
        ));
    }
}

/// `GetRulesetResponse` as the module of its types: `get_ruleset_response`.
fn snake(name: &str) -> String {
    let mut text = String::new();
    for (index, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// `outcome_of` as the name of a type: `OutcomeOf`.
fn camel(name: &str) -> String {
    let word =
        |word: &str| word.char_indices().map(|(at, it)| if at == 0 { it.to_ascii_uppercase() } else { it }).collect();
    name.split('_').map(word).collect::<Vec<String>>().concat()
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
