//! `xpressclaw harness push | sign`: what publishers do.

use anyhow::Result;
use artifact::Reference;
use registry::RegistryError;
use serde::Serialize;
use trust::{SignError, Signed, SigningKey};

use super::super::output;
use super::sbom::Sbom;
use super::{check, key};
use crate::cli::{Format, PushArgs, SignArgs};
use crate::commands::Context;
use crate::exit::{Exit, Failure};
use crate::registries::{Registries, failed};

/// What was published or signed, as JSON.
#[derive(Serialize)]
struct Row {
    reference: String,
    digest: String,
    /// What had to be sent; the rest was there.
    sent_bytes: u64,
    /// The key that vouches for it now.
    key: Option<String>,
    /// The digest of the manifest of its list of parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    sbom: Option<String>,
}

pub fn push(context: &Context, args: &PushArgs) -> Result<Exit> {
    let registries = Registries::new(context)?;
    registries.online("pushing")?;
    let reference = registries.reference(&args.reference)?;
    // Before anything is sent: who mistypes a password has published nothing.
    let key = args.key.as_deref().map(key::open).transpose()?;
    let path = check::component(&args.target)?;
    let bytes = kit::files::read(&path, kit::build::COMPONENT_MAX_BYTES)
        .map_err(|error| Failure::usage("there is nothing to push").because(error))?;
    let report = kit::check::check(&bytes)?;
    if !report.is_good() {
        output::note(&check::wrong_lines(&report));
        return Err(Failure::usage("the component does not keep the contract").into());
    }
    let sbom = match &args.sbom {
        Some(path) => Sbom::read(path)?,
        None => Sbom::of(&bytes, &args.target)?,
    };
    let row = block_on(async {
        let pushed = registry::push(registries.client(), &reference, bytes).await;
        let pushed = pushed.map_err(failed)?;
        let mut row = row(&pushed.reference, pushed.sent_bytes);
        let repository = &reference.repository;
        let sbom = sbom.attach(&registries, repository, pushed.manifest).await.map_err(failed)?;
        row.sbom = Some(sbom.to_string());
        if let Some(key) = &key {
            vouch(&registries, &pushed.reference, key).await?;
            vouch(&registries, &repository.at(sbom), key).await?;
            row.key = Some(key.public().id().as_str().to_owned());
        }
        Ok::<_, Failure>(row)
    })??;
    if let Some(key) = &key {
        output::note(&format!("signed by key {}, its list of parts too", key.public().id()));
    }
    print(row, args.format)
}

pub fn sign(context: &Context, args: &SignArgs) -> Result<Exit> {
    let registries = Registries::new(context)?;
    registries.online("signing")?;
    let reference = registries.reference(&args.reference)?;
    let key = key::open(&args.key)?;
    let row = block_on(async {
        let (repository, client) = (&reference.repository, registries.client());
        let found = client.manifest(repository, reference.tag(), reference.digest).await;
        let found = found
            .and_then(|found| found.ok_or_else(|| RegistryError::NotFound(reference.to_string())));
        let reference = reference.pinned(found.map_err(failed)?.digest);
        let mut row = row(&reference, 0);
        if vouch(&registries, &reference, &key).await? == Signed::Already {
            output::note("this key had signed it before");
        }
        row.key = Some(key.public().id().as_str().to_owned());
        Ok::<_, Failure>(row)
    })??;
    output::note(&format!("signed by key {}", key.public().id()));
    print(row, args.format)
}

/// Signs what has a digest.
async fn vouch(
    registries: &Registries,
    reference: &Reference,
    key: &SigningKey,
) -> Result<Signed, Failure> {
    let Some(digest) = reference.digest else {
        return Err(Failure::new(Exit::Failed, "only content with a digest is signed"));
    };
    let signed = trust::sign(registries.client(), &reference.repository, digest, key).await;
    signed.map_err(|error| match error {
        SignError::Registry(error) => failed(error),
        error => Failure::new(Exit::Failed, "it is not signed").because(error),
    })
}

fn row(reference: &Reference, sent_bytes: u64) -> Row {
    let digest = reference.digest.map(|digest| digest.to_string()).unwrap_or_default();
    Row { reference: reference.to_string(), digest, sent_bytes, key: None, sbom: None }
}

fn print(row: Row, format: Format) -> Result<Exit> {
    match format {
        Format::Json => output::print_json(&[row])?,
        Format::Text => output::print(&format!("{}\n", row.reference))?,
    }
    Ok(Exit::Ok)
}

/// Runs what asks a registry, from a command that is not asynchronous.
pub fn block_on<T>(future: impl Future<Output = T>) -> Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}
