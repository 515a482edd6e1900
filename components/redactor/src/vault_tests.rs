#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use super::*;

const TOKEN: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
const OTHER: &str = "ghp_26C7e42F292c6912E7710c838347Ae178B4b";

#[test]
fn placeholders_are_stable_and_lead_back() {
    let finder = Finder::new().unwrap();
    let mut vault = Vault::default();
    let text = format!("{OTHER} {TOKEN} {OTHER}");
    let redacted = vault.redact(&text, &finder).unwrap();
    assert_eq!(
        redacted,
        "[redacted:github-token:1] [redacted:github-token:2] [redacted:github-token:1]"
    );
    assert_eq!(vault.redact(TOKEN, &finder).unwrap(), "[redacted:github-token:2]");
    assert_eq!(vault.secret("[redacted:github-token:2]"), Some(TOKEN));
    assert_eq!(vault.secret("[redacted:github-token:3]"), None);
    // What is redacted has nothing left to redact.
    assert_eq!(vault.redact(&redacted, &finder), None);
}

#[test]
fn a_known_secret_is_found_without_its_name() {
    let finder = Finder::new().unwrap();
    let mut vault = Vault::default();
    assert_eq!(vault.redact("it is hunter2hunter2", &finder), None);
    vault.redact("password=hunter2hunter2", &finder).unwrap();
    assert_eq!(
        vault.redact("it is hunter2hunter2!", &finder).unwrap(),
        "it is [redacted:password:1]!"
    );
}

#[test]
fn the_log_gets_counts_alone() {
    let finder = Finder::new().unwrap();
    let mut vault = Vault::default();
    assert_eq!(vault.take_news(), None);
    vault.redact(&format!("{TOKEN} {OTHER} password=hunter2hunter2"), &finder);
    let news = vault.take_news().unwrap();
    assert_eq!(news, "kept from the model: 2 github-token, 1 password (3 in all)");
    vault.redact(TOKEN, &finder);
    assert_eq!(vault.take_news(), None);
}

#[test]
fn past_the_most_that_is_kept_secrets_are_redacted_for_good() {
    let finder = Finder::new().unwrap();
    let mut vault = Vault::default();
    let token = |n: usize| format!("ghp_16C7e42F292c6912E7710c838347Ae1{n:05}");
    let text: Vec<_> = (0..SECRETS_MAX + 5).map(token).collect();
    let redacted = vault.redact(&text.join(" "), &finder).unwrap();
    assert!(!redacted.contains("ghp_"));
    assert!(redacted.ends_with(" [redacted:github-token]"));
    assert!(redacted.contains(&format!("[redacted:github-token:{SECRETS_MAX}]")));
}
