//! A live connection to one server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rmcp::service::{RunningService, ServiceExt as _};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{Peer, RoleClient};
use tokio::time::timeout;

use crate::client::Client;
use crate::error::StartError;
use crate::http;
use crate::http_failure::HttpFailure;
use crate::limits::{MESSAGE_MAX_BYTES, STOP_GRACE};
use crate::list::{List, list};
use crate::process::Process;
use crate::spec::{Spec, Transport};
use crate::stderr::Sink;

/// Dropping it closes the connection and kills the process, if there is one.
pub(crate) struct Connection {
    service: RunningService<RoleClient, Client>,
    client: Client,
    process: Option<Process>,
    broken: Broken,
}

/// Set by a call that found the connection to be of no more use.
pub(crate) type Broken = Arc<AtomicBool>;

impl Connection {
    /// Starts or reaches the server and agrees on a version of the protocol.
    pub async fn open(spec: &Spec, stderr: Sink) -> Result<Self, StartError> {
        let client = Client::default();
        let late = |_| StartError::TimedOut(spec.start_timeout);
        let failed = |error| StartError::Initialize(Box::new(error));
        let (service, process) = match &spec.transport {
            Transport::Stdio { command, args, env, cwd } => {
                let (process, stdout, stdin) = Process::start(command, args, env, cwd, stderr)?;
                let transport = AsyncRwTransport::<RoleClient, _, _>::new(stdout, stdin)
                    .with_max_line_length(MESSAGE_MAX_BYTES);
                let serving = client.clone().serve(transport);
                let service = timeout(spec.start_timeout, serving).await.map_err(late)?;
                (service.map_err(failed)?, Some(process))
            }
            Transport::Http { url, headers, proxy } => {
                let transport = http::transport(url, headers, proxy.as_ref())?;
                let serving = client.clone().serve(transport);
                let service = timeout(spec.start_timeout, serving).await.map_err(late)?;
                let failed = |error| match HttpFailure::of_start(&error) {
                    Some(failure) => StartError::Http(failure),
                    None => StartError::Protocol(Box::new(error)),
                };
                (service.map_err(failed)?, None)
            }
        };
        Ok(Self { service, client, process, broken: Broken::default() })
    }

    pub fn is_closed(&self) -> bool {
        self.broken.load(Ordering::Acquire)
            || self.service.is_closed()
            || self.service.is_transport_closed()
    }

    pub fn broken(&self) -> Broken {
        self.broken.clone()
    }

    /// Whether the server said so since this was last asked.
    pub fn list_changed(&self) -> bool {
        self.client.take_changed()
    }

    pub fn peer(&self) -> Peer<RoleClient> {
        self.service.peer().clone()
    }

    pub async fn list(&self, spec: &Spec) -> Result<List, StartError> {
        let listing = list(self.service.peer(), &spec.name, &spec.selection);
        match timeout(spec.start_timeout, listing).await {
            Ok(list) => list.map_err(StartError::List),
            Err(_) => Err(StartError::TimedOut(spec.start_timeout)),
        }
    }

    /// Closes the server's input, and sees to the end of its process.
    pub async fn close(mut self) {
        // An error means that the connection's task is gone already.
        let _ = self.service.close_with_timeout(STOP_GRACE).await;
        if let Some(process) = self.process.take() {
            process.stop().await;
        }
    }
}
