//! Probes and metrics over plaintext HTTP, for kubelets and Prometheus. Nothing
//! here is of a patient, nothing can be changed, and no setting is shown, so the
//! listener may be on any address that is named for it.
//!
//! | path | answer |
//! | --- | --- |
//! | `/livez` | 200 as long as the process answers |
//! | `/startupz` | 200 once a rules package is active |
//! | `/readyz` | 200 where calls are answered; else 503, and why |
//! | `/metrics` | the text format of Prometheus |
//! | `/version` | what runs, and the package in force, as JSON |
//!
//! Whoever reaches it can hold a few connections for a few seconds, and no more.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Connections at once: probes and a scraper or two.
const CONNECTIONS: usize = 64;

/// Time to send a request's head.
const HEAD: Duration = Duration::from_secs(5);

/// Time of a connection, which carries one request.
const WHOLE: Duration = Duration::from_secs(10);

/// Bytes of a request's head: the library's least.
const HEAD_BYTES: usize = 8192;

/// Pause after a failed accept, which is tried again.
const BACK_OFF: Duration = Duration::from_millis(100);

const PLAIN: &str = "text/plain; charset=utf-8";

/// What is told, by those who know it.
pub struct Pages {
    /// Why calls are not answered; none where they are.
    pub unready: Box<dyn Fn() -> Option<&'static str> + Send + Sync>,
    /// Was a rules package ever active?
    pub started: Box<dyn Fn() -> bool + Send + Sync>,
    /// What runs, as JSON.
    pub version: Box<dyn Fn() -> String + Send + Sync>,
    /// Metrics and their content type; none where they can't be told.
    pub metrics: Box<dyn Fn() -> Option<(String, &'static str)> + Send + Sync>,
}

impl fmt::Debug for Pages {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Pages")
    }
}

/// Why there is no listener.
#[derive(Debug)]
pub struct AdminError(String);

impl fmt::Display for AdminError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for AdminError {}

/// Binds the listener.
///
/// # Errors
/// Where the address can't be bound.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, AdminError> {
    TcpListener::bind(address).await.map_err(|error| AdminError(format!("admin.addr: {address}: {error}")))
}

/// Serves until it is dropped.
pub async fn serve(listener: TcpListener, pages: Pages) {
    let (pages, places) = (Arc::new(pages), Arc::new(Semaphore::new(CONNECTIONS)));
    loop {
        // Never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let pages = Arc::clone(&pages);
                tokio::spawn(async move {
                    connection(stream, pages).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(kind = %error.kind(), "a connection to the admin listener could not be accepted");
                sleep(BACK_OFF).await;
            }
        }
    }
}

/// One request, and the end: a scraper that comes every few seconds needs no more.
async fn connection(stream: TcpStream, pages: Arc<Pages>) {
    let answering = service_fn(move |request: Request<Incoming>| {
        let response = answer(request.method(), request.uri().path(), &pages);
        async move { Ok::<_, Infallible>(response) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answering);
    // What went wrong is the client's to know.
    let _ = timeout(WHOLE, serving).await;
}

fn answer(method: &Method, path: &str, pages: &Pages) -> Response<Full<Bytes>> {
    let text = |status, text: &str| page(status, PLAIN, format!("{text}\n"));
    if method != Method::GET {
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "GET only");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        return refused;
    }
    match path {
        "/livez" => text(StatusCode::OK, "ok"),
        "/startupz" if (pages.started)() => text(StatusCode::OK, "ok"),
        "/startupz" => text(StatusCode::SERVICE_UNAVAILABLE, "no rules package is active yet"),
        "/readyz" => match (pages.unready)() {
            None => text(StatusCode::OK, "ok"),
            Some(why) => text(StatusCode::SERVICE_UNAVAILABLE, why),
        },
        "/metrics" => match (pages.metrics)() {
            Some((metrics, kind)) => page(StatusCode::OK, kind, metrics),
            None => text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics can't be written"),
        },
        "/version" => page(StatusCode::OK, "application/json", (pages.version)()),
        _ => text(StatusCode::NOT_FOUND, "no such page"),
    }
}

fn page(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(unready: Option<&'static str>, started: bool) -> Pages {
        Pages {
            unready: Box::new(move || unready),
            started: Box::new(move || started),
            version: Box::new(|| "{}".to_owned()),
            metrics: Box::new(|| None),
        }
    }

    fn status(method: &Method, path: &str, pages: &Pages) -> u16 {
        answer(method, path, pages).status().as_u16()
    }

    #[test]
    fn alive_started_and_ready_are_three_things() {
        let told = |pages: &Pages| ["/livez", "/startupz", "/readyz"].map(|path| status(&Method::GET, path, pages));
        assert_eq!(told(&pages(Some("starting"), false)), [200, 503, 503]);
        assert_eq!(told(&pages(None, true)), [200, 200, 200]);
        assert_eq!(told(&pages(Some("shutting down"), true)), [200, 200, 503]);
    }

    #[test]
    fn nothing_else_is_served_and_nothing_can_be_changed() {
        let pages = pages(None, true);
        for path in ["/", "/config", "/log-level", "/metrics/", "/livez/x", "/debug/pprof"] {
            assert_eq!(status(&Method::GET, path, &pages), 404, "{path}");
        }
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::HEAD, Method::CONNECT] {
            assert_eq!(status(&method, "/livez", &pages), 405, "{method}");
        }
        assert_eq!(status(&Method::GET, "/metrics", &pages), 500);
    }
}
