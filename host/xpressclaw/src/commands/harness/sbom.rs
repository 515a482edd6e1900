//! Lists of parts (SBOM): what `harness push` attaches, and `xpressclaw harness sbom`, which prints it.

use std::path::Path;

use anyhow::Result;
use artifact::{Descriptor, Digest};

use super::super::output;
use super::publish::block_on;
use crate::cli::SbomArgs;
use crate::commands::Context;
use crate::exit::{Exit, Failure};
use crate::registries::Registries;

/// Some ten thousand parts, each with its hashes.
const MAX_BYTES: u64 = 16 << 20;
const SPDX_MEDIA_TYPE: &str = "application/spdx+json";
const SPDX_TITLE: &str = "sbom.spdx.json";
const KINDS: [&str; 2] = [kit::sbom::MEDIA_TYPE, SPDX_MEDIA_TYPE];

/// A list of parts.
pub struct Sbom {
    kind: &'static str,
    title: &'static str,
    content: Vec<u8>,
}

impl Sbom {
    /// Made from a component and the project that it was built from.
    pub fn of(component: &[u8], target: &Path) -> Result<Self, Failure> {
        let project = target.is_dir().then_some(target);
        let hash = Digest::of(component);
        let content = kit::sbom::of(component, hash.hex().as_ref(), project)
            .map_err(|error| Failure::usage("its parts cannot be listed").because(error))?;
        Ok(Self { kind: kit::sbom::MEDIA_TYPE, title: kit::sbom::TITLE, content })
    }

    /// Made by another tool.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let failed = || Failure::usage(format!("{shown} cannot be attached"));
        let content = kit::files::read(path, MAX_BYTES).map_err(|error| failed().because(error))?;
        let document: serde_json::Value = serde_json::from_slice(&content)
            .map_err(|error| failed().because(error).hint("write it as JSON"))?;
        let (kind, title) = if document["bomFormat"] == "CycloneDX" {
            (kit::sbom::MEDIA_TYPE, kit::sbom::TITLE)
        } else if document["spdxVersion"].is_string() {
            (SPDX_MEDIA_TYPE, SPDX_TITLE)
        } else {
            return Err(failed().hint("it is neither CycloneDX nor SPDX"));
        };
        Ok(Self { kind, title, content })
    }

    /// Attaches it to what was pushed.
    pub async fn attach(
        self,
        registries: &Registries,
        repository: &artifact::Repository,
        subject: Descriptor,
    ) -> Result<Digest, registry::RegistryError> {
        let Self { kind, title, content } = self;
        registries.client().attach(repository, subject, kind, title, content).await
    }
}

pub fn run(context: &Context, args: &SbomArgs) -> Result<Exit> {
    let registries = Registries::new(context)?;
    let reference = registries.reference(&args.reference)?;
    let found = block_on(async {
        let opened = registries.open(&reference).await?;
        registries.attached(&opened.reference, &KINDS, MAX_BYTES).await
    })??;
    let Some(content) = found else {
        let failure = Failure::new(Exit::Failed, format!("{reference} has no list of parts"));
        return Err(failure.hint("`xpressclaw harness push` attaches one").into());
    };
    output::print(&String::from_utf8_lossy(&content))?;
    Ok(Exit::Ok)
}
