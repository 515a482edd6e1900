//! `xpressclaw harness wit`: the contract that this program speaks, as text, as packages, or put into a
//! registry.

use anyhow::Result;

use super::super::output;
use super::publish::block_on;
use crate::cli::WitArgs;
use crate::commands::Context;
use crate::exit::Exit;
use crate::registries::{Registries, failed};

pub fn run(context: &Context, args: &WitArgs) -> Result<Exit> {
    if let Some(namespace) = &args.push {
        return push(context, namespace);
    }
    let shown = args.out.display();
    let mut made = Vec::new();
    if args.packages {
        for package in kit::wit::packages()? {
            let file = format!("{}@{}.wasm", package.name.replace(':', "-"), package.version);
            kit::files::replace(&args.out.join(&file), &package.bytes)?;
            made.push(file);
        }
    } else {
        kit::wit::write(&args.out)?;
        made.extend(kit::wit::files().into_iter().map(|(file, _)| file));
    }
    let lines: String = made.iter().map(|file| format!("{shown}/{file}\n")).collect();
    output::print(&lines)?;
    Ok(Exit::Ok)
}

/// `NAMESPACE/xpressclaw/llm:0.1.0` is the package `xpressclaw:llm@0.1.0`.
fn push(context: &Context, namespace: &str) -> Result<Exit> {
    let registries = Registries::new(context)?;
    registries.online("pushing")?;
    let mut lines = String::new();
    for package in kit::wit::packages()? {
        let path = package.name.replace(':', "/");
        let reference = format!("{namespace}/{path}:{}", package.version);
        let reference = registries.reference(&reference)?;
        let pushed = registry::push(registries.client(), &reference, package.bytes);
        let pushed = block_on(pushed)?.map_err(failed)?;
        lines.push_str(&format!("{}\n", pushed.reference));
    }
    output::print(&lines)?;
    Ok(Exit::Ok)
}
