//! Building std for a guests' target, once per compiler, into a sysroot of its own below the
//! cache. Called by `guest` when no ready-made std can be had.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::debian;
use super::rustc::{Rustc, has_std};
use super::target::Target;
use crate::apt::PrivateApt;
use crate::process::{self, say};
use crate::settings::{Settings, utf8};
use crate::stamp::{create_dir, ensure, is_fresh, remove};

/// What std links besides itself; Debian's wasi-libc has all of them.
const LIBC_FILES: [&str; 3] = ["crt1-command.o", "crt1-reactor.o", "libc.a"];

/// The stds that were or can be built.
pub struct StdBuilds<'a> {
    pub settings: &'a Settings,
    /// The compiler that builds the host.
    pub active: &'a Rustc,
    pub target: Target,
}

impl StdBuilds<'_> {
    fn dir(&self) -> PathBuf {
        self.settings.cache.join("guest-toolchain")
    }

    fn sysroot(&self, rustc: &Rustc) -> PathBuf {
        self.dir().join(format!("sysroot-{}", rustc.id(self.target)))
    }

    /// Where Debian's compiler is unpacked.
    pub fn debian_prefix(&self) -> PathBuf {
        self.dir().join("debian")
    }

    /// The sysroot that was built for `rustc`, if one was.
    pub fn built(&self, rustc: &Rustc) -> Option<PathBuf> {
        let sysroot = self.sysroot(rustc);
        is_fresh(&sysroot, &rustc.id(self.target)).then_some(sysroot)
    }

    /// Builds std for `rustc` from `library`, the folder of that name in rustc's source tree. It
    /// must be of the very release, or it will not compile.
    pub fn build(&self, rustc: &Rustc, library: &Path) -> Result<PathBuf> {
        self.build_from(rustc, || Ok(library.to_path_buf()))
    }

    /// For the active compiler, from Debian's package of its source.
    pub fn build_from_debian_source(&self) -> Result<PathBuf> {
        let release = self.active.release()?;
        let unpacked = self.dir().join(format!("source-{release}"));
        let sysroot = self.build_from(self.active, || {
            let apt = PrivateApt::new(&self.dir().join("apt"), debian::FIX)?;
            debian::unpack_source(&apt, release, &unpacked)
        })?;
        remove(&unpacked)?; // 430 MB, needed only while building
        Ok(sysroot)
    }

    /// With and for Debian's compiler, from Debian's package of its source.
    pub fn build_with_debian_compiler(&self) -> Result<(Rustc, PathBuf)> {
        let prefix = self.debian_prefix();
        let library = prefix.join("usr/lib/rustlib/src/rust/library");
        ensure(&library, "rustc-web 1", &self.settings.lock("debian-rustc"), || {
            let apt = PrivateApt::new(&self.dir().join("apt"), debian::FIX)?;
            debian::unpack_compiler(&apt, &prefix)
        })?;
        let rustc = debian::compiler(&prefix)?;
        let sysroot = self.build(&rustc, &library)?;
        remove(&prefix.join("usr/src"))?; // as above
        Ok((rustc, sysroot))
    }

    fn build_from(
        &self,
        rustc: &Rustc,
        library: impl FnOnce() -> Result<PathBuf>,
    ) -> Result<PathBuf> {
        let sysroot = self.sysroot(rustc);
        ensure(&sysroot, &rustc.id(self.target), &self.settings.lock("guest-toolchain"), || {
            let library = library()?;
            let partial = sysroot.with_extension("partial");
            remove(&partial)?;
            remove(&sysroot)?;
            create_dir(&self.libraries(&partial))?;
            if self.target == Target::Component {
                self.add_libc(&partial)?;
            }
            self.compile(rustc, &library, &partial)?;
            fs::rename(&partial, &sysroot)
                .with_context(|| format!("cannot rename to {}", sysroot.display()))
        })?;
        Ok(sysroot)
    }

    fn add_libc(&self, sysroot: &Path) -> Result<()> {
        let unpacked = self.dir().join("wasi-libc");
        let apt = PrivateApt::new(&self.dir().join("apt"), debian::FIX)?;
        debian::unpack_wasi_libc(&apt, &unpacked)?;
        let to = self.libraries(sysroot).join("self-contained");
        create_dir(&to)?;
        for file in LIBC_FILES {
            let from = unpacked.join("usr/lib").join(self.target.triple()).join(file);
            fs::copy(&from, to.join(file))
                .with_context(|| format!("cannot copy {}", from.display()))?;
        }
        remove(&unpacked)
    }

    fn compile(&self, rustc: &Rustc, library: &Path, sysroot: &Path) -> Result<()> {
        let target = self.target.triple();
        say(format_args!("building std for {target} (about two minutes, once)"));
        let build = self.dir().join("build");
        remove(&build)?;
        let library = library
            .canonicalize()
            .with_context(|| format!("no std source in {}", library.display()))?;
        let mut flags = vec![
            "-Zforce-unstable-if-unmarked".to_owned(),
            "-Cembed-bitcode=yes".to_owned(),
            format!("--sysroot={}", utf8(sysroot)?),
            format!("--remap-path-prefix={}=std", utf8(&library)?),
        ];
        flags.extend(self.target.flags().iter().map(|flag| (*flag).to_owned()));
        let mut cargo = process::cargo();
        cargo
            .args(["build", "--release", "--locked", "--target", target, "--manifest-path"])
            .arg(library.join("sysroot/Cargo.toml"))
            .args(["--no-default-features", "--features", "panic-unwind", "--target-dir"])
            .arg(&build)
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
            .env("RUSTC", &rustc.path)
            // std uses unstable features; the guests built with it cannot.
            .env("RUSTC_BOOTSTRAP", "1")
            .env_remove("RUSTC_WRAPPER")
            .current_dir(&library);
        process::run(&mut cargo, "read the compiler's message above")?;
        let made = build.join(target).join("release/deps");
        for entry in fs::read_dir(&made).with_context(|| format!("no {}", made.display()))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "rlib")
                && let Some(name) = path.file_name()
            {
                fs::copy(&path, self.libraries(sysroot).join(name))?;
            }
        }
        if !has_std(sysroot, self.target) {
            bail!("the build in {} made no libstd", build.display());
        }
        remove(&build)
    }

    fn libraries(&self, sysroot: &Path) -> PathBuf {
        sysroot.join("lib/rustlib").join(self.target.triple()).join("lib")
    }
}
