//! Looks for markers in bytes: as they are, and in the encodings in which bytes usually travel.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::sites::{Mark, varint_of};

/// What every marker begins with. The site and the form follow.
pub const STEM: &str = "zq7xkvj9wq4hpm3bzf8u";

/// The same where only hexadecimal digits may stand.
pub const HEX_STEM: &str = "c4a7e1f09b3d58e26f1c";

/// Bytes that an unpacked stream may have.
const UNPACKED: u64 = 64 * 1024 * 1024;

/// Streams within streams.
const DEPTH: usize = 3;

/// Byte strings, found in one pass.
#[derive(Default)]
struct Index {
    needles: Vec<(Vec<u8>, String)>,
    /// Of each pair of first bytes, the needles that begin with it.
    heads: Vec<Vec<u32>>,
}

impl Index {
    fn add(&mut self, needle: Vec<u8>, what: &str) {
        assert!(needle.len() >= 5, "{what} is too short to be told from chance");
        self.heads.resize(1 << 16, Vec::new());
        self.heads[usize::from(needle[0]) << 8 | usize::from(needle[1])]
            .push(u32::try_from(self.needles.len()).unwrap());
        self.needles.push((needle, what.to_owned()));
    }

    fn find(&self, bytes: &[u8], mut found: impl FnMut(&str, usize)) {
        for at in 0..bytes.len().saturating_sub(1) {
            for needle in &self.heads[usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1])] {
                let (needle, what) = &self.needles[*needle as usize];
                if bytes[at..].starts_with(needle) {
                    found(what, at);
                }
            }
        }
    }
}

/// What was found where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    pub place: String,
    /// Encoding, and what is encoded.
    pub what: String,
    /// Where it stands, and what stands around it.
    pub around: String,
}

/// Looks for markers.
pub struct Scanner {
    exact: Index,
    /// On bytes in lower case without white space.
    folded: Index,
    dictionaries: Vec<Vec<u8>>,
    /// Bytes that were looked at, those that were unpacked included.
    pub searched: usize,
    pub hits: Vec<Hit>,
}

/// The forms of a text that survive lower case and the loss of white space.
fn foldable(text: &str) -> Vec<(&'static str, String)> {
    let each = |one: &dyn Fn(u8) -> String, between: &str| text.bytes().map(one).collect::<Vec<_>>().join(between);
    vec![
        ("as it is", text.to_ascii_lowercase()),
        ("hexadecimal", each(&|byte| format!("{byte:02x}"), "")),
        ("hexadecimal list", each(&|byte| format!("{byte:02x}"), ",")),
        ("hexadecimal list with prefix", each(&|byte| format!("0x{byte:02x}"), ",")),
        ("hexadecimal with colons", each(&|byte| format!("{byte:02x}"), ":")),
        ("decimal list", each(&|byte| byte.to_string(), ",")),
        ("percent", each(&|byte| format!("%{byte:02x}"), "")),
        ("JSON", each(&|byte| format!("\\u{byte:04x}"), "")),
        ("octal", each(&|byte| format!("\\{byte:03o}"), "")),
        ("escaped", each(&|byte| format!("\\x{byte:02x}"), "")),
        ("HTML", each(&|byte| format!("&#{byte};"), "")),
        ("HTML, hexadecimal", each(&|byte| format!("&#x{byte:x};"), "")),
    ]
}

/// The part of a text in base64 that does not depend on what is around it, at each of the three places in which it
/// can begin.
fn base64(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let all = [vec![0; before], bytes.to_vec()].concat();
        let (from, to) = ((before * 8).div_ceil(6), all.len() * 8 / 6);
        let (standard, safe) = (STANDARD_NO_PAD.encode(&all), URL_SAFE_NO_PAD.encode(&all));
        forms.push(("base64", standard.as_bytes()[from..to].to_vec()));
        if standard != safe {
            forms.push(("base64, URL-safe", safe.as_bytes()[from..to].to_vec()));
        }
    }
    forms
}

impl Scanner {
    pub fn new() -> Self {
        let (exact, folded) = (Index::default(), Index::default());
        let mut scanner = Self { exact, folded, dictionaries: Vec::new(), searched: 0, hits: Vec::new() };
        // The beginning too: of some forms no more fits.
        for stem in [STEM, &STEM[..8], HEX_STEM] {
            scanner.text(stem, stem);
        }
        let raw: Vec<u8> = HEX_STEM
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        scanner.exact.add(raw, "digest, bytes");
        scanner
    }

    fn text(&mut self, text: &str, of: &str) {
        for (form, needle) in foldable(text) {
            self.folded.add(needle.into_bytes(), &format!("{form}: {of}"));
        }
        for (form, needle) in base64(text.as_bytes()) {
            self.exact.add(needle, &format!("{form}: {of}"));
        }
        for text in [text.to_owned(), text.to_uppercase()] {
            self.exact.add(text.bytes().flat_map(|byte| [byte, 0]).collect(), &format!("UTF-16LE: {of}"));
            self.exact.add(text.bytes().flat_map(|byte| [0, byte]).collect(), &format!("UTF-16BE: {of}"));
        }
    }

    /// Looks for a marker besides the stems: a number or a date in its forms, and of any text the plain hash, against
    /// which guesses can be held.
    pub fn mark(&mut self, mark: &Mark, of: &str) {
        match mark {
            Mark::Text(text) => self.hash_of(text.as_bytes(), of),
            Mark::Date(parts) => parts.iter().for_each(|part| self.text(part, of)),
            Mark::Whole(value) => {
                self.text(&value.to_string(), of);
                let packed = varint_of(*value);
                // Shorter ones turn up by chance in what is sealed.
                if packed.len() >= 8 {
                    self.exact.add(packed, &format!("varint: {of}"));
                }
            }
            Mark::Real(value) => {
                if !value.is_nan() {
                    self.text(&value.to_string(), of);
                }
                for (order, bytes) in [("little", value.to_le_bytes()), ("big", value.to_be_bytes())] {
                    self.exact.add(bytes.to_vec(), &format!("double, {order}-endian: {of}"));
                    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                    self.folded.add(hex.into_bytes(), &format!("double, {order}-endian, hexadecimal: {of}"));
                }
            }
        }
    }

    /// Looks for the plain hash of bytes.
    pub fn hash_of(&mut self, bytes: &[u8], of: &str) {
        let hash = Sha256::digest(bytes);
        self.folded.add(
            hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes(),
            &format!("SHA-256, hexadecimal: {of}"),
        );
        self.exact.add(STANDARD_NO_PAD.encode(hash).into_bytes(), &format!("SHA-256, base64: {of}"));
        self.exact.add(hash.to_vec(), &format!("SHA-256: {of}"));
    }

    /// A dictionary with which bytes may be packed.
    pub fn dictionary(&mut self, bytes: Vec<u8>) {
        self.dictionaries.push(bytes);
    }

    pub fn needles(&self) -> usize {
        self.exact.needles.len() + self.folded.needles.len()
    }

    pub fn scan(&mut self, place: &str, bytes: &[u8]) {
        self.scan_to(place, bytes, DEPTH);
    }

    fn scan_to(&mut self, place: &str, bytes: &[u8], depth: usize) {
        self.searched += bytes.len();
        let mut hits = Vec::new();
        let mut found = |what: &str, bytes: &[u8], at: usize| {
            let around = String::from_utf8_lossy(&bytes[at.saturating_sub(80)..bytes.len().min(at + 120)]).into_owned();
            hits.push(Hit { place: place.to_owned(), what: what.to_owned(), around: format!("{at}: {around:?}") });
        };
        self.exact.find(bytes, |what, at| found(what, bytes, at));
        let folded: Vec<u8> =
            bytes.iter().filter(|byte| !byte.is_ascii_whitespace()).map(u8::to_ascii_lowercase).collect();
        self.folded.find(&folded, |what, at| found(what, &folded, at));
        self.hits.extend(hits);
        if depth > 0 {
            for (at, packed) in bytes.windows(4).enumerate() {
                let rest = &bytes[at..];
                let unpacked = match packed {
                    [0x1f, 0x8b, 0x08, _] => vec![unpack(flate2::read::GzDecoder::new(rest))],
                    [0x28, 0xb5, 0x2f, 0xfd] => self.unzstd(rest),
                    _ => continue,
                };
                for (number, inner) in unpacked.iter().enumerate().filter(|(_, inner)| !inner.is_empty()) {
                    self.scan_to(&format!("{place}, unpacked at {at} ({number})"), inner, depth - 1);
                }
            }
        }
    }

    fn unzstd(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let plain = zstd::stream::read::Decoder::new(bytes).map(|decoder| unpack(decoder.single_frame()));
        let with = self.dictionaries.iter().map(|dictionary| {
            zstd::stream::read::Decoder::with_dictionary(bytes, dictionary)
                .map(|decoder| unpack(decoder.single_frame()))
        });
        std::iter::once(plain).chain(with).flatten().collect()
    }
}

/// What can be read of a stream; what is after a fault is not.
fn unpack(stream: impl std::io::Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = stream.take(UNPACKED).read_to_end(&mut bytes);
    bytes
}
