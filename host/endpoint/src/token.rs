//! Tokens: minted once, shown once, known by their digest ever after.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use store::token::TokenDigest;

/// So that a token is known for one, by people and by scanners of repositories.
const PREFIX: &str = "xpc_";
const RANDOM_BYTES: usize = 32;

/// A token in the clear. It is printed by its `Display` alone.
pub struct Token(String);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Token {
    pub fn digest(&self) -> TokenDigest {
        digest(&self.0)
    }
}

/// A new token of 256 random bits of the operating system's generator.
///
/// # Errors
/// When the generator has none.
pub fn mint() -> Result<Token, getrandom::Error> {
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random)?;
    Ok(Token(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random))))
}

/// What is kept of a token: its SHA-256.
pub fn digest(token: &str) -> TokenDigest {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_differ_and_have_a_digest() {
        let (one, two) = (mint().unwrap(), mint().unwrap());
        assert_ne!(one.to_string(), two.to_string());
        assert_eq!(one.to_string().len(), 4 + 43);
        assert_eq!(one.digest(), digest(&one.to_string()));
        assert_ne!(one.digest(), two.digest());
    }
}
