//! Every way to the network that a guest knows.

use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

use crate::bindings::wasi::http::outgoing_handler::handle;
use crate::bindings::wasi::http::types::{ErrorCode, Fields, OutgoingRequest, Scheme};
use crate::{Words, told, word};

pub fn play(act: &str, words: Words<'_>) -> String {
    let first = word(words, 0);
    match act {
        "http" => told(http(first, word(words, 1), word(words, 2))),
        "connect" => told(TcpStream::connect(first).map(|_| "connected")),
        "listen" => told(TcpListener::bind(first).map(|_| "listening")),
        "udp" => told(
            UdpSocket::bind("0.0.0.0:0")
                .and_then(|socket| socket.send_to(b"x", first))
                .map(|_| "sent"),
        ),
        "lookup" => told((first, 80).to_socket_addrs().map(Iterator::count)),
        _ => String::new(),
    }
}

/// The answer's status.
fn http(scheme: &str, authority: &str, path: &str) -> Result<u16, ErrorCode> {
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let invalid = |()| ErrorCode::HttpRequestUriInvalid;
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&scheme)).map_err(invalid)?;
    request.set_authority(Some(authority)).map_err(invalid)?;
    request.set_path_with_query(Some(path)).map_err(invalid)?;
    let answer = handle(request, None)?;
    answer.subscribe().block();
    match answer.get() {
        Some(Ok(Ok(response))) => Ok(response.status()),
        Some(Ok(Err(error))) => Err(error),
        _ => Err(ErrorCode::InternalError(None)),
    }
}
