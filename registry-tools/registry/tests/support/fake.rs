//! A registry that does as a test says, on loopback, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{AUTHORIZATION, HOST, RANGE};

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Where it was asked: this registry's address.
    pub host: String,
    /// With the query behind `?`.
    pub path: String,
    pub authorization: Option<String>,
    pub range: Option<String>,
    /// How often this path had been asked for before.
    pub before: usize,
}

type Answer = Arc<dyn Fn(&Query) -> Response + Send + Sync>;

pub struct Fake {
    pub address: String,
    queries: Arc<Mutex<Vec<Query>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Fake {
    /// Answers each request with what the function gives.
    pub async fn start(answer: impl Fn(&Query) -> Response + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let queries = Arc::<Mutex<Vec<Query>>>::default();
        let (kept, answer): (_, Answer) = (queries.clone(), Arc::new(answer));
        let app = Router::new().fallback(move |request: Request| {
            let (kept, answer) = (kept.clone(), answer.clone());
            async move {
                let header = |name| {
                    let value = request.headers().get(name)?;
                    Some(value.to_str().unwrap().to_owned())
                };
                let path = request.uri().path_and_query().unwrap().to_string();
                let mut kept = kept.lock().unwrap();
                let before = kept.iter().filter(|query| query.path == path).count();
                let (authorization, range) = (header(AUTHORIZATION), header(RANGE));
                let host = header(HOST).unwrap_or_default();
                let query = Query { host, path, authorization, range, before };
                kept.push(query.clone());
                drop(kept);
                answer(&query)
            }
        });
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, queries, task }
    }

    pub fn queries(&self) -> Vec<Query> {
        self.queries.lock().unwrap().clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub fn status(status: u16) -> Response {
    Response::builder().status(status).body(Body::empty()).unwrap()
}

pub fn ok(bytes: impl Into<Body>) -> Response {
    Response::new(bytes.into())
}

pub fn with(status: u16, name: &'static str, value: impl AsRef<str>) -> Response {
    Response::builder().status(status).header(name, value.as_ref()).body(Body::empty()).unwrap()
}
