//! What a secret looks like, as a table.
//!
//! A rule is looked at where one of its `anchors` stands (ASCII, without regard to case); `pattern`
//! must match from there. The secret is the pattern's group, or all of it where there is none.
//! Earlier rules win. The formats are those that the issuers document; see the README.

/// One kind of secret.
pub struct Rule {
    /// Stands in the placeholder: lower case and dashes.
    pub kind: &'static str,
    pub anchors: &'static [&'static str],
    /// Without `^`, which is put before it.
    pub pattern: &'static str,
    pub begins: Begins,
    pub doubt: Doubt,
}

/// What may stand before an anchor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// No letter, digit, `_` or `-`: `task-…` is no `sk-…`.
    Word,
    Anywhere,
}

/// What else a match must be like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The format says it all.
    None,
    /// As random as a generated key.
    Key,
    /// No mere word, name or reference: a person's password passes.
    Password,
}

const fn token(
    kind: &'static str,
    anchors: &'static [&'static str],
    pattern: &'static str,
) -> Rule {
    Rule { kind, anchors, pattern, begins: Begins::Word, doubt: Doubt::None }
}

/// From a name like `DB_PASSWORD` to its value: quotes, escaped or not, and `:`, `=` or `=>`.
macro_rules! assigned {
    ($value:literal) => {
        concat!(r#"(?i)[a-z0-9_-]*\\?["']?\s*(?:=>|:=|[:=])\s*\\?["']?"#, $value)
    };
}

pub const RULES: &[Rule] = &[
    Rule {
        kind: "private-key",
        anchors: &["-----BEGIN "],
        // One that was cut off ends where its text does.
        pattern: r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:[\s\S]*?-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s\\:,.-]*)",
        begins: Begins::Anywhere,
        doubt: Doubt::None,
    },
    token("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], r"gh[pousr]_[A-Za-z0-9]{30,}"),
    token("github-token", &["github_pat_"], r"github_pat_[A-Za-z0-9_]{22,}"),
    token("gitlab-token", &["glpat-"], r"glpat-[A-Za-z0-9_-]{20,}"),
    token("aws-access-key", &["AKIA", "ASIA"], r"(?:AKIA|ASIA)[A-Z2-7]{16}"),
    Rule {
        kind: "aws-secret-key",
        anchors: &["secret_access_key", "secretaccesskey"],
        pattern: assigned!(r#"([A-Za-z0-9/+=]{40})"#),
        begins: Begins::Anywhere,
        doubt: Doubt::Key,
    },
    token(
        "slack-token",
        &["xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-"],
        r"xox[abeoprs]-[A-Za-z0-9-]{10,}",
    ),
    token(
        "slack-webhook",
        &["hooks.slack.com/services/"],
        r"hooks\.slack\.com/services/([A-Za-z0-9/]{20,})",
    ),
    token("google-key", &["AIza"], r"AIza[A-Za-z0-9_-]{35}"),
    token(
        "stripe-key",
        &["sk_live_", "sk_test_", "rk_live_", "rk_test_"],
        r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
    ),
    token("npm-token", &["npm_"], r"npm_[A-Za-z0-9]{36}"),
    token("pypi-token", &["pypi-AgEI"], r"pypi-AgEI[A-Za-z0-9_-]{40,}"),
    token("huggingface-token", &["hf_"], r"hf_[A-Za-z0-9]{30,}"),
    token("jwt", &["eyJ"], r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    token("anthropic-key", &["sk-ant-"], r"sk-ant-[A-Za-z0-9_-]{20,}"),
    Rule {
        kind: "api-key",
        anchors: &["sk-"],
        pattern: r"sk-[A-Za-z0-9_-]{20,}",
        begins: Begins::Word,
        doubt: Doubt::Key,
    },
    Rule {
        kind: "bearer-token",
        anchors: &["bearer "],
        pattern: r"(?i)bearer\s+([A-Za-z0-9._~+/-]{20,}=*)",
        begins: Begins::Word,
        doubt: Doubt::Key,
    },
    Rule {
        kind: "url-password",
        anchors: &["://"],
        pattern: r#"://[^\s:/@"'<>]*:([^\s/@"'<>{}$]{6,})@[^\s@]"#,
        begins: Begins::Anywhere,
        doubt: Doubt::Password,
    },
    Rule {
        kind: "password",
        anchors: &["password", "passwd", "passphrase", "pwd"],
        pattern: assigned!(r#"([^\s"'`,;<>(){}\[\]$\\]{6,})"#),
        begins: Begins::Anywhere,
        doubt: Doubt::Password,
    },
    Rule {
        kind: "token",
        anchors: &[
            "token",
            "secret",
            "api_key",
            "api-key",
            "apikey",
            "access_key",
            "access-key",
            "accesskey",
            "auth_key",
            "private_key",
            "credential",
        ],
        pattern: assigned!(r#"([^\s"'`,;<>(){}\[\]$\\]{12,})"#),
        begins: Begins::Anywhere,
        doubt: Doubt::Password,
    },
];
