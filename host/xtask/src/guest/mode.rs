//! The ways to get a std for the guests' target, and the order to try them in. Pure: what each way
//! does is in the sibling modules.

use anyhow::{Result, bail};

/// One way to get a std for the guests' target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// The active toolchain has it.
    Installed,
    /// `rustup target add`.
    RustupAdd,
    /// Built from the source that rustup's `rust-src` component put into the active toolchain.
    RustSrc,
    /// Built from Debian's `rust-src`, if Debian has the very release of the active compiler.
    DebSrc,
    /// Built with Debian's `rustc-web` from Debian's `rust-web-src`: compiler and source come
    /// together, so this works whatever the active release is.
    DebRustc,
}

/// Cheapest first, surest last.
const ALL: [Mode; 5] =
    [Mode::Installed, Mode::RustupAdd, Mode::RustSrc, Mode::DebSrc, Mode::DebRustc];

impl Mode {
    pub fn name(self) -> &'static str {
        match self {
            Mode::Installed => "installed",
            Mode::RustupAdd => "rustup-add",
            Mode::RustSrc => "rust-src",
            Mode::DebSrc => "deb-src",
            Mode::DebRustc => "deb-rustc",
        }
    }
}

/// The modes named in `list` (comma-separated), or all when there is no list.
pub fn parse(list: Option<&str>) -> Result<Vec<Mode>> {
    let Some(list) = list.map(str::trim).filter(|list| !list.is_empty()) else {
        return Ok(ALL.to_vec());
    };
    let mut modes = Vec::new();
    for name in list.split(',').map(str::trim) {
        let Some(mode) = ALL.into_iter().find(|mode| mode.name() == name) else {
            let names: Vec<_> = ALL.iter().map(|mode| mode.name()).collect();
            bail!(
                "XPRESSCLAW_GUEST_TOOLCHAIN: unknown way {name:?}; use a comma-separated list of {}",
                names.join(", ")
            );
        };
        if !modes.contains(&mode) {
            modes.push(mode);
        }
    }
    Ok(modes)
}

/// Picks the first mode that is ready; when none is, prepares them in order until one succeeds.
/// So a std built once is found again before anything is tried, downloaded or built.
pub fn choose<T>(
    modes: &[Mode],
    mut ready: impl FnMut(Mode) -> Option<T>,
    mut prepare: impl FnMut(Mode) -> Result<T>,
) -> Result<T, Vec<(Mode, anyhow::Error)>> {
    if let Some(found) = modes.iter().find_map(|mode| ready(*mode)) {
        return Ok(found);
    }
    let mut failures = Vec::new();
    for &mode in modes {
        match prepare(mode) {
            Ok(made) => return Ok(made),
            Err(error) => failures.push((mode, error)),
        }
    }
    Err(failures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_restricts_and_orders() {
        let check = |list: Option<&str>, expected: &[Mode]| {
            assert_eq!(parse(list).unwrap(), expected, "{list:?}");
        };
        check(None, &ALL);
        check(Some(" "), &ALL);
        check(Some("deb-rustc"), &[Mode::DebRustc]);
        check(Some("deb-src, installed,deb-src"), &[Mode::DebSrc, Mode::Installed]);
    }

    #[test]
    fn an_unknown_way_is_refused_with_the_known_ones() {
        let error = parse(Some("rust-source")).unwrap_err().to_string();
        assert!(error.contains("\"rust-source\"") && error.contains("rust-src"), "{error}");
    }

    #[test]
    fn what_is_ready_wins_over_what_comes_earlier() {
        let chosen = choose(
            &ALL,
            |mode| (mode == Mode::DebRustc).then_some(mode),
            |mode| panic!("{mode:?} must not be prepared"),
        );
        assert_eq!(chosen.unwrap(), Mode::DebRustc);
    }

    #[test]
    fn ways_are_prepared_in_order_until_one_succeeds() {
        let mut tried = Vec::new();
        let chosen = choose(
            &ALL,
            |_| None,
            |mode| {
                tried.push(mode);
                if mode == Mode::RustSrc { Ok(mode) } else { bail!("not this way") }
            },
        );
        assert_eq!(chosen.unwrap(), Mode::RustSrc);
        assert_eq!(tried, [Mode::Installed, Mode::RustupAdd, Mode::RustSrc]);
    }

    #[test]
    fn when_all_fail_each_says_why() {
        let failures =
            choose::<()>(&ALL[3..], |_| None, |mode| bail!("no {}", mode.name())).unwrap_err();
        let texts: Vec<_> = failures.iter().map(|(_, error)| error.to_string()).collect();
        assert_eq!(texts, ["no deb-src", "no deb-rustc"]);
    }
}
