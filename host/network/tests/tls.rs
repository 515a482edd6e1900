//! `https` with a certificate authority of the test's own.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use std::sync::Arc;

use common::{Answers, Server, egress, get, head};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use wasmtime_wasi_http::Error;

/// A client that trusts a new authority, and a server with its certificate for this name.
fn pair(name: &str) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();

    let provider = Arc::new(default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(root.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (Arc::new(client), Arc::new(server))
}

async fn serve(config: Arc<ServerConfig>) -> (Server, mpsc::UnboundedReceiver<Option<String>>) {
    let acceptor = TlsAcceptor::from(config);
    let (names, seen) = mpsc::unbounded_channel();
    let server = Server::start(move |stream| {
        let (acceptor, names) = (acceptor.clone(), names.clone());
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            names.send(stream.get_ref().1.server_name().map(str::to_owned)).unwrap();
            head(&mut stream).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsafe";
            stream.write_all(answer).await.unwrap();
            stream.shutdown().await.ok();
        }
    })
    .await;
    (server, seen)
}

#[tokio::test]
async fn the_certificate_must_name_the_host() {
    let (client, server) = pair("localhost");
    let (server, mut names) = serve(server).await;
    let port = server.port();
    let (egress, _) =
        egress(&[&format!("https://localhost:{port}"), &format!("https://127.0.0.1:{port}")]);
    let egress = egress.with_resolver(Answers::new(&["127.0.0.1"])).with_tls(client);
    let answer = get(&egress, &format!("https://localhost:{port}/")).await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "safe");
    assert_eq!(names.recv().await.unwrap().as_deref(), Some("localhost"), "the host is the SNI");

    let error = get(&egress, &format!("https://127.0.0.1:{port}/")).await.unwrap_err();
    assert!(matches!(error, Error::TlsCertificateError), "{error}");
}

#[tokio::test]
async fn an_authority_that_the_platform_does_not_know_is_not_trusted() {
    let (_, server) = pair("localhost");
    let (server, _names) = serve(server).await;
    let origin = format!("https://localhost:{}", server.port());
    let (egress, _) = egress(&[&origin]);
    let egress = egress.with_resolver(Answers::new(&["127.0.0.1"]));
    let error = get(&egress, &origin).await.unwrap_err();
    // A machine without any certificates cannot even begin.
    assert!(matches!(error, Error::TlsCertificateError | Error::ConfigurationError), "{error}");
}

#[tokio::test]
async fn plain_text_is_no_tls() {
    let server = Server::start(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    })
    .await;
    let origin = format!("https://{}", server.address);
    let (client, _) = pair("localhost");
    let (egress, _) = egress(&[&origin]);
    let egress = egress.with_tls(client);
    let error = get(&egress, &origin).await.unwrap_err();
    assert!(matches!(error, Error::TlsProtocolError | Error::ConnectionTerminated), "{error}");
}
