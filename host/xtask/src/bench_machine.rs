//! What `bench machine` needs besides: the image, other systems that boot it, and the programs that are
//! measured, compiled for the guest from `host/bench/guest`.

use std::path::PathBuf;

use anyhow::Result;

use crate::machine::{self, Variant};
use crate::process;
use crate::settings::Settings;
use crate::stamp::{self, Inputs, sources};
use crate::system;

const COMPILER: &str = "riscv64-linux-gnu-gcc";

/// As distributions compile programs; without libraries of the root's, so that all four systems run the
/// same bytes whatever their C library.
const FLAGS: [&str; 4] = ["-O2", "-Wall", "-Werror", "-static"];

/// Prepares all, and returns the program.
pub fn prepare(settings: &Settings) -> Result<PathBuf> {
    system::install_for_machine(settings)?;
    system::install_for_comparison(settings)?;
    machine::build(settings, &[Variant::Full])?;
    let folder = settings.root.join("host/bench/guest");
    let work = settings.machine().join("bench/work");
    let version = process::output(process::command(COMPILER).arg("--version"), "read above")?;
    let inputs = Inputs::new("bench work 1").text(&version).text(&FLAGS.join(" ")).path(&folder)?;
    stamp::ensure(&work, &inputs.stamp(), &settings.lock("machine-bench"), || {
        let files = sources(&folder)?;
        let files = files.iter().filter(|file| file.extension().is_some_and(|end| end == "c"));
        let mut compiler = process::command(COMPILER);
        compiler.args(FLAGS).arg("-o").arg(&work).args(files).arg("-lm");
        process::run(&mut compiler, "read the compiler's message above")
    })?;
    Ok(work)
}
