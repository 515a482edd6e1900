//! The server: routes, bodies and supervision.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::chat::{EXTRA_FIELDS, Outcome, Request};
use futures::FutureExt as _;
use llm::{Caller, Pipeline};
use serde_json::Value;
use store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::call::{Pending, Started};
use crate::error::Refusal;
use crate::family::Family;
use crate::identity::{Agents, DEFAULT, Identity};
use crate::limits::{BODY_MAX_BYTES, BODY_READ_MAX, OPEN_REQUESTS_MAX, PARSED_AT_ONCE_BYTES};
use crate::metrics::Metrics;
use crate::request_id::RequestId;
use crate::ticket::{Place, Ticket};
use crate::whole::{Whole, collect};
use crate::{anthropic, openai, sse};

/// Who answered, on every answer.
const MODEL: HeaderName = HeaderName::from_static("x-xpressclaw-model");
/// What was asked for, where another model answers.
const DOWNGRADED_FROM: HeaderName = HeaderName::from_static("x-xpressclaw-downgraded-from");
/// Nano-dollars; on answers that are no stream.
const COST: HeaderName = HeaderName::from_static("x-xpressclaw-cost");
/// Fields of the request that go nowhere.
const IGNORED: HeaderName = HeaderName::from_static("x-xpressclaw-ignored");
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the endpoint serves with. Cloning shares it.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

struct Inner {
    pipeline: Pipeline,
    identity: Identity,
    open: Arc<Semaphore>,
    metrics: Metrics,
}

impl Endpoint {
    pub fn new(pipeline: Pipeline, store: Store, agents: Agents) -> Self {
        Self(Arc::new(Inner {
            pipeline,
            identity: Identity { store, agents: Arc::new(agents) },
            open: Arc::new(Semaphore::new(OPEN_REQUESTS_MAX)),
            metrics: Metrics::new(),
        }))
    }
}

impl Endpoint {
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// One of [`OPEN_REQUESTS_MAX`] places, if one is left.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.0.open.clone().try_acquire_owned().ok()
    }
}

/// All routes.
pub fn router(endpoint: Endpoint) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat_completions))
        .route("/v1/messages", post(messages))
        .route("/v1/models", get(models))
        // Names of models have a slash in them, which clients may write as it is.
        .route("/v1/models/{*name}", get(model))
        .route("/health", get(|| async { "ok\n" }))
        .route("/metrics", get(metrics))
        .fallback(nothing)
        .method_not_allowed_fallback(other_method)
        .with_state(endpoint)
}

async fn chat_completions(
    State(endpoint): State<Endpoint>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    supervised(&endpoint, Family::OpenAi, &headers, async |caller, id| {
        let place = Place::take(&endpoint)?;
        let parsed = read(body, openai::parse).await?;
        let chunks = parsed.stream.then(|| openai::Chunks::new(&id, parsed.include_usage));
        let asked = Asked { place, id, request: parsed.request, ignored: parsed.ignored };
        if let Some(chunks) = chunks {
            return streamed(&endpoint, caller, asked, Family::OpenAi, chunks).await;
        }
        whole(&endpoint, caller, asked, Family::OpenAi, openai::whole).await
    })
    .await
}

async fn messages(State(endpoint): State<Endpoint>, headers: HeaderMap, body: Body) -> Response {
    supervised(&endpoint, Family::Anthropic, &headers, async |caller, id| {
        let place = Place::take(&endpoint)?;
        let parsed = read(body, anthropic::parse).await?;
        let events = parsed.stream.then(|| anthropic::Events::new(&id));
        let asked = Asked { place, id, request: parsed.request, ignored: parsed.ignored };
        if let Some(events) = events {
            return streamed(&endpoint, caller, asked, Family::Anthropic, events).await;
        }
        whole(&endpoint, caller, asked, Family::Anthropic, anthropic::whole).await
    })
    .await
}

async fn models(State(endpoint): State<Endpoint>, headers: HeaderMap) -> Response {
    let family = Family::of(&headers);
    supervised(&endpoint, family, &headers, async |caller, _| {
        let names = std::iter::once(&caller.model).chain(&caller.models);
        // One that cannot be used now is not offered.
        let models = names.filter_map(|name| endpoint.0.pipeline.model(name).ok());
        Ok(Json(match family {
            Family::OpenAi => openai::models(models),
            Family::Anthropic => anthropic::models(models),
        })
        .into_response())
    })
    .await
}

async fn model(
    State(endpoint): State<Endpoint>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let family = Family::of(&headers);
    supervised(&endpoint, family, &headers, async |caller, _| {
        let name = if name == DEFAULT { caller.model.clone() } else { name };
        let own = name == caller.model || caller.models.contains(&name);
        let found = own.then(|| endpoint.0.pipeline.model(&name).ok()).flatten();
        let found = found.ok_or(Refusal::NoModel(name))?;
        Ok(Json(match family {
            Family::OpenAi => openai::model(found),
            Family::Anthropic => anthropic::model(found),
        })
        .into_response())
    })
    .await
}

async fn metrics(State(endpoint): State<Endpoint>, headers: HeaderMap) -> Response {
    supervised(&endpoint, Family::OpenAi, &headers, async |_, _| {
        Ok(([(CONTENT_TYPE, OPEN_METRICS)], endpoint.metrics().text()).into_response())
    })
    .await
}

async fn nothing(uri: Uri, headers: HeaderMap) -> Response {
    Refusal::NoPath(uri.path().to_owned()).response(Family::of(&headers))
}

async fn other_method(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let (method, path) = (method.to_string(), uri.path().to_owned());
    Refusal::NoMethod { method, path }.response(Family::of(&headers))
}

/// Answers one request of a caller with a good token. Whatever happens in it, a panic included, is
/// its own.
async fn supervised(
    endpoint: &Endpoint,
    family: Family,
    headers: &HeaderMap,
    answer: impl AsyncFnOnce(Caller, RequestId) -> Result<Response, Refusal>,
) -> Response {
    let id = RequestId::mint();
    let mut response = match endpoint.0.identity.caller(headers, &id) {
        Ok(caller) => answered(endpoint, family, (caller, id.clone()), answer).await,
        Err(refusal) => {
            tracing::debug!(request = %id, error = %refusal, "a request was refused");
            refusal.response(family)
        }
    };
    set(&mut response, family.request_id(), id.as_str());
    response
}

async fn answered(
    endpoint: &Endpoint,
    family: Family,
    (caller, id): (Caller, RequestId),
    answer: impl AsyncFnOnce(Caller, RequestId) -> Result<Response, Refusal>,
) -> Response {
    let (agent, request) = (caller.agent.clone(), id.clone());
    let refusal = match AssertUnwindSafe(answer(caller, id)).catch_unwind().await {
        Ok(Ok(response)) => return response,
        Ok(Err(refusal)) => refusal,
        Err(_) => Refusal::Broken,
    };
    tracing::debug!(%agent, %request, error = %refusal, "a request was refused");
    endpoint.metrics().ended(agent.as_str(), family.name(), refusal.status().as_u16());
    refusal.response(family)
}

struct Asked {
    place: Place,
    id: RequestId,
    request: Request,
    ignored: Vec<String>,
}

/// Reads a body and makes a request of it: a large one on a thread of its own, because all requests
/// share theirs.
async fn read<T: Send + 'static>(
    body: Body,
    parse: fn(&Value) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let read = timeout(BODY_READ_MAX, to_bytes(body, BODY_MAX_BYTES)).await;
    let bytes = read.map_err(|_| Refusal::TooSlow)?.map_err(|_| Refusal::TooLarge)?;
    let small = bytes.len() <= PARSED_AT_ONCE_BYTES;
    let parsed = move || {
        let body = serde_json::from_slice(&bytes)
            .map_err(|error| Refusal::Invalid(format!("the body is no JSON: {error}")))?;
        parse(&body)
    };
    if small {
        return parsed();
    }
    spawn_blocking(parsed).await.map_err(|_| Refusal::Broken)?
}

/// Hands the request to the pipeline. Gives back what goes nowhere of it, too.
fn begin(
    endpoint: &Endpoint,
    caller: Caller,
    mut asked: Asked,
    family: Family,
) -> (Pending, Arc<Ticket>, Vec<String>) {
    let model = asked.request.model.clone().unwrap_or_else(|| caller.model.clone());
    // A field that means nothing to the model's provider is left out, not refused: clients send
    // theirs to whatever answers.
    let takes = |name: &str| endpoint.0.pipeline.takes(&model, name);
    for name in EXTRA_FIELDS {
        if asked.request.extra.contains_key(name) && !takes(name) {
            asked.request.extra.remove(name);
            asked.ignored.push(name.to_owned());
        }
    }
    let ticket = Ticket::new(asked.place, family, (&caller, asked.id), model);
    let pending =
        Pending::new(endpoint.0.pipeline.clone(), caller, asked.request, ticket.account.clone());
    (pending, ticket, asked.ignored)
}

async fn streamed<W: sse::Writer>(
    endpoint: &Endpoint,
    caller: Caller,
    asked: Asked,
    family: Family,
    writer: W,
) -> Result<Response, Refusal> {
    let (pending, ticket, ignored) = begin(endpoint, caller, asked, family);
    let mut response = match pending.unless_paused().await {
        Ok(started) => {
            let started = started.map_err(|refusal| ticket.refused(refusal))?;
            let about = About::of(&started);
            about.write(sse::running(started, writer, ticket))
        }
        // Its headers go out now; what becomes of it is said on the stream.
        Err(pending) => sse::paused(pending, writer, ticket),
    };
    note_ignored(&ignored, &mut response);
    Ok(response)
}

async fn whole(
    endpoint: &Endpoint,
    caller: Caller,
    asked: Asked,
    family: Family,
    write: impl FnOnce(&RequestId, &Whole, &Outcome) -> Response,
) -> Result<Response, Refusal> {
    let (pending, ticket, ignored) = begin(endpoint, caller, asked, family);
    let started = match pending.unless_paused().await {
        Ok(started) => started,
        Err(mut pending) => pending.wait().await,
    };
    let started = started.map_err(|refusal| ticket.refused(refusal))?;
    let about = About::of(&started);
    let (answer, outcome) =
        collect(&started.completion).await.map_err(|refusal| ticket.refused(refusal))?;
    ticket.first_byte();
    ticket.finished();
    let mut response = about.write(write(ticket.request(), &answer, &outcome));
    response.headers_mut().insert(COST, outcome.cost.0.into());
    note_ignored(&ignored, &mut response);
    Ok(response)
}

/// Which model answers, for the headers.
struct About {
    model: String,
    downgraded_from: Option<String>,
}

impl About {
    fn of(started: &Started) -> Self {
        let Started { model, downgraded_from, .. } = started;
        Self { model: model.clone(), downgraded_from: downgraded_from.clone() }
    }

    fn write(self, mut response: Response) -> Response {
        set(&mut response, MODEL, &self.model);
        if let Some(from) = &self.downgraded_from {
            set(&mut response, DOWNGRADED_FROM, from);
        }
        response
    }
}

fn note_ignored(ignored: &[String], response: &mut Response) {
    if !ignored.is_empty() {
        set(response, IGNORED, &ignored.join(", "));
    }
}

/// A name that no header can carry is left out.
fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

pub(crate) fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
