#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use super::*;

/// Text, then what is found in it, each as kind and secret.
type Case = (&'static str, &'static [(&'static str, &'static str)]);

fn check(cases: &[Case]) {
    let finder = Finder::new().unwrap();
    for (text, expected) in cases {
        let found = finder.find(text);
        let found: Vec<_> = found.iter().map(|f| (f.kind, &text[f.range.clone()])).collect();
        assert_eq!(found, *expected, "in {text}");
    }
}

#[test]
fn what_the_issuers_format_says_is_found() {
    check(&[
        (
            "use ghp_16C7e42F292c6912E7710c838347Ae178B4a, please",
            &[("github-token", "ghp_16C7e42F292c6912E7710c838347Ae178B4a")],
        ),
        (
            "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789",
            &[("github-token", "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789")],
        ),
        ("glpat-Zx8_kQ2nVb7mLp4sT9wY", &[("gitlab-token", "glpat-Zx8_kQ2nVb7mLp4sT9wY")]),
        (
            "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\nAWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
            &[
                ("aws-access-key", "AKIAIOSFODNN7EXAMPLE"),
                ("aws-secret-key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            ],
        ),
        ("(xoxb-2147483647-abcdefXYZ)", &[("slack-token", "xoxb-2147483647-abcdefXYZ")]),
        (
            "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXX1234",
            &[("slack-webhook", "T00000000/B00000000/XXXXXXXX1234")],
        ),
        (
            "key=AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY",
            &[("google-key", "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY")],
        ),
        ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", &[("stripe-key", "sk_live_4eC39HqLyjWDarjtT1zdp7dc")]),
        (
            "//registry/:_authToken=npm_aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789",
            &[("npm-token", "npm_aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789")],
        ),
        (
            "hf_aBcDeFgHiJkLmNoPqRsTuVwXyZ01234567",
            &[("huggingface-token", "hf_aBcDeFgHiJkLmNoPqRsTuVwXyZ01234567")],
        ),
        (
            "sk-ant-api03-Qm9ndXNLZXlGb3JUZXN0czEyMzQ1Njc4OTA",
            &[("anthropic-key", "sk-ant-api03-Qm9ndXNLZXlGb3JUZXN0czEyMzQ1Njc4OTA")],
        ),
        (
            "OPENAI_API_KEY=\"sk-proj-a8F3kL9mQ2xR7vT5wY1zB4c\"",
            &[("api-key", "sk-proj-a8F3kL9mQ2xR7vT5wY1zB4c")],
        ),
        (
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
            &[(
                "jwt",
                "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
            )],
        ),
        (
            "Authorization: Bearer 9f8a7b6c5d4e3f2a1b0c.Zx8kQ2nV",
            &[("bearer-token", "9f8a7b6c5d4e3f2a1b0c.Zx8kQ2nV")],
        ),
    ]);
}

#[test]
fn private_keys_are_found_whole_and_cut_off() {
    let whole = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC=\n-----END RSA PRIVATE KEY-----";
    let finder = Finder::new().unwrap();
    for (before, key, after) in [
        ("the key:\n", whole, "\nand more"),
        ("", "-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----", "\"}"),
        ("", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk", ""),
        ("", "-----BEGIN PGP PRIVATE KEY BLOCK-----\nx\n-----END PGP PRIVATE KEY BLOCK-----", "."),
    ] {
        let text = format!("{before}{key}{after}");
        let found = finder.find(&text);
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!((found[0].kind, &text[found[0].range.clone()]), ("private-key", key));
    }
    check(&[("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", &[])]);
}

#[test]
fn assignments_and_addresses_are_found() {
    check(&[
        ("DB_PASSWORD=Tr0ub4dor&3", &[("password", "Tr0ub4dor&3")]),
        ("password: \"hunter2hunter2\"", &[("password", "hunter2hunter2")]),
        ("{\\\"password\\\": \\\"pa55-w0rd-x\\\"}", &[("password", "pa55-w0rd-x")]),
        ("The password is not written here. pwd = 'S3cr3t!x'.", &[("password", "S3cr3t!x")]),
        ("set passwd: Ab12345.", &[("password", "Ab12345")]),
        ("client_secret => 8f14e45fceea167a5a36", &[("token", "8f14e45fceea167a5a36")]),
        ("X-Api-Key: 3f9c2b7a1d4e8f60", &[("token", "3f9c2b7a1d4e8f60")]),
        ("postgres://app:p4ssw0rd!x@db.internal:5432/app", &[("url-password", "p4ssw0rd!x")]),
        ("redis://:9s8d7f6g5h@cache:6379", &[("url-password", "9s8d7f6g5h")]),
    ]);
}

#[test]
fn what_only_looks_like_a_secret_is_left_alone() {
    let none: &[(&str, &str)] = &[];
    let texts = [
        "a task-list-with-a-very-long-name-2024-06-01 and risk-assessment-of-everything-0001",
        "sk-estimator-checks-for-every-classifier",
        "password: string, token: Option<String>, secret = None",
        "let token = next_token(&mut lexer);",
        "const apiKey = process.env.OPENAI_API_KEY2;",
        "api_key: env:OPENAI_API_KEY_2, api_key: file:keys/house_01",
        "password=${DB_PASSWORD_01} password={{ vault.db1 }} password=$PASS12",
        "postgres://postgres:postgres@localhost/app",
        "http://localhost:8080/a@b and https://example.com:443/x@y",
        "3f9c2b7a1d4e8f605a36e45fceea167a8f14e45f is a commit",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "550e8400-e29b-41d4-a716-446655440000",
        "ghp_tooshort, AKIASHORT, xoxb-, AIza, eyJ.eyJ.x",
        "tokens: 128000, max_tokens=4096, token_count: 1234567890123",
        "The secretary's keyboard: pwd prints /home/user1",
        "[redacted:github-token:1] and password=[redacted:password:2]",
        "",
    ];
    for text in texts {
        check(&[(text, none)]);
    }
}

#[test]
fn overlapping_rules_give_one_secret() {
    check(&[
        (
            "GITHUB_TOKEN=ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            &[("github-token", "ghp_16C7e42F292c6912E7710c838347Ae178B4a")],
        ),
        (
            "token: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
            &[("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N")],
        ),
    ]);
}

#[test]
fn text_of_any_script_is_cut_between_characters() {
    check(&[
        ("пароль: password=Ключ12345ß7!", &[("password", "Ключ12345ß7!")]),
        ("🦀token=a1b2c3d4e5f6g7🦀", &[("token", "a1b2c3d4e5f6g7🦀")]),
    ]);
}
