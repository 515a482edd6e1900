//! `xpressclaw harness new`: a project that builds.

use anyhow::Result;

use super::super::output;
use crate::cli::NewArgs;
use crate::exit::{Exit, Failure};

pub fn run(args: &NewArgs) -> Result<Exit> {
    let folder = args.path.clone().unwrap_or_else(|| args.name.clone().into());
    let made = kit::template::create(&folder, &args.name, args.lang.into())
        .map_err(|error| Failure::usage("cannot make the project").because(error))?;
    let shown = folder.display();
    let own: Vec<_> = made.iter().filter(|path| !path.starts_with("wit/")).collect();
    let lines: String = own.iter().map(|path| format!("{shown}/{path}\n")).collect();
    output::print(&format!("{lines}{shown}/wit/\n"))?;
    output::note(&format!(
        "next: `cd {shown}`, `xpressclaw harness build`, `xpressclaw harness test`; README.md says more"
    ));
    Ok(Exit::Ok)
}
