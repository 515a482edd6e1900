//! `cargo xtask compare machine`: the machine's programs on our computer and under QEMU's user mode, with
//! all cases; `cargo xtask test` runs the quick ones.

use std::ffi::OsString;

use anyhow::{Result, bail};

use crate::components;
use crate::host;
use crate::machine::{self, Variant};
use crate::process;
use crate::settings::{Profile, Settings};
use crate::system;

const USAGE: &str = "`cargo xtask compare machine [group | text …]` compares all cases, or those of a \
                     group, or those with a text in their names";

/// `words`: what is compared, and what chooses among the cases.
pub fn run(settings: &Settings, words: &[OsString]) -> Result<()> {
    let Some((what, cases)) = words.split_first() else { bail!(USAGE) };
    if what != "machine" {
        bail!(USAGE);
    }
    system::install_missing(settings)?;
    system::install_for_comparison(settings)?;
    machine::build(settings, &[Variant::Base, Variant::Full])?;
    let tests = machine::python_tests::archive(settings)?;
    components::build(settings, &["computer".into()])?;
    host::compile(settings, Profile::Development, &["behaviour"])?;
    let mut behaviour = process::command(settings.binary(Profile::Development, "behaviour"));
    behaviour.arg(tests).args(cases);
    host::add_variables(&mut behaviour, settings);
    process::become_program(&mut behaviour, "read the lines that begin with DIFFERS")
}
