//! Small packages on disk, for tests of a server that reloads.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use concord::api::proto::ruleset_service_client::RulesetServiceClient;
use concord::api::proto::{GetRulesetRequest, GetRulesetResponse};
use concord::diag::Files;
use concord::ruleset::signature::content_digest;
use tonic::transport::Channel;

use crate::server::Server;

/// Files by name.
pub type Package = Vec<(String, String)>;

/// A package whose every rule says which package it is of.
pub fn package(name: &str, version: &str) -> Package {
    let base = fs::read_to_string("tests/broken/base.yaml").unwrap().replace("1.0.0", version);
    let rule = |id: &str, conclusion: &str| {
        format!(
            "- id: {id}\n  title: {id} of {name}\n  {conclusion}\n  when: oud-present\n  statement: Said by {name}.\n  \
             evidence: [{{source: chou-2014, place: none}}]\n  strength: none\n"
        )
    };
    vec![
        ("base.yaml".to_owned(), base),
        (
            "rules.yaml".to_owned(),
            format!("rules:\n{}{}", rule("one", "recommend: methadone"), rule("two", "consider: buprenorphine")),
        ),
    ]
}

pub fn digest(package: &Package) -> String {
    content_digest(&Files::new(package.clone()).into())
}

/// Writes a package into a folder, each file beside its place and then over it.
pub fn write(dir: &Path, package: &Package) {
    for (name, text) in package {
        let beside = dir.join(format!(".{name}"));
        fs::write(&beside, text).unwrap();
        fs::rename(&beside, dir.join(name)).unwrap();
    }
}

/// A folder as Kubernetes mounts a ConfigMap: the files are links through
/// `..data`, which is a link to a generation and is replaced by the next.
pub struct ConfigMap {
    dir: tempfile::TempDir,
    generation: usize,
}

impl ConfigMap {
    pub fn new(package: &Package) -> Self {
        let mut map = Self { dir: tempfile::tempdir().unwrap(), generation: 0 };
        map.set(package);
        for (name, _) in package {
            symlink(Path::new("..data").join(name), map.dir.path().join(name)).unwrap();
        }
        map
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn set(&mut self, package: &Package) {
        let of = |generation: usize| PathBuf::from(format!("..generation-{generation}"));
        let before = self.path().join(of(self.generation));
        self.generation += 1;
        let now = of(self.generation);
        fs::create_dir(self.path().join(&now)).unwrap();
        for (name, text) in package {
            fs::write(self.path().join(&now).join(name), text).unwrap();
        }
        let link = self.path().join("..data_tmp");
        symlink(&now, &link).unwrap();
        fs::rename(&link, self.path().join("..data")).unwrap();
        let _ = fs::remove_dir_all(before);
    }
}

/// An overlay of such a package.
pub fn overlay(version: &str, qtc: &str) -> Package {
    let head = format!("{{name: north, version: {version}, title: North, developer: North, base: small}}");
    vec![("site.yaml".to_owned(), format!("overlay: {head}\nset: {{qtc_limit: {qtc}}}\n"))]
}

impl Server {
    pub fn with_rules(dir: &Path, settings: &[&str]) -> Self {
        let rules = format!("rules.dir={}", dir.display());
        Self::start(&[&[rules.as_str()], settings].concat())
    }

    pub fn hang_up(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    }
}

pub async fn get(rules: &mut RulesetServiceClient<Channel>) -> GetRulesetResponse {
    rules.get_ruleset(GetRulesetRequest {}).await.unwrap().into_inner()
}

/// Waits until the last attempt is as wanted.
pub async fn until(
    server: &Server,
    rules: &mut RulesetServiceClient<Channel>,
    wanted: impl Fn(&GetRulesetResponse) -> bool,
) -> GetRulesetResponse {
    for _ in 0..6000 {
        let now = get(rules).await;
        if wanted(&now) {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came: {:?}\n{}", get(rules).await.reload, server.log.lock().unwrap());
}
