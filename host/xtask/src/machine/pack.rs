//! The root's files as a file system image: erofs, because Linux reads it straight from the device and
//! the same files give the same bytes.
//!
//! Not compressed: the guest would unpack at a hundredth of the speed at which the host reads, and the
//! host's copy is mapped, not loaded.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::entries;
use crate::process;
use crate::settings::Settings;
use crate::stamp::{self, Inputs, remove};

const FIX: &str = "free some disk space";

/// Of every file; any moment does, as long as it is the same one. 2026-01-01.
const TIMESTAMP: &str = "1767225600";
/// The same for every image: nobody tells images apart by it.
const UUID: &str = "78707265-7373-636c-6177-000000000001";

/// Programs of the machine's own, and where they are in the root.
pub const PROGRAMS: [(&str, &str); 2] =
    [("init", "usr/lib/xpressclaw/init"), ("xclaw", "usr/bin/xclaw")];

/// Packs `tree`, made by `tree_stamp`, with the programs that lie in the folder `programs`.
pub fn pack(settings: &Settings, tree: &Path, programs: &Path, image: &Path) -> Result<()> {
    let mut inputs = Inputs::new("root 1").text(&stamp::of(tree)?).text(TIMESTAMP).text(UUID);
    for (name, _) in PROGRAMS {
        inputs = inputs.path(&programs.join(name))?;
    }
    let stamp = inputs.stamp();
    stamp::ensure(image, &stamp, &settings.lock("machine-root"), || {
        for (name, to) in PROGRAMS {
            let (from, to) = (programs.join(name), tree.join(to));
            let program =
                fs::read(&from).with_context(|| format!("cannot read {}", from.display()))?;
            entries::write(&to, &program, 0o755)?;
        }
        let partial = image.with_extension("partial");
        remove(&partial)?;
        let mut mkfs = process::command("mkfs.erofs");
        mkfs.args(["--quiet", "--all-root", "-T", TIMESTAMP, "-U", UUID]).arg(&partial).arg(tree);
        process::run(&mut mkfs, FIX)?;
        fs::rename(&partial, image).with_context(|| format!("cannot rename to {}", image.display()))
    })
}
