//! `wasi:http` requests: the send of wasmtime-wasi-http resolves by itself, so it is replaced.
//!
//! One request, one connection: guests reach few hosts, and a pool would outlive the check.
//! Redirects are the guest's to follow; each is a request of its own and is checked like one.

use std::error::Error as _;
use std::future::Future;
use std::io;
use std::time::Duration;

use http::header::{HOST, HeaderValue};
use http::{Method, Request, Response, Uri, uri};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::body::TimedBody;
use crate::connect::connect;
use crate::egress::Egress;
use crate::host::{Host, Scheme};
use crate::refusal::Reason;
use crate::resolve::LookupError;

/// To a connection, TLS included, when the guest sets no time: long enough for a bad mobile link.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// To the first byte of an answer, and between two, when the guest sets no time: slow endpoints
/// (reports, builds) take minutes, and a waiting guest costs one connection.
const ANSWER_LIMIT: Duration = Duration::from_secs(600);

/// What a store gives `WasiHttpCtxView` as its hooks.
#[derive(Debug, Clone)]
pub struct Hooks(pub Egress);

/// Drives the connection for as long as it is polled or held; dropped, the connection closes.
type Driver = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Driver), Error>> + Send> {
        let egress = self.0.clone();
        Box::new(async move { egress.send(request, options.unwrap_or_default()).await })
    }
}

/// Where a request goes, read from its URI.
struct Target {
    scheme: Scheme,
    host: Host,
    port: u16,
}

impl Egress {
    /// Sends one request through both layers. Dropping the returned future, or afterwards the
    /// driver, closes the connection.
    async fn send(
        &self,
        mut request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<(Response<WasiBody>, Driver), Error> {
        let Target { scheme, host, port } = target(&request)?;
        let allowed = self.allow(scheme, &host, port).map_err(lookup_error)?;
        self.approve(&host, port).await.map_err(|_| Error::HttpRequestDenied)?;
        let permit = self.connection().ok_or(Error::ConnectionLimitReached)?;
        rewrite(&mut request, scheme, &host, port)?;

        let limit = options.connect_timeout.unwrap_or(CONNECT_LIMIT);
        let answer = options.first_byte_timeout.unwrap_or(ANSWER_LIMIT);
        let between = options.between_bytes_timeout.unwrap_or(ANSWER_LIMIT);
        let opened = timeout(limit, async {
            let addresses = self.addresses(&allowed).await.map_err(lookup_error)?;
            let stream = connect(&addresses, port, limit).await.map_err(connect_error)?;
            if scheme == Scheme::Https {
                handshake(self.tls.handshake(&host, stream).await?, permit).await
            } else {
                handshake(stream, permit).await
            }
        });
        let (mut sender, driver) = opened.await.map_err(|_| Error::ConnectionTimeout)??;
        let response = timeout(answer, sender.send_request(request))
            .await
            .map_err(|_| Error::ConnectionReadTimeout)?
            .map_err(from_hyper)?;
        let response = response.map(|body| TimedBody::new(body, between).boxed_unsync());
        Ok((response, Box::new(driver)))
    }
}

fn target(request: &Request<WasiBody>) -> Result<Target, Error> {
    if request.method() == Method::CONNECT {
        // A tunnel through a proxy would reach hosts that nobody checked.
        return Err(Error::HttpRequestMethodInvalid);
    }
    let uri = request.uri();
    let scheme = match uri.scheme() {
        Some(scheme) if *scheme == uri::Scheme::HTTP => Scheme::Http,
        Some(scheme) if *scheme == uri::Scheme::HTTPS => Scheme::Https,
        _ => return Err(Error::HttpProtocolError),
    };
    let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
    if authority.as_str().contains('@') {
        return Err(Error::HttpRequestUriInvalid);
    }
    let host = Host::parse(authority.host()).map_err(|_| Error::HttpRequestUriInvalid)?;
    let written = authority.as_str().len() > authority.host().len();
    let port = match (authority.port_u16(), written) {
        (Some(port), _) => port,
        (None, false) => scheme.default_port().ok_or(Error::HttpRequestUriInvalid)?,
        // A colon and then no number that is a port.
        (None, true) => return Err(Error::HttpRequestUriInvalid),
    };
    Ok(Target { scheme, host, port })
}

/// Makes the request one to an origin server: the path alone in its first line, and the host that
/// was checked as its host.
fn rewrite(
    request: &mut Request<WasiBody>,
    scheme: Scheme,
    host: &Host,
    port: u16,
) -> Result<(), Error> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let origin = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    *request.uri_mut() = origin.parse::<Uri>().map_err(|_| Error::HttpRequestUriInvalid)?;
    let value = if scheme.default_port() == Some(port) {
        host.to_string()
    } else {
        format!("{host}:{port}")
    };
    let value = HeaderValue::try_from(value).map_err(|_| Error::HttpRequestUriInvalid)?;
    request.headers_mut().insert(HOST, value);
    Ok(())
}

/// Starts HTTP/1.1. The connection is driven by a task of its own, which holds the permit.
async fn handshake<S>(
    stream: S,
    permit: OwnedSemaphorePermit,
) -> Result<(http1::SendRequest<WasiBody>, AbortOnDropJoinHandle<Result<(), Error>>), Error>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(from_hyper)?;
    let driver = spawn(async move {
        let _permit = permit;
        connection.await.map_err(from_hyper)
    });
    Ok((sender, driver))
}

fn lookup_error(error: LookupError) -> Error {
    match error {
        LookupError::Refused(refusal) => match refusal.reason {
            Reason::NotGranted => Error::HttpRequestDenied,
            Reason::Address { .. } => Error::DestinationIpProhibited,
        },
        LookupError::TimedOut => Error::DnsTimeout,
        LookupError::Failed(error) => {
            tracing::debug!(%error, "a guest's name lookup failed");
            Error::DnsError { rcode: None, info_code: None }
        }
        LookupError::NoAddress => Error::DestinationNotFound,
    }
}

fn connect_error(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Error::DestinationIpUnroutable
        }
        _ => Error::DestinationUnavailable,
    }
}

/// The nearest error of `wasi:http`. A guest's own mistake in its body is given back to it.
pub(crate) fn from_hyper(error: hyper::Error) -> Error {
    let source = error.source();
    if let Some(Error::HttpRequestBodySize(size)) = source.and_then(|s| s.downcast_ref::<Error>()) {
        return Error::HttpRequestBodySize(*size);
    }
    let io = source.and_then(|source| source.downcast_ref::<io::Error>());
    if error.is_timeout() {
        Error::HttpResponseTimeout
    } else if error.is_parse_too_large() {
        Error::HttpResponseHeaderSectionSize(None)
    } else if error.is_incomplete_message()
        || io.is_some_and(|io| io.kind() == io::ErrorKind::UnexpectedEof)
    {
        Error::HttpResponseIncomplete
    } else if error.is_canceled() || error.is_closed() || io.is_some() {
        Error::ConnectionTerminated
    } else {
        tracing::debug!(%error, "a guest's HTTP exchange failed");
        Error::HttpProtocolError
    }
}
