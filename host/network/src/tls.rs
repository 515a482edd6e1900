//! TLS for guests' requests: the platform's trust, the provider named explicitly.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use wasmtime_wasi_http::Error;

use crate::host::Host;

/// The platform's roots take milliseconds to load and do not change while a process runs.
static PLATFORM: OnceCell<Arc<ClientConfig>> = OnceCell::const_new();

/// Where the client configuration comes from.
#[derive(Debug, Clone, Default)]
pub(crate) enum Tls {
    #[default]
    Platform,
    Given(Arc<ClientConfig>),
}

impl Tls {
    async fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        match self {
            Self::Given(config) => Ok(config.clone()),
            Self::Platform => PLATFORM.get_or_try_init(load).await.cloned(),
        }
    }

    /// The handshake, with the host as the name that the certificate must carry.
    pub(crate) async fn handshake(
        &self,
        host: &Host,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Error> {
        let name = match host {
            Host::Name(name) => {
                ServerName::try_from(name.clone()).map_err(|_| Error::HttpRequestUriInvalid)?
            }
            Host::Address(address) => ServerName::from(*address),
        };
        let connector = TlsConnector::from(self.config().await?);
        connector.connect(name, stream).await.map_err(|error| {
            tracing::warn!(%host, %error, "a guest's TLS handshake failed");
            tls_error(error)
        })
    }
}

/// Off the async threads: it reads and parses files.
async fn load() -> Result<Arc<ClientConfig>, Error> {
    match tokio::task::spawn_blocking(platform).await {
        Ok(Ok(config)) => Ok(config),
        Ok(Err(error)) => {
            tracing::error!(%error, "the platform's certificates cannot be used");
            Err(Error::ConfigurationError)
        }
        Err(error) => {
            tracing::error!(%error, "loading the platform's certificates was interrupted");
            Err(Error::ConfigurationError)
        }
    }
}

fn platform() -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    // The only protocol that is spoken afterwards.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn tls_error(error: io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_)) => Error::TlsCertificateError,
        Some(rustls::Error::AlertReceived(alert)) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        Some(_) => Error::TlsProtocolError,
        None => Error::ConnectionTerminated,
    }
}
