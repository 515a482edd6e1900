//! Programs and libraries that come from the operating system. Installs what is missing on
//! Debian-like systems; elsewhere, or without the rights, says what to type.
//!
//! What is there is found by looking for the files, never by asking a package tool: it may have
//! been installed another way, and looking is free.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::process::{self, on_path, say};
use crate::settings::Settings;
use crate::stamp::hold;

struct Need {
    found: fn() -> bool,
    package: &'static str,
}

/// cmake, clang and libclang build llama.cpp and its bindings; Node.js and npm the JavaScript
/// components; Python the components that are written in it, and it unpacks the model's package;
/// curl is one of the clients that the endpoint is tested with.
const NEEDS: [Need; 9] = [
    Need { found: || on_path("cc").is_some(), package: "build-essential" },
    Need { found: || on_path("cmake").is_some(), package: "cmake" },
    Need { found: || on_path("clang").is_some(), package: "clang" },
    Need { found: has_libclang, package: "libclang-dev" },
    Need { found: || on_path("node").is_some(), package: "nodejs" },
    Need { found: || on_path("npm").is_some(), package: "npm" },
    Need { found: || on_path("python3").is_some(), package: "python3" },
    Need { found: has_pip, package: "python3-pip" },
    Need { found: || on_path("curl").is_some(), package: "curl" },
];

/// Compiler and C library for the kernel and the programs inside the machine; what else the kernel's
/// build runs; what compiles the machine's Python library, and what packs its root.
const MACHINE_NEEDS: [Need; 9] = [
    Need { found: || on_path("cc").is_some(), package: "build-essential" },
    Need { found: || on_path("riscv64-linux-gnu-gcc").is_some(), package: "gcc-riscv64-linux-gnu" },
    Need {
        found: || Path::new("/usr/riscv64-linux-gnu/lib/libc.a").is_file(),
        package: "libc6-dev-riscv64-cross",
    },
    Need { found: || on_path("flex").is_some(), package: "flex" },
    Need { found: || on_path("bison").is_some(), package: "bison" },
    Need { found: || on_path("bc").is_some(), package: "bc" },
    Need { found: || on_path("xz").is_some(), package: "xz-utils" },
    Need { found: has_user_mode, package: "qemu-user-static" },
    Need { found: || on_path("mkfs.erofs").is_some(), package: "erofs-utils" },
];

/// A real registry, what makes its password file, other programs that read it and check
/// signatures, other RISC-V machines to compare ours with, for programs and for systems (46 MB, with the
/// firmware), and the tmux that the machine has: only tests talk to them.
const TEST_NEEDS: [Need; 8] = [
    Need { found: || on_path("docker-registry").is_some(), package: "docker-registry" },
    Need { found: || on_path("skopeo").is_some(), package: "skopeo" },
    Need { found: || on_path("openssl").is_some(), package: "openssl" },
    Need { found: || on_path("htpasswd").is_some(), package: "apache2-utils" },
    Need { found: has_user_mode, package: "qemu-user-static" },
    Need { found: || on_path("qemu-system-riscv64").is_some(), package: "qemu-system-misc" },
    Need { found: has_firmware, package: "opensbi" },
    Need { found: || on_path("tmux").is_some(), package: "tmux" },
];

/// Other systems that run the machine's programs: only the benchmark and the comparison of the machine's
/// behaviour start them.
const COMPARISON_NEEDS: [Need; 3] = [
    Need { found: has_user_mode, package: "qemu-user-static" },
    Need { found: || on_path("qemu-system-riscv64").is_some(), package: "qemu-system-misc" },
    Need { found: || on_path("unshare").is_some(), package: "util-linux" },
];

/// Installs what is missing to build and run, or says how.
pub fn install_missing(settings: &Settings) -> Result<()> {
    install_all(settings, &NEEDS)
}

/// Installs what tests need besides, or says how.
pub fn install_for_tests(settings: &Settings) -> Result<()> {
    install_all(settings, &TEST_NEEDS)
}

/// Installs what the machine's image and the programs inside it are built with, or says how.
pub fn install_for_machine(settings: &Settings) -> Result<()> {
    install_all(settings, &MACHINE_NEEDS)
}

/// Installs what the machine is compared with, or says how.
pub fn install_for_comparison(settings: &Settings) -> Result<()> {
    install_all(settings, &COMPARISON_NEEDS)
}

fn install_all(settings: &Settings, needs: &[Need]) -> Result<()> {
    if missing(needs).is_empty() {
        return Ok(());
    }
    let _held = hold(&settings.lock("system"))?;
    let packages = missing(needs);
    if packages.is_empty() {
        return Ok(());
    }
    install(&packages)?;
    let still = missing(needs);
    if still.is_empty() {
        return Ok(());
    }
    bail!("installed, but still not found: {}; fix: open a new shell", still.join(" "))
}

fn missing(needs: &[Need]) -> Vec<&'static str> {
    needs.iter().filter(|need| !(need.found)()).map(|need| need.package).collect()
}

fn install(packages: &[&str]) -> Result<()> {
    let typed = format!("sudo apt-get install {}", packages.join(" "));
    if on_path("apt-get").is_none() {
        bail!(
            "missing (by their Debian names): {}; fix: install them with your package manager",
            packages.join(" ")
        );
    }
    let Some(prefix) = root_prefix() else {
        bail!("missing: {}; fix: {typed}", packages.join(" "));
    };
    let apt = |arguments: &[&str]| {
        let words: Vec<_> =
            prefix.iter().chain(&["env", "DEBIAN_FRONTEND=noninteractive"]).collect();
        let mut command = process::command(words[0]);
        command.args(&words[1..]).args(["apt-get", "-q", "-oDPkg::Lock::Timeout=300"]);
        process::run(command.args(arguments), &typed)
    };
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    say(format_args!("installing {}", packages.join(" ")));
    if has_package_lists() && apt(&arguments).is_ok() {
        return Ok(());
    }
    // No lists, or lists so old that their versions are gone from the mirrors.
    apt(&["update"])?;
    apt(&arguments)
}

/// What to put before a command to run it as root without being asked anything.
fn root_prefix() -> Option<Vec<&'static str>> {
    let ask = |program: &str, arguments: &[&str]| {
        process::command(program).args(arguments).stderr(std::process::Stdio::null()).output().ok()
    };
    if ask("id", &["-u"])?.stdout.trim_ascii() == b"0" {
        return Some(Vec::new());
    }
    ask("sudo", &["-n", "true"])?.status.success().then(|| vec!["sudo", "-n"])
}

fn has_package_lists() -> bool {
    let Ok(lists) = fs::read_dir("/var/lib/apt/lists") else {
        return false;
    };
    lists.flatten().any(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
}

fn has_user_mode() -> bool {
    ["qemu-riscv64-static", "qemu-riscv64"].iter().any(|name| on_path(name).is_some())
}

/// The firmware that QEMU starts a RISC-V machine with: beside other data of QEMU's, wherever that is.
fn has_firmware() -> bool {
    // Resolved, since a folder of programs may be a link to another.
    let program = on_path("qemu-system-riscv64").and_then(|path| path.canonicalize().ok());
    let Some(program) = program else { return false };
    let data = program.parent().and_then(Path::parent).map(|prefix| prefix.join("share/qemu"));
    data.is_some_and(|data| data.join("opensbi-riscv64-generic-fw_dynamic.bin").exists())
}

fn has_pip() -> bool {
    if on_path("pip3").is_some() || on_path("pip").is_some() {
        return true;
    }
    // `python3 -m pip` without a script of its own: worth a process, it is the rare case.
    process::command("python3")
        .args(["-m", "pip", "--version"])
        .output()
        .is_ok_and(|out| out.status.success())
}

/// Where the bindings' generator looks for libclang, too.
fn has_libclang() -> bool {
    if env::var_os("LIBCLANG_PATH").is_some() || cfg!(not(target_os = "linux")) {
        return true;
    }
    let in_dir = |dir: &Path| {
        fs::read_dir(dir).is_ok_and(|entries| {
            entries.flatten().any(|entry| is_libclang(&entry.file_name().to_string_lossy()))
        })
    };
    let llvm_dirs = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    llvm_dirs
        .map(|entry| entry.path())
        .filter_map(|path| {
            let name = path.file_name()?.to_string_lossy().into_owned();
            if name.starts_with("llvm") { Some(path.join("lib")) } else { Some(path) }
        })
        .filter(|path| path.ends_with("lib") || path.to_string_lossy().ends_with("-linux-gnu"))
        .chain(["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(Into::into))
        .any(|dir| in_dir(&dir))
}

fn is_libclang(name: &str) -> bool {
    name == "libclang.so" || name.starts_with("libclang.so.") || {
        // e.g. libclang-14.so.1, but neither libclang-cpp nor libclang_rt
        name.strip_prefix("libclang-").is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains(".so")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libclang_is_told_from_its_neighbours() {
        for (name, expected) in [
            ("libclang.so", true),
            ("libclang.so.1", true),
            ("libclang-14.so.14.0.6", true),
            ("libclang-cpp.so.14", false),
            ("libclang-cpp14.so", false),
            ("libclang_rt.asan.so", false),
            ("libclang.a", false),
        ] {
            assert_eq!(is_libclang(name), expected, "{name}");
        }
    }
}
