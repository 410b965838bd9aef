//! The key set that tokens are verified with: from a file or a URL, looked at
//! again and again, and once more where a token names a key that it lacks. One
//! that can't be had or used leaves the last good one.

use std::fmt;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{Request, StatusCode, Uri, header};
use http_body::Body as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;

use crate::identity::jwks::{BYTES, KeySet};
use crate::telemetry::metrics::count_key_load;

/// For a whole look, the connection included.
const LOOK: Duration = Duration::from_secs(5);

/// Between two looks that callers lead to, and after one that failed.
const PAUSE: Duration = Duration::from_secs(10);

/// How long a call waits for a key that the set lacks.
const WAIT: Duration = Duration::from_secs(2);

/// Where the set is.
#[derive(Clone, Debug)]
pub enum Source {
    /// In a file.
    File(PathBuf),
    /// On a server.
    Url {
        /// `https`, or `http` and a loopback address.
        url: Uri,
        /// Authorities, PEM; none: those of the system.
        authorities: Option<PathBuf>,
    },
}

/// The set in use.
pub struct Keys {
    place: Place,
    refresh: Duration,
    set: RwLock<Option<Arc<KeySet>>>,
    last: Mutex<Option<Instant>>,
}

enum Place {
    File(PathBuf),
    Server { url: Uri, tls: Option<TlsConnector> },
}

/// Why there is no set. Holds nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysError(String);

impl fmt::Display for KeysError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for KeysError {}

impl fmt::Debug for Keys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Keys({:?})", self.current())
    }
}

impl Keys {
    /// Looks for the first time, and from then on again. A file must be there and
    /// hold a set; a server may be down, and is asked again.
    ///
    /// # Errors
    /// [`KeysError`], where the file or the authorities can't be used.
    pub async fn start(source: Source, refresh: Duration) -> Result<Arc<Self>, KeysError> {
        let place = match source {
            Source::File(path) => Place::File(path),
            Source::Url { url, authorities } => {
                let encrypted = url.scheme_str() == Some("https");
                let tls = encrypted.then(|| connector(authorities.as_deref())).transpose()?;
                Place::Server { url, tls }
            }
        };
        let must = matches!(place, Place::File(_));
        let keys = Arc::new(Self { place, refresh, set: RwLock::default(), last: Mutex::default() });
        let first = keys.look().await;
        if must {
            first.clone()?;
        }
        tokio::spawn(Arc::clone(&keys).run(first.is_ok()));
        Ok(keys)
    }

    /// The last good set.
    #[must_use]
    pub fn current(&self) -> Option<Arc<KeySet>> {
        self.set.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks once more for a caller, unless that was done a moment ago; waits for
    /// it no longer than a call can. The look itself goes on without its caller.
    pub async fn seek(self: &Arc<Self>) {
        let keys = Arc::clone(self);
        let look = tokio::spawn(async move {
            let mut last = keys.last.lock().await;
            if last.is_none_or(|last| last.elapsed() >= PAUSE) {
                *last = Some(Instant::now());
                let _ = keys.look().await;
            }
        });
        let _ = timeout(WAIT, look).await;
    }

    async fn run(self: Arc<Self>, mut fine: bool) {
        loop {
            sleep(if fine { self.refresh } else { self.refresh.min(PAUSE) }).await;
            fine = self.look().await.is_ok();
        }
    }

    async fn look(&self) -> Result<(), KeysError> {
        let read = match &self.place {
            Place::File(path) => read(path.clone()).await,
            Place::Server { url, tls } => timeout(LOOK, fetch(url, tls.as_ref()))
                .await
                .unwrap_or_else(|_| Err(KeysError("the server of the keys does not answer".to_owned()))),
        };
        let set = read.and_then(|text| KeySet::parse(&text).map_err(|fault| KeysError(format!("the set {fault}"))));
        count_key_load(set.is_ok());
        match set {
            Ok(set) => {
                tracing::debug!(keys = set.count(), "keys of tokens read");
                *self.set.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(set));
                Ok(())
            }
            Err(error) => {
                let kept = self.current().is_some();
                tracing::warn!(%error, kept, "keys of tokens can't be read; the last good ones are kept");
                Err(error)
            }
        }
    }
}

async fn read(path: PathBuf) -> Result<Vec<u8>, KeysError> {
    let name = path.display().to_string();
    let read = spawn_blocking(move || {
        let mut text = Vec::new();
        let most = u64::try_from(BYTES).unwrap_or(u64::MAX).saturating_add(1);
        std::fs::File::open(path)?.take(most).read_to_end(&mut text)?;
        Ok::<_, std::io::Error>(text)
    });
    match read.await {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(error)) => Err(KeysError(format!("{name}: {error}"))),
        Err(_) => Err(KeysError(format!("{name}: the read failed"))),
    }
}

/// Trusts the authorities of a file, or those of the system.
fn connector(file: Option<&Path>) -> Result<TlsConnector, KeysError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = file {
        let failed = |error: &dyn fmt::Display| KeysError(format!("{}: {error}", path.display()));
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))? {
            let certificate = certificate.map_err(|error| failed(&error))?;
            roots.add(certificate).map_err(|error| failed(&error))?;
        }
        if roots.is_empty() {
            return Err(failed(&"holds no certificate"));
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(KeysError("the system has no authorities to verify the server of the keys with".to_owned()));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| KeysError(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Follows no redirection: where the keys are is set.
async fn fetch(url: &Uri, tls: Option<&TlsConnector>) -> Result<Vec<u8>, KeysError> {
    let failed = |error: &dyn fmt::Display| KeysError(format!("the server of the keys: {error}"));
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = url.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
    let socket = TcpStream::connect((host.as_str(), port)).await.map_err(|error| failed(&error))?;
    match tls {
        None => {
            // What is set as plaintext is on this machine, whatever its name has become.
            let here = socket.peer_addr().is_ok_and(|peer| IpAddr::is_loopback(&peer.ip()));
            if !here {
                return Err(failed(&"is not on this machine, and the connection is not encrypted"));
            }
            get(url, socket).await
        }
        Some(tls) => {
            let name = ServerName::try_from(host).map_err(|error| failed(&error))?;
            let stream = tls.connect(name, socket).await.map_err(|error| failed(&error))?;
            get(url, stream).await
        }
    }
}

async fn get<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(url: &Uri, stream: S) -> Result<Vec<u8>, KeysError> {
    let failed = |error: &dyn fmt::Display| KeysError(format!("the server of the keys: {error}"));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
    let connection = tokio::spawn(connection);
    let request = Request::get(url.path_and_query().map_or("/", |path| path.as_str()))
        .header(header::HOST, url.authority().map_or("", |authority| authority.as_str()))
        .header(header::ACCEPT, "application/jwk-set+json, application/json")
        .body(String::new())
        .map_err(|error| failed(&error))?;
    let answer = sender.send_request(request).await.map_err(|error| failed(&error))?;
    if answer.status() != StatusCode::OK {
        return Err(failed(&format_args!("answered {}", answer.status().as_u16())));
    }
    let (mut text, mut body) = (Vec::new(), pin!(answer.into_body()));
    while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let frame = frame.map_err(|error| failed(&error))?;
        text.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        if text.len() > BYTES {
            break;
        }
    }
    connection.abort();
    Ok(text)
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
