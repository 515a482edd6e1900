//! The kernel's configuration as the repository holds it: only what is wished. Kconfig drops without a
//! word what it does not know or what lacks a dependency, so every wish is looked up in the outcome.

/// The lines of `fragment` that `config`, the outcome, does not fulfil.
pub fn lost<'a>(fragment: &'a str, config: &str) -> Vec<&'a str> {
    fragment
        .lines()
        .map(str::trim)
        .filter(|line| match wish(line) {
            Some(Wish::Set) => !config.lines().any(|found| found == *line),
            Some(Wish::Unset(name)) => config.lines().any(|found| sets(found, name)),
            None => false,
        })
        .collect()
}

enum Wish<'a> {
    Set,
    Unset(&'a str),
}

fn wish(line: &str) -> Option<Wish<'_>> {
    if line.starts_with("CONFIG_") {
        return Some(Wish::Set);
    }
    let name = line.strip_prefix("# ")?.strip_suffix(" is not set")?;
    name.starts_with("CONFIG_").then_some(Wish::Unset(name))
}

fn sets(line: &str, name: &str) -> bool {
    line.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_that_did_not_survive_are_found() {
        let fragment = "# Words about CONFIG_NET=y, not a wish\nCONFIG_NET=y\n\n  CONFIG_LOCALVERSION=\"-x\"\n\
            # CONFIG_SMP is not set\n# CONFIG_VMAP is not set\n";
        let check = |config: &str, expected: &[&str]| {
            assert_eq!(lost(fragment, config), expected, "{config}");
        };
        check("CONFIG_NET=y\nCONFIG_LOCALVERSION=\"-x\"\n# CONFIG_SMP is not set\n", &[]);
        check("CONFIG_NET=m\nCONFIG_LOCALVERSION=\"-x\"\n", &["CONFIG_NET=y"]);
        check("CONFIG_NET=y\nCONFIG_LOCALVERSION=\"\"\n", &["CONFIG_LOCALVERSION=\"-x\""]);
        let set = "CONFIG_NET=y\nCONFIG_LOCALVERSION=\"-x\"\nCONFIG_SMP=y\nCONFIG_VMAP_STACK=y\n";
        check(set, &["# CONFIG_SMP is not set"]);
    }

    #[test]
    fn the_repositorys_fragment_is_made_of_wishes() {
        let fragment = include_str!("../../machine/kernel.config");
        let wishes = lost(fragment, "").len();
        assert!(wishes > 50, "{wishes}");
        assert!(fragment.lines().all(|line| line.len() <= 110));
        for line in fragment.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            assert!(matches!(wish(line), Some(Wish::Set)), "{line}");
        }
    }
}
