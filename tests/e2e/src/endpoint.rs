//! `xpressclaw serve`, and the tokens of its clients.

use std::net::TcpStream;

use crate::{Done, Place, Run, Running, Server};

/// An endpoint under way. Killed when dropped.
pub struct Endpoint {
    running: Running,
    /// `http://127.0.0.1:PORT`, which is where `/v1` and `/health` are.
    pub url: String,
}

impl Place {
    /// `xpressclaw serve` on a free port of loopback, with this configuration.
    #[track_caller]
    pub fn serve(&self, yaml: &str) -> Endpoint {
        self.serve_with(yaml, |run| run)
    }

    /// The same after a change to the command.
    #[track_caller]
    pub fn serve_with(&self, yaml: &str, change: impl FnOnce(Run) -> Run) -> Endpoint {
        let config = self.file("xpressclaw.yaml", yaml);
        let serve = ["serve", "--listen", "127.0.0.1:0", "--config", &config];
        let running = change(self.command(serve).env("MOCK_KEY", crate::KEY)).start();
        let url = running.stdout.wait(|text| {
            let (line, _) = text.split_once('\n')?;
            Some(line.strip_suffix("/v1").expect("the address of the API").to_owned())
        });
        match url {
            Ok(url) => Endpoint { running, url },
            Err(text) => panic!("no address in\n{text}\n{}", running.stderr.so_far()),
        }
    }

    /// A new token of an agent of that configuration, which is there once something was served.
    #[track_caller]
    pub fn mint(&self, agent: &str) -> String {
        let config = self.path().join("xpressclaw.yaml");
        let config = config.to_str().expect("a temporary folder with a readable name");
        let done = self.command(["token", "mint", agent, "--config", config]).done().succeeded();
        done.stdout.trim().to_owned()
    }
}

impl Endpoint {
    /// What service managers send. Gives back what was printed, after an orderly end.
    #[track_caller]
    pub fn stop(self) -> Done {
        self.terminate();
        self.stopped()
    }

    /// The first half of [`Self::stop`].
    pub fn terminate(&self) {
        self.running.terminate();
    }

    /// The second.
    #[track_caller]
    pub fn stopped(self) -> Done {
        self.running.done().succeeded()
    }

    /// What no program can refuse.
    pub fn kill(self) {
        self.running.kill();
    }

    /// Whether it takes connections.
    pub fn is_open(&self) -> bool {
        TcpStream::connect(self.url.trim_start_matches("http://")).is_ok()
    }
}

/// A configuration with the agent `me` on the model `mock/m` of `server`: `provider` is the
/// provider's type, `facts` is all that the configuration says about the model, and `keys` are
/// further ones of the agent, each with a comma before it.
pub fn served(server: &Server, provider: &str, facts: &str, keys: &str) -> String {
    let url = server.base_url();
    format!(
        "agents: [{{name: me, harness: pi, model: mock/m{keys}}}]\n\
         providers: {{mock: {{type: {provider}, base_url: \"{url}\", api_key: \"env:MOCK_KEY\", \
           models: {{m: {facts}}}}}}}\n"
    )
}
