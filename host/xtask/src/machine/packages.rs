//! What the machine's image is made of, by the names of Debian's packages. The versions are in
//! `packages.lock`; after a change here, `cargo xtask machine-image --repin` renews it.

use crate::apt::Archive;

pub const ARCHITECTURE: &str = "riscv64";

/// The stable release that programs and kernel are from, and what it was corrected with since.
pub const SUITE: &str = "trixie";
pub const CORRECTIONS: (Archive, &str) = (Archive::Security, "trixie-security");

/// The first release whose Node.js is one that today's packages run on.
pub const NODE_SUITE: &str = "forky";

/// The kernel's source, of the release's line with long support.
pub const KERNEL: &str = "linux-source-6.12";

/// In every image: a shell and what people and agents type into it. What these need comes along.
pub const BASE: &[&str] = &[
    // The ground: folders, shell, C library's tools, the usual commands
    "base-files",
    "bash",
    "dash",
    "coreutils",
    "debianutils",
    "diffutils",
    "findutils",
    "grep",
    "hostname",
    "libc-bin",
    "mawk",
    "mount",
    "ncurses-base",
    "ncurses-bin",
    "netbase",
    "procps",
    "sed",
    "tzdata",
    "util-linux",
    // Archives
    "bzip2",
    "gzip",
    "tar",
    "unzip",
    "xz-utils",
    "zip",
    "zstd",
    // Work on text and code
    "fd-find",
    "file",
    "git",
    "jq",
    "less",
    "patch",
    "perl-base",
    "python3",
    "ripgrep",
    "tmux",
    "tree",
    "vim-tiny",
    // Network
    "ca-certificates",
    "curl",
];

/// In the full image besides.
pub const NODE: &[&str] = &["nodejs"];

/// Python's tests of itself, which the comparison of the machine's behaviour runs. In no image.
pub const TESTS: &str = "libpython3.13-testsuite";

/// What packages ask for that nobody in the machine does: package management (its scripts never run
/// here), logins, the whole of Perl for a few of git's scripts, and manuals.
pub const LEFT_OUT: &[&str] = &[
    "adduser",
    "debconf",
    "dpkg",
    "git-man",
    "init-system-helpers",
    "libdebconfclient0",
    "liberror-perl",
    "libgdbm-compat4t64",
    "libgdbm6t64",
    "libpam-modules",
    "libpam-modules-bin",
    "libpam-runtime",
    "libperl5.40",
    "libsasl2-modules-db",
    "libsemanage-common",
    "libsemanage2",
    "libsepol2",
    "login",
    "login.defs",
    "media-types",
    "node-corepack",
    "openssl",
    "openssl-provider-legacy",
    "passwd",
    "perl",
    "perl-modules-5.40",
];
