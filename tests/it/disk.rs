//! A disk that fails when it is told to and remembers what was done to it: `tests/disk/disk.c` before a process, and
//! what can be asked and told of it. `power` makes of what it remembers the disk after a power loss.

pub mod power;
mod proof;

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ENOSPC of writes and of what creates or lengthens.
    NoSpace = 1,
    /// EROFS of everything but reads.
    ReadOnly = 2,
    /// EIO of every call of the class.
    IoError = 3,
    /// EDQUOT, where `NoSpace` has ENOSPC.
    Quota = 4,
    /// Half is written, and ENOSPC follows.
    ShortWrite = 5,
    /// EIO of syncs.
    FailedSync = 6,
    /// The process ends, as by `kill -9`, between two calls.
    Kill = 7,
}

/// Calls that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// All but reads.
    All = 0,
    Write = 1,
    Sync = 2,
    Truncate = 3,
    /// Renames, removals, links, directories made.
    Name = 5,
    Read = 6,
}

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub kind: Kind,
    pub class: Class,
    /// First call of the class at which it can happen, counted from 1 since the disk was made.
    pub from: u64,
    /// How often it happens; 0: until it is cleared.
    pub times: u64,
}

const RECORDS: u64 = 2;
const KIND: u64 = 3;
const CLASS: u64 = 4;
const FROM: u64 = 5;
const TIMES: u64 = 6;
const FIRED: u64 = 7;
const COUNTS: u64 = 8;

/// One directory as the library watches it.
pub struct Disk {
    folder: PathBuf,
    path: PathBuf,
    control: File,
    trace: Option<PathBuf>,
}

impl Disk {
    /// Watches `folder`; what it needs itself is kept in `beside`, which is not below `folder`.
    pub fn new(folder: &Path, beside: &Path, traced: bool) -> Self {
        let path = beside.join("control");
        let mut words = vec![0; 4096];
        words[..8].copy_from_slice(b"CONCDSK1");
        fs::write(&path, words).expect("the control file");
        let control = OpenOptions::new().read(true).write(true).open(&path).expect("the control file");
        let folder = folder.canonicalize().expect("the folder");
        Self { folder, path, control, trace: traced.then(|| beside.join("trace")) }
    }

    /// Puts the library before a program that has yet to be started.
    pub fn before(&self, command: &mut Command) {
        command.env("LD_PRELOAD", library()).env("CONCORD_DISK_DIR", &self.folder);
        command.env("CONCORD_DISK_CONTROL", &self.path).env_remove("CONCORD_DISK_TRACE");
        if let Some(trace) = &self.trace {
            command.env("CONCORD_DISK_TRACE", trace);
        }
    }

    pub fn arm(&self, fault: Fault) {
        self.set(KIND, 0);
        self.set(FIRED, 0);
        self.set(CLASS, fault.class as u64);
        self.set(FROM, fault.from);
        self.set(TIMES, fault.times);
        self.set(KIND, fault.kind as u64);
    }

    pub fn clear(&self) {
        self.set(KIND, 0);
    }

    /// How often the fault happened.
    pub fn fired(&self) -> u64 {
        self.get(FIRED)
    }

    pub fn count(&self, class: Class) -> u64 {
        self.get(COUNTS + class as u64)
    }

    /// Records in the trace. What was answered when there were n rests on the first n only.
    pub fn records(&self) -> usize {
        usize::try_from(self.get(RECORDS)).expect("a number of records")
    }

    pub fn trace(&self) -> power::Trace {
        power::Trace::read(self.trace.as_ref().expect("a disk that is traced"))
    }

    fn get(&self, word: u64) -> u64 {
        let mut bytes = [0; 8];
        self.control.read_exact_at(&mut bytes, word * 8).expect("the control file");
        u64::from_le_bytes(bytes)
    }

    fn set(&self, word: u64, value: u64) {
        self.control.write_all_at(&value.to_le_bytes(), word * 8).expect("the control file");
    }
}

/// The library, built once.
pub fn library() -> &'static Path {
    static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        // Tests of several processes may build it at once: each its own, and the last one's stays.
        let (own, library) = (folder.join(format!("libdisk-{}.so", std::process::id())), folder.join("libdisk.so"));
        let built = Command::new("cc")
            .args(["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
            .args([&own, &root.join("tests/disk/disk.c")])
            .args(["-ldl", "-lpthread"])
            .output()
            .expect("cc is needed: it builds the disk that fails");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        fs::rename(own, &library).expect("the library");
        library
    });
    &LIBRARY
}
