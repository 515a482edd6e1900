//! Who the user is to a registry: from what the binary found in the environment, from Docker's
//! configuration and its helpers, from `gh`. Each is for one registry, and sent to no other.

use std::fmt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::error::RegistryError;

const GITHUB_REGISTRY: &str = "ghcr.io";
/// A helper may have to unlock a keyring; one that takes longer waits for something nobody sees.
const HELPER_TIME: Duration = Duration::from_secs(20);
const CONFIG_MAX_BYTES: u64 = 1 << 20;

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A user and a password or token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub user: String,
    pub secret: Secret,
}

/// Where credentials are looked for, in this order.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A registry and `TOKEN` or `USER:TOKEN`.
    pub own: Option<(String, Secret)>,
    /// A token for GitHub's registry.
    pub github: Option<Secret>,
    /// Docker's `config.json`.
    pub docker: Option<PathBuf>,
    /// Whether `gh` may be asked for a token for GitHub's registry.
    pub gh: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DockerConfig {
    auths: std::collections::HashMap<String, DockerAuth>,
    cred_helpers: std::collections::HashMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DockerAuth {
    auth: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Helped {
    username: String,
    secret: String,
}

impl Sources {
    /// The credential for `registry`; `None`: it is asked anonymously.
    pub(crate) async fn find(&self, registry: &str) -> Result<Option<Credential>, RegistryError> {
        if let Some((own, secret)) = &self.own
            && own == registry
        {
            return Ok(Some(token(secret.expose())));
        }
        if registry == GITHUB_REGISTRY
            && let Some(secret) = &self.github
        {
            return Ok(Some(token(secret.expose())));
        }
        if let Some(found) = self.docker(registry).await? {
            return Ok(Some(found));
        }
        if self.gh && registry == GITHUB_REGISTRY {
            let mut gh = Command::new("gh");
            gh.args(["auth", "token", "--hostname", "github.com"]);
            // Not installed, or not signed in: it is no error to be nobody.
            if let Ok(text) = run(gh, "gh", "").await
                && !text.trim().is_empty()
            {
                return Ok(Some(token(text.trim())));
            }
        }
        Ok(None)
    }

    async fn docker(&self, registry: &str) -> Result<Option<Credential>, RegistryError> {
        let Some(path) = &self.docker else { return Ok(None) };
        let unreadable = || RegistryError::DockerConfig { path: path.clone() };
        match std::fs::metadata(path) {
            Err(_) => return Ok(None),
            Ok(metadata) if metadata.len() > CONFIG_MAX_BYTES => return Err(unreadable()),
            Ok(_) => {}
        }
        let text = std::fs::read(path).map_err(|_| unreadable())?;
        let config: DockerConfig = serde_json::from_slice(&text).map_err(|_| unreadable())?;
        let helper = config.cred_helpers.get(registry).or(config.creds_store.as_ref());
        if let Some(name) = helper {
            let program = format!("docker-credential-{name}");
            if name.contains(['/', '\\']) {
                return Err(unreadable());
            }
            let mut command = Command::new(&program);
            command.arg("get");
            let answer = match run(command, &program, registry).await {
                Ok(answer) => answer,
                // The store knows many registries; that it lacks one is how it says so.
                Err(_) if !config.cred_helpers.contains_key(registry) => return Ok(None),
                Err(error) => return Err(error),
            };
            let helped: Helped = serde_json::from_str(&answer).map_err(|_| {
                RegistryError::Helper { program, reason: "its answer is no credential".into() }
            })?;
            return Ok(Some(Credential {
                user: helped.username,
                secret: Secret::new(helped.secret),
            }));
        }
        let entry = config.auths.iter().find(|(name, _)| host(name) == registry);
        let Some(auth) = entry.and_then(|(_, auth)| auth.auth.as_deref()) else { return Ok(None) };
        let decoded = STANDARD.decode(auth).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let decoded = decoded.ok_or_else(unreadable)?;
        let (user, secret) = decoded.split_once(':').ok_or_else(unreadable)?;
        Ok(Some(Credential { user: user.into(), secret: Secret::new(secret) }))
    }
}

/// A token alone goes under any name: registries that take tokens look at nothing else.
fn token(text: &str) -> Credential {
    let (user, secret) = text.split_once(':').unwrap_or(("token", text));
    Credential { user: user.into(), secret: Secret::new(secret) }
}

/// Old files have URLs there.
fn host(name: &str) -> &str {
    let name = name.strip_prefix("https://").or(name.strip_prefix("http://")).unwrap_or(name);
    name.split('/').next().unwrap_or_default()
}

/// Its output is a secret, and its errors may be: neither is shown.
async fn run(mut command: Command, program: &str, input: &str) -> Result<String, RegistryError> {
    let failed = |reason: String| RegistryError::Helper { program: program.to_owned(), reason };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that reads nothing has closed it.
        let _ = stdin.write_all(input.as_bytes()).await;
    }
    let ended = tokio::time::timeout(HELPER_TIME, child.wait_with_output()).await;
    let output = ended
        .map_err(|_| failed(format!("it said nothing for {} s", HELPER_TIME.as_secs())))?
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(format!("it ended with {}", output.status)));
    }
    String::from_utf8(output.stdout).map_err(|_| failed("its answer is no text".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_credential_is_for_its_registry() {
        let folder = tempfile::tempdir().unwrap();
        let docker = folder.path().join("config.json");
        let auth = STANDARD.encode("me:docker-secret");
        let text = format!(r#"{{"auths":{{"https://example.com/v1/":{{"auth":"{auth}"}}}}}}"#);
        std::fs::write(&docker, text).unwrap();
        let sources = Sources {
            own: Some(("own.example".into(), Secret::new("you:own-secret"))),
            github: Some(Secret::new("github-secret")),
            docker: Some(docker.clone()),
            gh: false,
        };
        for (registry, expected) in [
            ("own.example", Some(("you", "own-secret"))),
            ("ghcr.io", Some(("token", "github-secret"))),
            ("example.com", Some(("me", "docker-secret"))),
            ("evil.example", None),
            ("ghcr.io.evil.example", None),
        ] {
            let found = sources.find(registry).await.unwrap();
            let found = found.as_ref().map(|c| (c.user.as_str(), c.secret.expose()));
            assert_eq!(found, expected, "{registry}");
        }
        assert!(!format!("{sources:?}").contains("secret\""), "{sources:?}");
        std::fs::write(&docker, "{").unwrap();
        assert!(sources.find("example.com").await.is_err());
        std::fs::write(&docker, r#"{"credHelpers":{"example.com":"not-installed"}}"#).unwrap();
        let error = sources.find("example.com").await.unwrap_err().to_string();
        assert!(error.contains("docker-credential-not-installed"), "{error}");
    }
}
