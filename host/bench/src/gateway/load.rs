//! The load: requests at a fixed rate, or as many as there is an answer to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;

use super::gateways::Target;
use super::mock::SLOW;

/// A request that takes longer is a failure; the longest that succeeds takes two seconds.
const LIMIT: Duration = Duration::from_secs(10);

/// What became of some requests. Those that failed have no times.
#[derive(Default, Clone)]
pub struct Outcome {
    /// From when a request was due until the first byte of its answer's body.
    pub first: Vec<Duration>,
    /// … until its last.
    pub last: Vec<Duration>,
    pub failed: usize,
    /// One of the failures.
    pub why: Option<String>,
}

impl Outcome {
    pub fn extend(&mut self, other: Self) {
        self.first.extend(other.first);
        self.last.extend(other.last);
        self.failed += other.failed;
        self.why = self.why.take().or(other.why);
    }

    fn add(&mut self, ended: Result<(Duration, Duration)>) {
        match ended {
            Ok((first, last)) => {
                self.first.push(first);
                self.last.push(last);
            }
            Err(error) => {
                self.failed += 1;
                self.why = Some(format!("{error:#}"));
            }
        }
    }
}

/// Streams that begin at `rate` a second, for so long; waits for the end of all.
pub async fn open(target: &Target, rate: u32, time: Duration) -> Result<Outcome> {
    let client = client()?;
    let total = rate * u32::try_from(time.as_secs())?;
    let (due, mut requests) = unbounded_channel();
    // A thread of its own: a runtime's timers are a millisecond apart.
    let clock = std::thread::spawn(move || {
        let began = Instant::now();
        for number in 0..total {
            let at = began + Duration::from_secs(1) * number / rate;
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            if due.send(at).is_err() {
                break;
            }
        }
    });
    let mut running = JoinSet::new();
    let request = Arc::new(Request::new(target, true));
    while let Some(at) = requests.recv().await {
        let (client, request) = (client.clone(), request.clone());
        running.spawn(async move { request.send(&client, at).await });
    }
    let mut outcome = Outcome::default();
    while let Some(ended) = running.join_next().await {
        outcome.add(ended?);
    }
    ensure!(clock.join().is_ok(), "the clock broke");
    Ok(outcome)
}

/// Whole answers, so many requests at any time.
pub async fn closed(target: &Target, together: usize, time: Duration) -> Result<Outcome> {
    let client = client()?;
    let until = Instant::now() + time;
    let mut running = JoinSet::new();
    let request = Arc::new(Request::new(target, false));
    for _ in 0..together {
        let (client, request) = (client.clone(), request.clone());
        running.spawn(async move {
            let mut outcome = Outcome::default();
            while Instant::now() < until {
                outcome.add(request.send(&client, Instant::now()).await);
            }
            outcome
        });
    }
    let mut outcome = Outcome::default();
    while let Some(ended) = running.join_next().await {
        outcome.extend(ended?);
    }
    Ok(outcome)
}

fn client() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .no_proxy()
        .http1_only()
        .tcp_nodelay(true)
        .timeout(LIMIT)
        .build()?)
}

struct Request {
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Value,
}

impl Request {
    fn new(target: &Target, stream: bool) -> Self {
        let text = "Count the ships that pass in the night, and say how many there were.";
        let messages = json!([{"role": "user", "content": text}]);
        let limit = if stream { SLOW } else { SLOW / 2 };
        let body = json!({
            "model": target.model, "messages": messages, "stream": stream, "max_tokens": limit,
        });
        let url = format!("{}/chat/completions", target.url);
        Self { url, headers: target.headers.clone(), body }
    }

    async fn send(&self, client: &reqwest::Client, due: Instant) -> Result<(Duration, Duration)> {
        let mut request = client.post(&self.url).json(&self.body);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let mut body = answer.bytes_stream();
        let (mut first, mut text) = (None, Vec::new());
        while let Some(piece) = body.next().await {
            text.extend_from_slice(&piece?);
            first.get_or_insert_with(|| due.elapsed());
        }
        let last = due.elapsed();
        let text = String::from_utf8_lossy(&text);
        ensure!(status.is_success(), "{status}: {}", text.chars().take(300).collect::<String>());
        let whole = match self.body["stream"] == true {
            true => text.matches("word ").count() == 11 && text.contains("[DONE]"),
            false => text.contains("Hello."),
        };
        ensure!(whole, "the answer is not whole: {}", text.chars().take(300).collect::<String>());
        Ok((first.unwrap_or(last), last))
    }
}
