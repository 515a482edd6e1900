//! One server of a session, and what is heard of it.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mcp::{CallError, Hooks, Output, Servers, Spec, Tool};
use serde_json::Map;

/// Far above what any of this takes.
pub const DEADLINE: Duration = Duration::from_secs(60);

pub struct Place {
    pub folder: tempfile::TempDir,
    pub servers: Servers,
    pub notices: Arc<Mutex<Vec<String>>>,
    pub stderr: Arc<Mutex<Vec<String>>>,
}

impl Place {
    /// `spec` is given a folder of its own.
    pub fn new(spec: impl FnOnce(&Path) -> Spec) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spec = spec(folder.path());
        let (notices, stderr) =
            (Arc::<Mutex<Vec<String>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let keep = |list: &Arc<Mutex<Vec<String>>>| {
            let list = list.clone();
            Arc::new(move |_: &str, text: &str| list.lock().unwrap().push(text.to_owned()))
        };
        let hooks = Hooks { notice: keep(&notices), stderr: keep(&stderr) };
        Self { folder, servers: Servers::new(vec![spec], hooks), notices, stderr }
    }

    pub fn tool(&self, name: &str) -> Tool {
        let found = self.servers.tools().iter().find(|tool| tool.name == name).cloned();
        found.unwrap_or_else(|| panic!("no {name}: {:?}", self.notices.lock().unwrap()))
    }

    pub async fn call(&self, name: &str) -> Result<Output, CallError> {
        self.servers.call(&self.tool(name), Map::new()).await
    }

    pub fn notices(&self) -> String {
        self.notices.lock().unwrap().join("\n")
    }

    /// What the server wrote down.
    pub fn notes(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("notes")).unwrap_or_default()
    }

    pub async fn noted(&self, line: &str) {
        until(|| self.notes().lines().any(|found| found == line)).await;
    }
}

pub async fn until(mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < end, "the condition never held");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub fn text(output: &Output) -> String {
    match &*output.parts {
        [domain::Part::Text(text)] => text.clone(),
        parts => panic!("{parts:?}"),
    }
}
