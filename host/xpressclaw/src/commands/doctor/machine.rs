//! The machine's image. It is read whole, which is how a damaged one shows before a command needs it.

use config::{Config, Machine};
use machine::Folder;

use super::Check;
use crate::commands::output::size;
use crate::environment::MACHINE_PATH;
use crate::paths::Paths;

const WHAT: &str = "machine";

pub fn image(config: &Config, paths: &Paths) -> Check {
    let folder = Folder::new(paths.machine());
    let shown = folder.path().display();
    if folder.holds_an_image() {
        return match folder.check() {
            Ok(bytes) => Check::ok(WHAT, format!("{shown}, {}", size(bytes))),
            Err(error) => Check::warn(WHAT, format!("{:#}", anyhow::Error::new(error)))
                .hint("make the image again: `cargo xtask machine-image`"),
        };
    }
    let hint = format!("name the folder of its image with {}", MACHINE_PATH.name);
    let mut agents = config.agents.iter().map(|agent| agent.machine).chain([config.machine]);
    if agents.any(|machine| matches!(machine, Some(Machine::On { .. }))) {
        return Check::fail(WHAT, format!("agents shall have one, and {shown} has no image"))
            .hint(hint);
    }
    Check::warn(WHAT, format!("no image in {shown}: agents cannot run commands")).hint(hint)
}
