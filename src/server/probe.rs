//! Asks a server on this machine for its health, as a client would.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Uri};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tonic::body::Body;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tower::service_fn;

use crate::config::TlsFiles;

/// Is `service` of the server at `address` SERVING? With `tls`, the call is
/// encrypted and shows the server's own certificate, for servers that want one.
///
/// # Errors
/// Why there is no answer, in words.
pub async fn serving(
    address: SocketAddr,
    service: &str,
    tls: Option<&TlsFiles>,
    patience: Duration,
) -> Result<bool, String> {
    match timeout(patience, ask(address, service, tls)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer in {patience:?}")),
    }
}

async fn ask(address: SocketAddr, service: &str, tls: Option<&TlsFiles>) -> Result<bool, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let Some(files) = tls else {
        return check(stream, service).await;
    };
    let connector = TlsConnector::from(Arc::new(client(files)?));
    let stream = connector.connect(ServerName::IpAddress(address.ip().into()), stream).await;
    check(stream.map_err(|error| error.to_string())?, service).await
}

async fn check<S>(stream: S, service: &str) -> Result<bool, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (send, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .map_err(|error: hyper::Error| error.to_string())?;
    tokio::spawn(connection);
    let calls = service_fn(move |request: Request<Body>| {
        let mut send = send.clone();
        async move { send.send_request(request).await }
    });
    let mut health = HealthClient::with_origin(calls, Uri::from_static("http://localhost"));
    let answer = health.check(HealthCheckRequest { service: service.to_owned() }).await;
    match answer {
        Ok(answer) => Ok(answer.into_inner().status() == ServingStatus::Serving),
        Err(status) => Err(status.message().to_owned()),
    }
}

fn client(files: &TlsFiles) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let chain = CertificateDer::pem_file_iter(&files.cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| format!("tls.cert_file: {error}"))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| format!("tls.key_file: {error}"))?;
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Itself(provider)))
        .with_client_auth_cert(chain, key)
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// Takes whatever certificate the server shows. The check is of this machine,
/// by an address that certificates seldom name; it sends nothing that anyone
/// may not read, and the worst that an impostor can do is to look healthy.
#[derive(Debug)]
struct Itself(Arc<CryptoProvider>);

impl ServerCertVerifier for Itself {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
