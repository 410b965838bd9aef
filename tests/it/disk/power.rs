//! The disk as it may be after a power loss.
//!
//! What a completed sync covered is there. Of anything else, each sector of 512 bytes is as it was after the sync or
//! after any write since, or torn between two of these; the length of a file is any that it had; a name that was
//! made, moved or removed in a directory that was not synced since is as before or as after, each for itself.
//!
//! A sync that fails has the kernel forget that what it covered was never written: no later sync makes it durable,
//! only another write of the same sector does.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

const SECTOR: usize = 512;
const HEADER: usize = 56;

/// Files and what is in them.
pub type Image = BTreeMap<PathBuf, Vec<u8>>;

/// What was done to a directory, in order.
pub struct Trace {
    /// What was there before, durably.
    pub base: Image,
    pub records: Vec<Record>,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Record {
    pub file: u64,
    pub done: Done,
}

/// What it was.
#[derive(Clone, Debug)]
pub enum Done {
    Create(PathBuf),
    Open(PathBuf),
    Write { offset: usize, data: Vec<u8> },
    Truncate(usize),
    Begin(PathBuf),
    End { begin: usize, fine: bool },
    Rename { from: PathBuf, to: PathBuf },
    Unlink(PathBuf),
    Link { from: PathBuf, to: PathBuf },
    MakeDirectory(PathBuf),
}

impl Trace {
    pub fn read(path: &Path) -> Self {
        let bytes = fs::read(path).expect("the trace");
        let mut records = Vec::new();
        let mut rest = bytes.as_slice();
        while rest.len() >= HEADER {
            let word = |at: usize| u64::from_le_bytes(rest[at..at + 8].try_into().expect("eight bytes"));
            let half = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().expect("four bytes")) as usize;
            let (length, name) = (half(0), half(48));
            // A process that is killed between a record and its number leaves the number to the next one. What it was
            // about to do was answered to no one, and the next one settles the log before it answers.
            if usize::try_from(word(8)).is_ok_and(|number| number + 1 == records.len()) {
                records.pop();
            }
            assert_eq!(usize::try_from(word(8)), Ok(records.len()), "a record is missing");
            assert_eq!(length, HEADER + name + half(52));
            if rest.len() < length {
                break;
            }
            let path = |range: Range<usize>| PathBuf::from(String::from_utf8_lossy(&rest[range]).into_owned());
            let (first, second) = (HEADER..HEADER + name, HEADER + name..length);
            let size = |at: usize| usize::try_from(word(at)).expect("a length");
            let done = match half(4) {
                1 => Done::Create(path(first)),
                2 => Done::Open(path(first)),
                3 => Done::Write { offset: size(32), data: rest[second].to_vec() },
                4 => Done::Truncate(size(32)),
                5 => Done::Begin(path(first)),
                6 => Done::End { begin: size(32), fine: word(40) == 0 },
                7 => Done::Rename { from: path(first), to: path(second) },
                8 => Done::Unlink(path(first)),
                9 => Done::Link { from: path(first), to: path(second) },
                10 => Done::MakeDirectory(path(first)),
                other => panic!("an operation {other}"),
            };
            records.push(Record { file: word(24), done });
            rest = &rest[length..];
        }
        Self { base: Image::new(), records }
    }

    /// The files after a power loss before the operation `at`, one of the ways that they may be.
    pub fn image(&self, at: usize, seed: u64) -> Image {
        let mut image = Image::new();
        self.images(&[(at, seed)], |_, one| image = one);
        image
    }

    /// The same of many points, which are in order.
    pub fn images(&self, points: &[(usize, u64)], mut each: impl FnMut(usize, Image)) {
        let (mut disk, mut done) = (Model::new(&self.base), 0);
        for &(at, seed) in points {
            for (number, record) in self.records.iter().enumerate().take(at).skip(done) {
                disk.apply(number, record, &self.records);
            }
            done = done.max(at);
            each(at, disk.lose(&mut Chance(seed)));
        }
    }
}

/// Writes an image to an empty directory. Modes are not in the trace: all is its owner's alone.
pub fn write(image: &Image, folder: &Path) {
    for (path, content) in image {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).expect("a file");
        file.write_all(content).expect("the file");
    }
}

/// A value that something unsynced may leave behind.
struct Version<T> {
    number: usize,
    value: T,
    /// A sync of it failed: no later one settles it.
    forgotten: bool,
}

/// A value on the disk, and those that it may have instead.
struct Cell<T> {
    durable: T,
    versions: Vec<Version<T>>,
}

impl<T: Clone> Cell<T> {
    fn new(durable: T) -> Self {
        Self { durable, versions: Vec::new() }
    }

    fn write(&mut self, number: usize, value: T) {
        self.versions.push(Version { number, value, forgotten: false });
    }

    fn sync(&mut self, begin: usize, fine: bool) {
        if !fine {
            self.versions.iter_mut().filter(|one| one.number < begin).for_each(|one| one.forgotten = true);
        } else if let Some(last) = self.versions.iter().rposition(|one| one.number < begin && !one.forgotten) {
            self.durable = self.versions[last].value.clone();
            self.versions.drain(..=last);
        }
    }

    /// What it is where nothing after `number` came to the disk.
    fn until(&self, number: usize) -> T {
        self.versions.iter().rev().find(|one| one.number <= number).map_or(&self.durable, |one| &one.value).clone()
    }

    fn any(&self, chance: &mut Chance) -> T {
        match chance.below(self.versions.len() + 1) {
            0 => self.durable.clone(),
            one => self.versions[one - 1].value.clone(),
        }
    }
}

struct Content {
    /// As the process sees it.
    seen: Vec<u8>,
    sectors: Vec<Cell<[u8; SECTOR]>>,
    length: Cell<usize>,
}

impl Content {
    fn new(durable: &[u8]) -> Self {
        let mut new = Self { seen: durable.to_vec(), sectors: Vec::new(), length: Cell::new(durable.len()) };
        new.sectors = (0..durable.len().div_ceil(SECTOR)).map(|one| Cell::new(new.sector(one))).collect();
        new
    }

    fn sector(&self, number: usize) -> [u8; SECTOR] {
        let mut sector = [0; SECTOR];
        let from = self.seen.get(number * SECTOR..).unwrap_or_default();
        let length = from.len().min(SECTOR);
        sector[..length].copy_from_slice(&from[..length]);
        sector
    }

    fn touched(&mut self, number: usize, bytes: Range<usize>) {
        for sector in bytes.start / SECTOR..bytes.end.div_ceil(SECTOR) {
            while self.sectors.len() <= sector {
                self.sectors.push(Cell::new([0; SECTOR]));
            }
            let value = self.sector(sector);
            self.sectors[sector].write(number, value);
        }
        self.length.write(number, self.seen.len());
    }

    fn write(&mut self, number: usize, offset: usize, data: &[u8]) {
        let end = offset + data.len();
        if self.seen.len() < end {
            self.seen.resize(end, 0);
        }
        self.seen[offset..end].copy_from_slice(data);
        self.touched(number, offset..end);
    }

    fn truncate(&mut self, number: usize, length: usize) {
        let before = self.seen.len();
        self.seen.resize(length, 0);
        self.touched(number, length.min(before)..before);
    }

    fn sync(&mut self, begin: usize, fine: bool) {
        self.sectors.iter_mut().for_each(|one| one.sync(begin, fine));
        self.length.sync(begin, fine);
    }

    fn lose(&self, chance: &mut Chance) -> Vec<u8> {
        let numbers: Vec<usize> = self.length.versions.iter().map(|one| one.number).collect();
        let cut = match chance.below(8) {
            0 => Some(0),
            1 => Some(usize::MAX),
            // The last write that came to the disk; of it and all others the whole.
            2 if !numbers.is_empty() => Some(numbers[chance.below(numbers.len())]),
            _ => None,
        };
        let length = cut.map_or_else(|| self.length.any(chance), |cut| self.length.until(cut));
        let mut content: Vec<u8> = Vec::with_capacity(self.sectors.len() * SECTOR);
        for cell in &self.sectors {
            let mut sector = cut.map_or_else(|| cell.any(chance), |cut| cell.until(cut));
            if cut.is_none() && !cell.versions.is_empty() && chance.below(4) == 0 {
                let torn = chance.below(SECTOR);
                sector[torn..].copy_from_slice(&cell.any(chance)[torn..]);
            }
            content.extend(sector);
        }
        content.resize(length, 0);
        content
    }
}

/// Names of one directory, and to which objects they lead.
type Names = BTreeMap<PathBuf, usize>;

/// A change of names that is whole or is not.
struct Change {
    number: usize,
    sets: Vec<(PathBuf, Option<usize>)>,
}

struct Model {
    objects: Vec<Content>,
    /// From the number of a file to what has it now.
    current: BTreeMap<u64, usize>,
    durable: Names,
    seen: Names,
    /// Objects that are directories.
    directories: Vec<usize>,
    changes: Vec<Change>,
}

impl Model {
    fn new(base: &Image) -> Self {
        let mut new = Self {
            objects: Vec::new(),
            current: BTreeMap::new(),
            durable: Names::new(),
            seen: Names::new(),
            directories: Vec::new(),
            changes: Vec::new(),
        };
        for (path, content) in base {
            new.objects.push(Content::new(content));
            new.durable.insert(path.clone(), new.objects.len() - 1);
        }
        new.seen = new.durable.clone();
        new
    }

    fn fresh(&mut self, file: u64) -> usize {
        self.objects.push(Content::new(&[]));
        self.current.insert(file, self.objects.len() - 1);
        self.objects.len() - 1
    }

    fn change(&mut self, number: usize, sets: Vec<(PathBuf, Option<usize>)>) {
        for (path, object) in &sets {
            set(&mut self.seen, path, *object);
        }
        self.changes.push(Change { number, sets });
    }

    fn object(&mut self, file: u64) -> &mut Content {
        &mut self.objects[self.current[&file]]
    }

    fn apply(&mut self, number: usize, record: &Record, all: &[Record]) {
        match &record.done {
            Done::Create(path) => {
                let object = self.fresh(record.file);
                self.change(number, vec![(path.clone(), Some(object))]);
            }
            Done::MakeDirectory(path) => {
                let object = self.fresh(record.file);
                self.directories.push(object);
                self.change(number, vec![(path.clone(), Some(object))]);
            }
            Done::Open(path) => {
                let object = self.seen[path];
                self.current.insert(record.file, object);
            }
            Done::Write { offset, data } => self.object(record.file).write(number, *offset, data),
            Done::Truncate(length) => self.object(record.file).truncate(number, *length),
            Done::Begin(_) => {}
            Done::End { begin, fine } => {
                let Done::Begin(path) = &all[*begin].done else { panic!("a sync that never began") };
                let directory = self.current.get(&record.file).is_none_or(|one| self.directories.contains(one));
                match (directory, *fine) {
                    (true, true) => self.sync_names(path, *begin),
                    // Names are in the journal of the file system, which forgets nothing.
                    (true, false) => {}
                    (false, fine) => self.object(record.file).sync(*begin, fine),
                }
            }
            Done::Rename { from, to } => {
                let object = self.seen[from];
                self.change(number, vec![(to.clone(), Some(object)), (from.clone(), None)]);
            }
            Done::Link { from, to } => {
                let object = self.seen[from];
                self.change(number, vec![(to.clone(), Some(object))]);
            }
            Done::Unlink(path) => self.change(number, vec![(path.clone(), None)]),
        }
    }

    /// A change over two directories is settled by a sync of either.
    fn sync_names(&mut self, directory: &Path, begin: usize) {
        let inside = |change: &Change| change.sets.iter().any(|(path, _)| path.parent() == Some(directory));
        let (settled, open) =
            std::mem::take(&mut self.changes).into_iter().partition(|one| one.number < begin && inside(one));
        self.changes = open;
        for (path, object) in Vec::<Change>::into_iter(settled).flat_map(|one| one.sets) {
            set(&mut self.durable, &path, object);
        }
    }

    fn lose(&self, chance: &mut Chance) -> Image {
        let mut names = self.durable.clone();
        for change in &self.changes {
            if chance.below(2) == 0 {
                change.sets.iter().for_each(|(path, object)| set(&mut names, path, *object));
            }
        }
        let known = |path: &Path| path.as_os_str().is_empty() || names.contains_key(path) || !self.made(path);
        let mut image = Image::new();
        for (path, object) in &names {
            if self.directories.contains(object) || !path.ancestors().skip(1).all(known) {
                continue;
            }
            let memory = path.to_string_lossy().ends_with("-shm");
            // What is shared in memory has no order on the disk at all.
            let content = if memory { chance.bytes(32 * 1024) } else { self.objects[*object].lose(chance) };
            image.insert(path.clone(), content);
        }
        image
    }

    /// Whether the directory is one that the trace saw made.
    fn made(&self, path: &Path) -> bool {
        let all = self.changes.iter().flat_map(|one| &one.sets).any(|(one, _)| one == path);
        all || self.seen.contains_key(path)
    }
}

fn set(names: &mut Names, path: &Path, object: Option<usize>) {
    match object {
        Some(object) => names.insert(path.to_owned(), object),
        None => names.remove(path),
    };
}

/// Numbers that only look like chance: SplitMix64.
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("a number")
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}
