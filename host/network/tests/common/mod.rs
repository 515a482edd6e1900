//! A server on loopback that counts, resolvers with set answers, and a guest's request.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use approvals::{Approvals, Parts, Rules};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{AgentName, Event, Nobody, SessionId};
use http_body_util::{BodyExt as _, Full};
use network::{Egress, Hooks, Policy, Refusal, Resolve};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks as _};

/// No test waits longer for anything.
pub const DEADLINE: Duration = Duration::from_secs(20);

pub struct Server {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Runs `serve` for each connection.
    pub async fn start<F, Fut>(serve: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream));
            }
        });
        Self { address, connections }
    }

    /// Answers each request with these bytes and closes.
    pub async fn answering(answer: &'static str) -> Self {
        Self::start(move |mut stream| async move {
            head(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

/// The head of a request, up to the empty line.
pub async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// Gives its answers one after the other, the last one for ever, and counts the questions.
pub struct Answers {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Answers {
    pub fn new(answers: &[&str]) -> Arc<Self> {
        let parse = |a: &&str| a.split_whitespace().map(|a| a.parse().unwrap()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().map(parse).collect()),
            asked: AtomicUsize::new(0),
        })
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Resolve for Answers {
    async fn resolve(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = answers.pop_front().ok_or(io::ErrorKind::NotFound)?;
        if answers.is_empty() {
            answers.push_back(answer.clone());
        }
        Ok(answer)
    }
}

/// A gate that denies these hosts, and what it told.
pub fn denying(hosts: &[&str]) -> (Approvals, Arc<Mutex<Vec<Event>>>) {
    let deny = hosts.iter().map(|host| format!("host:{host}").parse().unwrap()).collect();
    let events = Arc::<Mutex<Vec<Event>>>::default();
    let told = events.clone();
    let approvals = Approvals::new(Parts {
        store: store::Store::in_memory().unwrap(),
        agent: AgentName::new("pi").unwrap(),
        session: SessionId::new("s").unwrap(),
        rules: Rules { deny, ..Rules::default() },
        user: Arc::new(Nobody),
        report: Arc::new(move |event| told.lock().unwrap().push(event)),
    });
    (approvals, events)
}

pub type Refusals = Arc<Mutex<Vec<Refusal>>>;

pub fn egress(grants: &[&str]) -> (Egress, Refusals) {
    let policy = Policy { grants: grants.iter().map(|g| g.parse().unwrap()).collect() };
    let refusals = Refusals::default();
    let told = refusals.clone();
    let egress = Egress::new(policy)
        .with_refusals(Arc::new(move |refusal| told.lock().unwrap().push(refusal)));
    (egress, refusals)
}

/// A response with the driver that holds its connection.
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: WasiBody,
    pub driver: Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a response with status {}", self.status)
    }
}

impl Answer {
    pub async fn text(self) -> Result<String, Error> {
        let bytes = tokio::time::timeout(DEADLINE, self.body.collect()).await.unwrap()?.to_bytes();
        Ok(String::from_utf8(bytes.to_vec()).unwrap())
    }
}

pub async fn get(egress: &Egress, uri: &str) -> Result<Answer, Error> {
    let request = http::Request::get(uri).header("host", "forged.example");
    send(egress, request, "", RequestOptions::default()).await
}

pub async fn send(
    egress: &Egress,
    request: http::request::Builder,
    body: &'static str,
    options: RequestOptions,
) -> Result<Answer, Error> {
    let body = Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync();
    let sent = Hooks(egress.clone()).send_request(
        request.body(body).unwrap(),
        Some(options),
        Box::new(async { Ok(()) }),
    );
    let (response, driver) = tokio::time::timeout(DEADLINE, Pin::from(sent)).await.unwrap()?;
    let (parts, body) = response.into_parts();
    Ok(Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
        driver: Pin::from(driver),
    })
}
