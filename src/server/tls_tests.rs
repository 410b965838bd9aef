use rcgen::{CertificateParams, KeyPair};

use super::*;

fn pair() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let (cert, key) = pair();
        folder.write(&cert, &key);
        folder
    }

    fn write(&self, cert: &str, key: &str) {
        std::fs::write(self.0.path().join("cert"), cert).unwrap();
        std::fs::write(self.0.path().join("key"), key).unwrap();
    }

    fn files(&self) -> TlsFiles {
        TlsFiles { cert: self.0.path().join("cert"), key: self.0.path().join("key"), clients: None }
    }
}

#[test]
fn only_a_working_pair_replaces_a_working_pair() {
    let folder = Folder::new();
    let mut certificates = Certificates::load(folder.files(), false).unwrap();
    let mut seen = certificates.in_force.subscribe();
    let mut changes = |certificates: &mut Certificates| {
        certificates.look();
        let changed = seen.has_changed().unwrap();
        seen.mark_unchanged();
        changed
    };
    assert!(!changes(&mut certificates));
    let ((cert, key), (other, _)) = (pair(), pair());
    for (cert, key) in [(&other, &key), (&String::new(), &key), (&cert, &cert), (&"junk".to_owned(), &key)] {
        folder.write(cert, key);
        assert!(!changes(&mut certificates));
    }
    std::fs::remove_file(folder.files().key).unwrap();
    assert!(!changes(&mut certificates));
    folder.write(&cert, &key);
    assert!(changes(&mut certificates));
    assert!(!changes(&mut certificates));
}

#[test]
fn a_first_pair_that_does_not_work_names_its_key_and_file() {
    let folder = Folder::new();
    let refused = |files: TlsFiles| Certificates::load(files, false).err().unwrap().to_string();
    let ((cert, _), (_, key)) = (pair(), pair());
    folder.write(&cert, &key);
    assert!(refused(folder.files()).starts_with("tls.cert_file and tls.key_file: "));
    folder.write("", &key);
    assert!(refused(folder.files()).ends_with("cert: holds no certificate in PEM"));
    let missing = TlsFiles { key: "nowhere".into(), ..folder.files() };
    assert!(refused(missing).starts_with("tls.key_file: nowhere: "));
    let (cert, key) = pair();
    folder.write(&cert, &key);
    let clients = TlsFiles { clients: Some((folder.files().key, true)), ..folder.files() };
    assert!(refused(clients).starts_with("tls.client_ca_file: "));
}
