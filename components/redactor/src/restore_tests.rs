#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use super::*;
use crate::find::Finder;

const TOKEN: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\"MII\\E\"\n-----END PRIVATE KEY-----";

fn vault() -> Vault {
    let mut vault = Vault::default();
    vault.redact(&format!("{TOKEN}\n{KEY}"), &Finder::new().unwrap()).unwrap();
    vault
}

/// `text`, cut at each of `cuts`.
fn restored(text: &str, cuts: &[usize], form: Form, vault: &Vault) -> String {
    let mut restorer = Restorer::default();
    let mut out = String::new();
    let mut from = 0;
    for cut in cuts.iter().copied().chain([text.len()]) {
        out.push_str(&restorer.push(&text[from..cut], form, vault));
        from = cut;
    }
    out + &restorer.finish()
}

#[test]
fn a_placeholder_may_be_cut_anywhere() {
    let vault = vault();
    let text = "a [redacted:github-token:1], [redacted:github-token:1][[redacted:private-key:1]] b";
    let expected = format!("a {TOKEN}, {TOKEN}[{KEY}] b");
    for first in 0..=text.len() {
        for second in first..=text.len() {
            let found = restored(text, &[first, second], Form::Plain, &vault);
            assert_eq!(found, expected, "cut at {first} and {second}");
        }
    }
    let every: Vec<_> = (1..text.len()).collect();
    assert_eq!(restored(text, &every, Form::Plain, &vault), expected);
}

#[test]
fn in_json_the_original_is_escaped() {
    let vault = vault();
    let arguments = r#"{"a": "x [redacted:private-key:1]", "b": ["[redacted:github-token:1]"]}"#;
    for cut in 0..=arguments.len() {
        let found = restored(arguments, &[cut], Form::Json, &vault);
        let found: serde_json::Value = serde_json::from_str(&found).unwrap();
        assert_eq!(found["a"], format!("x {KEY}"));
        assert_eq!(found["b"][0], TOKEN);
    }
}

#[test]
fn no_more_is_held_back_than_could_be_a_placeholder() {
    let vault = vault();
    for (piece, now) in [
        ("plain", "plain"),
        ("a [", "a "),
        ("a [x", "a [x"),
        ("list[0]", "list[0]"),
        ("[redacted:", ""),
        ("[redacted:unknown", "[redacted:unknown"),
        ("[redacted:github-token:9]", "[redacted:github-token:9]"),
        ("[[", "["),
    ] {
        let mut restorer = Restorer::default();
        assert_eq!(restorer.push(piece, Form::Plain, &vault), now);
        assert_eq!(format!("{now}{}", restorer.finish()), piece, "nothing is lost");
    }
}
