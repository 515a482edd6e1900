//! Components and the worlds they are built for. Called by the repository's tests, for the shipped
//! components and for dummies: components that do nothing but have every import and export of a
//! world.

use anyhow::{Context, Result, bail};
use wac_types::{ItemKind, Package, TargetValidationReport, Type, Types, WorldId, validate_target};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

use crate::wit::Contract;

/// What the host links for every component besides the contract. A component that imports more
/// than its world and this does not start.
const WASI: &str = "\
    include wasi:cli/imports@0.2.12;\n\
    import wasi:http/types@0.2.12;\n\
    import wasi:http/outgoing-handler@0.2.12;\n";
/// A package of our own making, so that it cannot clash with one of the contract.
const TARGETS: &str = "checks:targets";

/// A component with every import and export of `world` (a name in the contract), and nothing else.
pub fn dummy(contract: &Contract, world: &str) -> Result<Vec<u8>> {
    encode_dummy(&contract.resolve, find(contract, world)?)
}

/// The same with one more import, the interface `checks:dummies/stranger@1.0.0`, which nobody
/// offers.
pub fn dummy_with_stranger(contract: &Contract, world: &str) -> Result<Vec<u8>> {
    find(contract, world)?;
    let mut resolve = contract.resolve.clone();
    let package = contract.name(worlds_package(contract)?);
    let id = push(
        &mut resolve,
        &format!(
            "package checks:dummies@1.0.0;\n\
             interface stranger {{ meet: func(); }}\n\
             world dummy {{ include {}; import stranger; }}",
            package.interface_id(world)
        ),
    )?;
    let world = resolve.packages[id].worlds.values().next().copied();
    encode_dummy(&resolve, world.context("the dummy's package has no world")?)
}

/// Plain calling convention for imports and exports: what is tested are the types.
const ABI: ManglingAndAbi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);

fn encode_dummy(resolve: &Resolve, world: wit_parser::WorldId) -> Result<Vec<u8>> {
    let mut module = dummy_module(resolve, world, ABI);
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8)?;
    let name = &resolve.worlds[world].name;
    ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .encode()
        .with_context(|| format!("the dummy for world `{name}` is no component"))
}

fn find(contract: &Contract, world: &str) -> Result<wit_parser::WorldId> {
    let worlds = &contract.resolve.packages[worlds_package(contract)?].worlds;
    worlds.get(world).copied().with_context(|| format!("the contract has no world `{world}`"))
}

/// Names of the contract's worlds that a component can be built for: those with an export.
pub fn worlds(contract: &Contract) -> Result<Vec<String>> {
    let resolve = &contract.resolve;
    let worlds = &resolve.packages[worlds_package(contract)?].worlds;
    let built_for = worlds.iter().filter(|(_, id)| !resolve.worlds[**id].exports.is_empty());
    Ok(built_for.map(|(name, _)| name.clone()).collect())
}

fn worlds_package(contract: &Contract) -> Result<wit_parser::PackageId> {
    let has_worlds = |id: &&_| !contract.resolve.packages[**id].worlds.is_empty();
    contract.packages.iter().find(has_worlds).copied().context("no package holds a world")
}

/// Checks components against the contract's worlds, each with WASI as the host links it.
pub struct Targets {
    /// The contract, and for each world one that includes it and WASI.
    encoded: Vec<u8>,
    worlds: Vec<String>,
}

impl Targets {
    pub fn of(contract: &Contract) -> Result<Self> {
        let mut resolve = contract.resolve.clone();
        let package = contract.name(worlds_package(contract)?);
        let worlds = worlds(contract)?;
        let mut text = format!("package {TARGETS};\n");
        for world in &worlds {
            let included = package.interface_id(world);
            text.push_str(&format!("world {world} {{ include {included};\n{WASI} }}\n"));
        }
        let id = push(&mut resolve, &text)?;
        Ok(Self { encoded: wit_component::encode(&resolve, id)?, worlds })
    }

    /// Whether `component` imports no more than `world` and WASI offer and exports what `world`
    /// demands; the error names every item that differs.
    pub fn check(&self, component: &[u8], world: &str) -> Result<()> {
        let mut types = Types::default();
        let contract = Package::from_bytes("contract", None, self.encoded.clone(), &mut types)?;
        let target = target(&types, contract.ty(), world)?;
        let component = Package::from_bytes("component", None, component, &mut types)
            .context("it is no component")?;
        match validate_target(&types, target, component.ty()) {
            Ok(()) => Ok(()),
            Err(report) => bail!(
                "it does not fit world `{world}`: {}; build it against the contract in wit/",
                differences(&report).join("; ")
            ),
        }
    }

    /// The worlds that `component` fits.
    pub fn fitting(&self, component: &[u8]) -> Vec<&str> {
        let fits = |world: &&str| self.check(component, world).is_ok();
        self.worlds.iter().map(String::as_str).filter(fits).collect()
    }
}

fn differences(report: &TargetValidationReport) -> Vec<String> {
    let imports = report
        .imports_not_in_target()
        .map(|name| format!("it imports `{name}`, which the world does not have"));
    let exports = report.missing_exports().map(|(name, _)| format!("it does not export `{name}`"));
    let types = report.mismatched_types().map(|(name, _, error)| format!("in `{name}`: {error:#}"));
    imports.chain(exports).chain(types).collect()
}

fn push(resolve: &mut Resolve, text: &str) -> Result<wit_parser::PackageId> {
    match resolve.push_source("targets.wit", text) {
        Ok(id) => Ok(id),
        Err(error) => bail!("{}", resolve.render_error(&error)),
    }
}

/// An encoded package exports each world as a component type that exports the world itself.
fn target(types: &Types, package: WorldId, world: &str) -> Result<WorldId> {
    let outer = match types[package].exports.get(world) {
        Some(ItemKind::Type(Type::World(outer))) => *outer,
        _ => bail!("the contract has no world `{world}`"),
    };
    match types[outer].exports.values().next() {
        Some(ItemKind::Component(world)) => Ok(*world),
        _ => bail!("world `{world}` was encoded in an unknown way"),
    }
}
