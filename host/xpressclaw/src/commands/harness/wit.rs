//! `xpressclaw harness wit`: the contract that this program speaks, as text or as packages.

use anyhow::Result;

use super::super::output;
use crate::cli::WitArgs;
use crate::exit::Exit;

pub fn run(args: &WitArgs) -> Result<Exit> {
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
