use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::identity::minting::Mint;

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[tokio::test]
async fn a_file_must_hold_a_set_and_one_that_is_spoiled_leaves_the_last_good_one() {
    let hour = Duration::from_hours(1);
    let good = Mint::new().set().to_string();
    let place = file(&good);
    let keys = Keys::start(Source::File(place.path().to_owned()), hour).await.unwrap();
    assert!(keys.current().unwrap().has("p256"));
    for text in ["", "{\"keys\": []}", &"x".repeat(BYTES + 1)] {
        std::fs::write(place.path(), text).unwrap();
        assert!(keys.look().await.is_err());
        assert!(keys.current().unwrap().has("p256"));
        let error = Keys::start(Source::File(place.path().to_owned()), hour).await.unwrap_err();
        assert!(error.to_string().starts_with("the set "), "{error}");
    }
    std::fs::remove_file(place.path()).unwrap();
    assert!(Keys::start(Source::File(place.path().to_owned()), hour).await.is_err());
}

/// Answers each connection with the next of these, the last for ever; counts them.
async fn server(answers: Vec<String>, tls: Option<TlsAcceptor>) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let at = counted.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
            match &tls {
                None => answer(socket, &answers[at]).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(socket).await {
                        answer(stream, &answers[at]).await;
                    }
                }
            }
        }
    });
    (port, count)
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, text: &str) {
    let mut asked = [0; 1024];
    let size = stream.read(&mut asked).await.unwrap_or(0);
    assert!(asked[..size].starts_with(b"GET /jwks?a=b HTTP/1.1\r\n"));
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn ok(text: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len())
}

fn url(scheme: &str, host: &str, port: u16) -> Uri {
    format!("{scheme}://{host}:{port}/jwks?a=b").parse().unwrap()
}

#[tokio::test]
async fn a_server_may_be_down_at_first_and_is_believed_only_where_it_answers_well() {
    let set = Mint::new().set().to_string();
    let large = ok(&" ".repeat(BYTES + 1));
    let moved = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_owned();
    let answers = vec![moved, "nonsense".to_owned(), large, ok("{}"), ok(&set), String::new()];
    let (port, count) = server(answers, None).await;
    let source = Source::Url { url: url("http", "127.0.0.1", port), authorities: None };
    let keys = Keys::start(source, Duration::from_hours(1)).await.unwrap();
    for _ in 0..3 {
        assert!(keys.current().is_none());
        assert!(keys.look().await.is_err());
    }
    keys.seek().await;
    assert!(keys.current().unwrap().has("p256"));
    // A second caller finds that it was looked for a moment ago.
    keys.seek().await;
    assert_eq!(count.load(Ordering::Relaxed), 5);
    assert!(keys.look().await.is_err());
    assert!(keys.current().unwrap().has("p256"));
}

#[tokio::test]
async fn a_server_is_verified_by_the_authorities_that_are_set() {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let own = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&own, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(own.serialize_der()).unwrap())
        .unwrap();
    let tls = TlsAcceptor::from(Arc::new(config));
    let (port, _) = server(vec![ok(&Mint::new().set().to_string())], Some(tls)).await;
    let other = CertificateParams::default().self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
    for (authorities, host, found) in
        [(&authority, "127.0.0.1", true), (&authority, "localhost", false), (&other, "127.0.0.1", false)]
    {
        let place = file(authorities);
        let source = Source::Url { url: url("https", host, port), authorities: Some(place.path().to_owned()) };
        let keys = Keys::start(source, Duration::from_hours(1)).await.unwrap();
        assert_eq!(keys.current().is_some(), found, "{host}");
    }
    for text in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(connector(Some(file(text).path())).is_err());
    }
}
