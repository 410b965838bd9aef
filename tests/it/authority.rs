//! Certificates of the tests' own, and channels that are encrypted with them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// Signs certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, PEM.
#[derive(Clone)]
pub struct Pair {
    pub cert: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for names: of hosts, or `spiffe://…`.
    pub fn signs(&self, names: &[&str]) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        for name in names {
            let text = (*name).try_into().unwrap();
            params.subject_alt_names.push(if name.starts_with("spiffe:") {
                rcgen::SanType::URI(text)
            } else {
                rcgen::SanType::DnsName(text)
            });
        }
        let cert = params.signed_by(&key, &self.0).unwrap().pem();
        Pair { cert, key: key.serialize_pem() }
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Encrypts for who trusts this one, and may show a certificate.
    pub fn client(&self, shows: Option<&Pair>) -> Secure {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match shows {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let chain = CertificateDer::pem_slice_iter(pair.cert.as_bytes()).map(Result::unwrap).collect();
                let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Secure { config: Arc::new(config), shown: Arc::default() }
    }
}

/// Makes connections, and notes the certificates that servers show.
#[derive(Clone)]
pub struct Secure {
    pub config: Arc<ClientConfig>,
    pub shown: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Secure {
    pub async fn connect(&self, address: &str) -> Result<Channel, tonic::transport::Error> {
        let (of, address) = (self.clone(), address.to_owned());
        let connector = tower::service_fn(move |_| {
            let (of, address) = (of.clone(), address.clone());
            async move {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                let name = ServerName::try_from("localhost").unwrap();
                let stream = TlsConnector::from(of.config).connect(name, stream).await?;
                let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
                of.shown.lock().unwrap().push(shown);
                Ok::<_, std::io::Error>(TokioIo::new(stream))
            }
        });
        Endpoint::from_static("http://localhost").connect_with_connector(connector).await
    }

    /// A channel to a server that serves.
    pub async fn channel(&self, address: &str) -> Channel {
        let channel = self.connect(address).await.unwrap();
        let mut health = HealthClient::new(channel.clone());
        for _ in 0..1_200 {
            let answer = health.check(HealthCheckRequest { service: String::new() }).await.unwrap();
            if answer.into_inner().status() == ServingStatus::Serving {
                return channel;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server never served");
    }
}

/// Files of a server.
pub struct Files(tempfile::TempDir);

impl Files {
    pub fn new(pair: &Pair) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.write(pair);
        files
    }

    /// The certificate first: in between, the two don't fit.
    pub fn write(&self, pair: &Pair) {
        std::fs::write(self.path("cert.pem"), &pair.cert).unwrap();
        std::fs::write(self.path("key.pem"), &pair.key).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Settings that name the pair.
    pub fn settings(&self) -> Vec<String> {
        vec![set("tls.cert_file", &self.path("cert.pem")), set("tls.key_file", &self.path("key.pem"))]
    }
}

pub fn set(key: &str, path: &Path) -> String {
    format!("{key}={}", path.display())
}
