//! Registries: who the user is to them, who is trusted there, and what was pulled from them.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use artifact::{Reference, Repository};
use cache::Cache;
use config::KeySource;
use domain::namespace::{OFFICIAL, Proof};
use registry::{Client, LOCK_FILE, Lock, Network, Opened, RegistryError, Secret, Sources, Store};
use trust::{KEY_FILE_MAX_BYTES, Policy, PublicKey, Rule, SignatureGate};

use crate::commands::{Context, asks_for, note, size};
use crate::environment;
use crate::exit::{Exit, Failure};

/// Everything between a reference and a component that may be run.
pub struct Registries {
    store: Store,
    policy: Policy,
    /// What a short name is short for.
    namespace: String,
    network: Network,
}

impl Registries {
    /// Asks nobody yet.
    pub fn new(context: &Context) -> Result<Self, Failure> {
        let configured = &context.config.registry;
        let (namespace, origin) = match (environment::REGISTRY.text(), &configured.namespace) {
            (Some(namespace), _) => (namespace, environment::REGISTRY.name),
            (None, Some(namespace)) => (namespace.clone(), "`registry.namespace`"),
            (None, None) => (OFFICIAL.to_owned(), "the official namespace"),
        };
        // With some name behind it, it must be a repository.
        let repository = Repository::parse(&format!("{namespace}/name")).map_err(|error| {
            Failure::usage(format!("{origin} cannot be used")).because(error).hint(
                "write a registry and a path, like `ghcr.io/acme/harnesses`, without `https://`",
            )
        })?;
        let policy = policy(context)?;
        let options = registry::Options {
            proxy: environment::proxy(),
            insecure: configured.insecure.iter().cloned().collect(),
            ..registry::Options::default()
        };
        let client = Client::new(options, sources(repository.registry()));
        let gate = Arc::new(SignatureGate::new(policy.clone()));
        let cache = Cache::new(context.paths.artifacts());
        let store = Store::new(cache, Arc::new(client), gate);
        let network = if context.offline { Network::Never } else { Network::Missing };
        Ok(Self { store, policy, namespace, network })
    }

    pub fn client(&self) -> &Client {
        self.store.client()
    }

    /// Only over the network.
    pub fn online(&self, what: &str) -> Result<(), Failure> {
        match self.network {
            Network::Never => {
                Err(Failure::usage(format!("{what} needs the network"))
                    .hint("leave `--offline` out"))
            }
            _ => Ok(()),
        }
    }

    /// What the user typed, as a reference.
    pub fn reference(&self, typed: &str) -> Result<Reference, Failure> {
        Reference::parse(typed, &self.namespace).map_err(|error| {
            Failure::usage(format!("`{}` is no reference", typed.escape_debug())).because(error)
        })
    }

    /// Whether anything from there could ever be let through: without a key that is known, or a rule
    /// that asks for none, asking the registry is in vain.
    pub fn is_open(&self, repository: &Repository) -> bool {
        let ruling = self.policy.over(&repository.to_string());
        ruling.proof != Proof::Require || !ruling.keys.is_empty()
    }

    /// A component that passed the policy just now.
    pub async fn open(&self, reference: &Reference) -> Result<Opened, Failure> {
        self.open_as(reference, self.network).await
    }

    /// The same, with what the registry has today.
    pub async fn fresh(&self, reference: &Reference) -> Result<Opened, Failure> {
        let network = if self.network == Network::Never { Network::Never } else { Network::Fresh };
        self.open_as(reference, network).await
    }

    /// What is attached to a component, of one of these kinds; judged like the component.
    pub async fn attached(
        &self,
        reference: &Reference,
        kinds: &[&str],
        max: u64,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let network = if self.network == Network::Never { Network::Never } else { Network::Fresh };
        self.store.attached(reference, kinds, max, network).await.map_err(failed)
    }

    async fn open_as(&self, reference: &Reference, network: Network) -> Result<Opened, Failure> {
        let progress = crate::commands::download_progress();
        let opened = self.store.open(reference, network, &progress).await.map_err(failed)?;
        if let Some(warning) = &opened.admission.warning {
            note(&format!("warning: {warning}"));
        }
        if opened.pulled {
            note(&format!("pulled {}, {}", opened.reference, size(opened.component.len() as u64)));
            // Before its first use, whatever that is.
            asks_for(&opened.component).iter().for_each(|line| note(line));
        }
        Ok(opened)
    }
}

/// The names that the working directory pins.
pub fn lock() -> Result<Lock, Failure> {
    Lock::read(Path::new(LOCK_FILE))
        .map_err(|error| Failure::usage("the lock file cannot be used").because(error))
}

/// An error of a registry with its exit code and what helps.
pub fn failed(error: RegistryError) -> Failure {
    let (exit, message, hint) = match &error {
        RegistryError::Refused { source, .. } => {
            (Exit::Failed, "it is not used".to_owned(), source.fix.clone())
        }
        RegistryError::Offline(_) | RegistryError::Reference(_) => {
            (Exit::Usage, "there is nothing to use".to_owned(), None)
        }
        _ => (Exit::Failed, "the registry was of no help".to_owned(), None),
    };
    let failure = Failure::new(exit, message).because(error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Whom the user is to registries. The token of ours is for the registry of short names, and goes to
/// no other.
fn sources(registry: &str) -> Sources {
    let docker = environment::DOCKER_CONFIG
        .path()
        .or_else(|| std::env::home_dir().map(|home| home.join(".docker")));
    Sources {
        own: environment::REGISTRY_TOKEN
            .text()
            .map(|token| (registry.to_owned(), Secret::new(token))),
        github: environment::GITHUB_TOKEN.text().map(Secret::new),
        docker: docker.map(|folder| folder.join("config.json")),
        gh: true,
    }
}

/// The policy of the configuration, its keys read.
fn policy(context: &Context) -> Result<Policy, Failure> {
    let rule = |trust: &config::Trust| {
        let keys = trust.keys.iter().map(key).collect::<Result<_, _>>()?;
        Ok(Rule { pattern: trust.namespace.clone(), proof: trust.signatures, keys })
    };
    Ok(Policy::new(context.config.trust.iter().map(rule).collect::<Result<_, Failure>>()?))
}

fn key(source: &KeySource) -> Result<PublicKey, Failure> {
    let (name, text) = match source {
        KeySource::Pem(text) => ("a key in the configuration".to_owned(), text.clone()),
        KeySource::File(path) => (path.display().to_string(), key_file(path)?),
    };
    PublicKey::from_pem(&text)
        .map_err(|error| Failure::usage(format!("{name} cannot be used")).because(error))
}

/// The text of a key's file.
pub fn key_file(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let file = std::fs::File::open(path);
    file.and_then(|file| file.take(KEY_FILE_MAX_BYTES as u64 + 1).read_to_string(&mut text))
        .map_err(|e| {
            Failure::usage(format!("cannot read the key {}", path.display())).because(e)
        })?;
    Ok(text)
}
