//! A PostgreSQL server of the test's own: a cluster in a temporary directory, on
//! a free port of loopback and a socket in that directory, ended with the test.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where Debian and its kin put the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";

pub struct Cluster {
    dir: tempfile::TempDir,
    programs: PathBuf,
    /// It refuses to run as root.
    user: Option<String>,
    settings: Vec<String>,
    port: u16,
    child: Option<Child>,
}

fn programs() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(VERSIONS)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin")))
        })
        .collect();
    found.sort();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut folders = found.into_iter().rev().map(|(_, path)| path).chain(std::env::split_paths(&path));
    folders
        .find(|folder| ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).is_file()))
        .expect("PostgreSQL is missing: `apt-get install postgresql`, as `install_postgres` of scripts/lib.sh does")
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn id(option: &str, user: &str) -> u32 {
    output(Command::new("id").args([option, user])).parse().unwrap()
}

impl Cluster {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let known = |user: &&str| Command::new("id").arg(user).output().is_ok_and(|output| output.status.success());
        let root = dir.path().metadata().unwrap().uid() == 0;
        let user = root.then(|| ["postgres", "nobody"].into_iter().find(known).expect("a user other than root"));
        if let Some(user) = user {
            chown(dir.path(), Some(id("-u", user)), Some(id("-g", user))).unwrap();
        }
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let user = user.map(ToOwned::to_owned);
        let mut cluster = Self { dir, programs: programs(), user, settings: Vec::new(), port, child: None };
        let data = cluster.data();
        let mut command = cluster.program("initdb");
        command.arg("-D").arg(&data).args(["-U", "concord", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]);
        output(&mut command);
        // One user has to say who it is.
        let rules = data.join("pg_hba.conf");
        let trust = std::fs::read_to_string(&rules).unwrap();
        std::fs::write(&rules, format!("host all guarded all scram-sha-256\n{trust}")).unwrap();
        cluster.run();
        cluster
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A program of the server, run as the user that it runs as.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = match &self.user {
            None => Command::new(path),
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", user, "--regid", &id("-g", user).to_string(), "--clear-groups", "--"]);
                command.arg(path);
                command
            }
        };
        command.current_dir(self.dir.path()).env("LC_ALL", "C");
        command
    }

    /// Starts the server, and waits until it answers.
    pub fn run(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_file()).unwrap();
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(self.dir.path()).args(["-p", &self.port.to_string()]);
        command.args(["-c", "listen_addresses=127.0.0.1"]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        // `setpriv` becomes the server, so that this is the server's own process.
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let child = self.child.insert(child);
        let begun = Instant::now();
        loop {
            let ended = child.try_wait().unwrap();
            let told = || std::fs::read_to_string(self.dir.path().join("server.log")).unwrap_or_default();
            assert!(ended.is_none() && begun.elapsed() < Duration::from_mins(1), "PostgreSQL: {}", told());
            let mut ready = Command::new(self.programs.join("psql"));
            ready.arg("-h").arg(self.dir.path()).args([
                "-p",
                &self.port.to_string(),
                "-U",
                "concord",
                "-d",
                "postgres",
            ]);
            if ready.args(["-c", "SELECT 1"]).output().unwrap().status.success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn log_file(&self) -> PathBuf {
        self.dir.path().join("server.log")
    }

    /// Starts it again, with these settings.
    pub fn restart(&mut self, settings: &[&str]) {
        self.crash();
        self.settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        self.run();
    }

    /// Ends it at once, as `pg_ctl stop -m immediate` does: it has to recover.
    pub fn crash(&mut self) {
        if let Some(mut child) = self.child.take() {
            signal("-QUIT", &child.id().to_string());
            child.wait().unwrap();
        }
    }

    /// Runs statements, each on its own; what they print.
    pub fn sql(&self, database: &str, statements: &[&str]) -> String {
        let mut command = Command::new(self.programs.join("psql"));
        command.arg("-h").arg(self.dir.path()).args(["-p", &self.port.to_string(), "-U", "concord", "-d", database]);
        command.args(["-AtXq", "-v", "ON_ERROR_STOP=1"]);
        for statement in statements {
            command.args(["-c", statement]);
        }
        output(&mut command)
    }

    /// A database of this name, empty.
    pub fn database(&self, name: &str) -> String {
        self.sql("postgres", &[&format!("CREATE DATABASE {name}")]);
        self.url(name)
    }

    /// How a program reaches a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://concord@127.0.0.1:{}/{database}", self.port)
    }

    /// The same as another user, with a password.
    pub fn url_of(&self, user: &str, password: &str, database: &str) -> String {
        format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// The same over the socket.
    pub fn url_of_socket(&self, database: &str) -> String {
        format!("postgres:///{database}?user=concord&port={}&host={}", self.port, self.dir.path().display())
    }

    /// Does the file of a table hold this?
    pub fn holds(&self, database: &str, table: &str, bytes: &[u8]) -> bool {
        let path = self.sql(database, &["CHECKPOINT", &format!("SELECT pg_relation_filepath('{table}')")]);
        let content = std::fs::read(self.data().join(path)).unwrap();
        content.windows(bytes.len()).any(|window| window == bytes)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.crash();
    }
}

pub fn signal(name: &str, id: &str) {
    assert!(Command::new("kill").args([name, id]).status().unwrap().success(), "kill {name} {id}");
}
