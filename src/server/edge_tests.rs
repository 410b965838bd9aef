use super::*;

/// A service that does what the path says.
#[derive(Clone)]
struct Acting;

impl Service<Request<Body>> for Acting {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path().to_owned();
        assert!(path != "/panic-in-call", "SENTINEL");
        Box::pin(async move {
            match path.as_str() {
                "/panic" => panic!("SENTINEL"),
                "/never" => std::future::pending().await,
                "/large" => Ok(Status::out_of_range("found SENTINEL bytes").into_http()),
                "/garbage" => Ok(Status::internal("failed to decode SENTINEL").into_http()),
                "/body-panics" => Ok(Response::new(Body::new(Bad::Panics))),
                "/body-hangs" => Ok(Response::new(Body::new(Bad::Hangs))),
                _ => Ok(Status::ok("").into_http()),
            }
        })
    }
}

#[derive(Clone, Copy)]
enum Bad {
    Panics,
    Hangs,
}

impl http_body::Body for Bad {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match *self {
            Self::Panics => panic!("SENTINEL"),
            Self::Hangs => Poll::Pending,
        }
    }
}

async fn call(path: &str, timeout: Option<&str>) -> Status {
    let mut edge = EdgeLayer {
        deadline_max: Duration::from_millis(200),
        deadline_floor: Duration::from_millis(5),
        recorder: Recorder::none(),
        draining: watch::channel(false).1,
    }
    .layer(Acting);
    let mut request = Request::builder().uri(path);
    if let Some(timeout) = timeout {
        request = request.header("grpc-timeout", timeout);
    }
    let response = edge.call(request.body(Body::empty()).unwrap()).await.unwrap();
    if let Some(status) = Status::from_header_map(response.headers()) {
        return status;
    }
    let mut body = Box::pin(response.into_body());
    loop {
        let frame = std::future::poll_fn(|context| http_body::Body::poll_frame(body.as_mut(), context)).await;
        let frame = frame.expect("trailers").unwrap();
        if let Some(trailers) = frame.trailers_ref() {
            return Status::from_header_map(trailers).unwrap();
        }
    }
}

#[tokio::test]
async fn each_failure_has_its_code_and_no_words_of_the_caller() {
    for (path, timeout, code) in [
        ("/fine", None, Code::Ok),
        ("/panic", None, Code::Internal),
        ("/panic-in-call", None, Code::Internal),
        ("/body-panics", None, Code::Internal),
        ("/never", None, Code::DeadlineExceeded),
        ("/never", Some("10m"), Code::DeadlineExceeded),
        ("/body-hangs", Some("10m"), Code::DeadlineExceeded),
        ("/fine", Some("0n"), Code::DeadlineExceeded),
        ("/fine", Some("4m"), Code::DeadlineExceeded),
        ("/large", None, Code::ResourceExhausted),
        ("/garbage", None, Code::Internal),
    ] {
        let status = call(path, timeout).await;
        assert_eq!(status.code(), code, "{path}");
        assert!(!status.message().contains("SENTINEL"), "{path}");
    }
}
