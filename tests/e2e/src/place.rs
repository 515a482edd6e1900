//! A place of its own for each test: data directory, workspace, scripts, configuration.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{compiled, guest};
use crate::{Run, Server, Terminal};

/// What a test's provider takes as its key: recognisable wherever it turns up.
pub const KEY: &str = "sk-e2e-5up3r53cr3t-9f8e7d6c5b4a";

/// Temporary folders, removed with it.
pub struct Place(TempDir);

impl Place {
    #[allow(clippy::new_without_default, reason = "it makes folders")]
    pub fn new() -> Self {
        let place = Self(TempDir::new().expect("a temporary folder"));
        for folder in [place.home(), place.workspace()] {
            fs::create_dir(folder).expect("a folder in a temporary folder");
        }
        place
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The working directory of every command.
    pub fn home(&self) -> PathBuf {
        self.path().join("home")
    }

    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub fn workspace(&self) -> PathBuf {
        self.path().join("workspace")
    }

    /// Writes a file and gives back its path as text.
    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.path().join(name);
        fs::write(&path, content).expect("a file in a temporary folder");
        path.into_os_string().into_string().expect("a temporary folder with a readable name")
    }

    /// Writes a script of model turns and gives back the model's name.
    pub fn script(&self, lines: &[Value]) -> String {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        format!("script:{}", self.file("script.jsonl", &text))
    }

    /// `xpressclaw <args>`.
    pub fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Run {
        Run::new(self).args(args)
    }

    /// `xpressclaw run <harness>` in the workspace; the harness is compiled before.
    pub fn run(&self, harness: &str) -> Run {
        compiled(harness);
        let workspace = self.workspace();
        Run::new(self).args(["run", harness, "--workspace"]).args([text(&workspace)])
    }

    /// The same with an agent of the configuration, which runs that harness.
    pub fn run_agent(&self, agent: &str, harness: &str) -> Run {
        compiled(harness);
        let workspace = self.workspace();
        Run::new(self).args(["run", agent, "--workspace", text(&workspace)])
    }

    /// The same with a guest that exists for tests only, which has no name to be run by.
    pub fn run_guest(&self, name: &str) -> Run {
        compiled(&format!("tests/{name}"));
        let component = guest(name);
        let workspace = self.workspace();
        Run::new(self).args(["run", text(&component), "--workspace", text(&workspace)])
    }

    /// The same as `run` with the model `mock/m` of `server`, with [`KEY`] as the key, and `facts` as all
    /// that the configuration says about the model.
    pub fn run_with(&self, harness: &str, server: &Server, facts: &str) -> Run {
        self.run_with_provider(harness, server, "type: openai", facts)
    }

    /// The same with further keys of the provider, like `type: anthropic`.
    pub fn run_with_provider(
        &self,
        harness: &str,
        server: &Server,
        keys: &str,
        facts: &str,
    ) -> Run {
        let url = server.base_url();
        let yaml = format!(
            "providers: {{mock: {{{keys}, base_url: \"{url}\", api_key: \"env:MOCK_KEY\", models: {{m: {facts}}}}}}}"
        );
        let config = self.file("xpressclaw.yaml", &yaml);
        self.run(harness).args(["--config", &config, "--model", "mock/m"]).env("MOCK_KEY", KEY)
    }

    /// The same in a terminal.
    pub fn terminal<'a>(&self, harness: &str, args: impl IntoIterator<Item = &'a str>) -> Terminal {
        Terminal::start(self.run(harness).args(args))
    }

    /// A file of the workspace.
    pub fn read(&self, name: &str) -> String {
        let path = self.workspace().join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Every file below this place that holds `needle`, wherever it is: what a secret must not do.
    pub fn files_holding(&self, needle: &str) -> Vec<PathBuf> {
        let mut folders = vec![self.path().to_path_buf()];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a readable folder").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if holds(&fs::read(&path).expect("a readable file"), needle.as_bytes()) {
                    found.push(path);
                }
            }
        }
        found
    }
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary folder with a readable name")
}
