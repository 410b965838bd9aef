//! Encryption, with certificates that change while the server runs.
//!
//! The files are read every `tls.poll` and at SIGHUP, and what counts is their
//! content: however a file is replaced, the change is seen. New connections get
//! the new certificates, old ones keep theirs. Files that don't make a working
//! whole, such as a certificate whose key is still to be written, replace
//! nothing.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, ServerConfig, WebPkiClientVerifier};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio_rustls::TlsAcceptor;

use super::ServeError;
use crate::config::TlsFiles;
use crate::telemetry::server::TlsMetrics;

/// Bytes of a file: more than any chain or list of authorities.
const FILE_BYTES: u64 = 1024 * 1024;

/// What a connection is encrypted with, as of now.
#[derive(Clone)]
pub struct Tls(watch::Receiver<Arc<ServerConfig>>);

/// Looks at the files.
pub struct Certificates {
    files: TlsFiles,
    protocols: Vec<Vec<u8>>,
    /// What the last attempt read, whether or not it could be used.
    read: Option<Read>,
    in_force: watch::Sender<Arc<ServerConfig>>,
    metrics: TlsMetrics,
}

/// The content of the files.
#[derive(Clone, PartialEq, Eq)]
struct Read {
    cert: Vec<u8>,
    key: Vec<u8>,
    clients: Option<Vec<u8>>,
}

impl Certificates {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// Where they can't be read, or don't make a working whole.
    pub fn load(files: TlsFiles, http1: bool) -> Result<Self, ServeError> {
        let mut protocols = vec![b"h2".to_vec()];
        if http1 {
            protocols.push(b"http/1.1".to_vec());
        }
        let read = read(&files).map_err(ServeError)?;
        let config = config(&files, &read, &protocols).map_err(ServeError)?;
        let (in_force, _) = watch::channel(Arc::new(config));
        Ok(Self { files, protocols, read: Some(read), in_force, metrics: TlsMetrics::new() })
    }

    /// What connections are encrypted with.
    #[must_use]
    pub fn tls(&self) -> Tls {
        Tls(self.in_force.subscribe())
    }

    /// Looks at the files for ever: every `poll`, and whenever `asked` yields.
    pub async fn run(mut self, poll: Duration, mut asked: impl AsyncFnMut()) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(poll) => {}
                () = asked() => {}
            }
            let looked = spawn_blocking(move || {
                self.look();
                self
            });
            let Ok(back) = looked.await else {
                tracing::error!("certificates are no longer reloaded");
                return std::future::pending().await;
            };
            self = back;
        }
    }

    /// One attempt. The same content is tried once.
    fn look(&mut self) {
        let read = match read(&self.files) {
            Ok(read) => read,
            Err(error) => {
                // Told once, however often it is found.
                if self.read.take().is_some() {
                    self.refused(&error);
                }
                return;
            }
        };
        if self.read.as_ref() == Some(&read) {
            return;
        }
        match config(&self.files, &read, &self.protocols) {
            Ok(config) => {
                self.in_force.send_replace(Arc::new(config));
                self.metrics.count("activated");
                tracing::info!("certificates replaced");
            }
            Err(error) => self.refused(&error),
        }
        self.read = Some(read);
    }

    fn refused(&self, error: &str) {
        self.metrics.count("refused");
        tracing::error!(error, "certificates can't be replaced; those in force stay");
    }
}

impl Tls {
    /// Accepts with what is in force now.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0.borrow()))
    }
}

fn read(files: &TlsFiles) -> Result<Read, String> {
    Ok(Read {
        cert: file("tls.cert_file", &files.cert)?,
        key: file("tls.key_file", &files.key)?,
        clients: files.clients.as_ref().map(|(path, _)| file("tls.client_ca_file", path)).transpose()?,
    })
}

fn file(key: &str, path: &Path) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map(|meta| meta.len());
    let bytes = size
        .and_then(|size| if size > FILE_BYTES { Err(io::ErrorKind::FileTooLarge.into()) } else { std::fs::read(path) });
    bytes.map_err(|error| format!("{key}: {}: {error}", path.display()))
}

fn certificates(key: &str, path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(format!("{key}: {}: holds no certificate in PEM", path.display())),
        Ok(chain) => Ok(chain),
        Err(error) => Err(format!("{key}: {}: {error}", path.display())),
    }
}

/// One library for the arithmetic, named here: a process that has two would
/// have to choose at the first handshake.
fn config(files: &TlsFiles, read: &Read, protocols: &[Vec<u8>]) -> Result<ServerConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let chain = certificates("tls.cert_file", &files.cert, &read.cert)?;
    let key = PrivateKeyDer::from_pem_slice(&read.key)
        .map_err(|error| format!("tls.key_file: {}: {error}", files.key.display()))?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match (&files.clients, &read.clients) {
        (Some((path, must)), Some(pem)) => {
            let fault = |error: &dyn std::fmt::Display| format!("tls.client_ca_file: {}: {error}", path.display());
            let mut roots = RootCertStore::empty();
            for authority in certificates("tls.client_ca_file", path, pem)? {
                roots.add(authority).map_err(|error| fault(&error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = if *must { verifier } else { verifier.allow_unauthenticated() };
            builder.with_client_cert_verifier(verifier.build().map_err(|error| fault(&error))?)
        }
        _ => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| format!("tls.cert_file and tls.key_file: {}: {error}", files.cert.display()))?;
    config.alpn_protocols = protocols.to_vec();
    // A session that is resumed is not verified again: whoever was refused
    // since would come back.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
