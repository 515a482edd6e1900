//! What a model is called here: the name of its file without the ending.

use std::fmt;

use url::Url;

/// The ending of every model file.
const ENDING: &str = ".gguf";
/// With the ending and what stands around it while it is downloaded, still a file name on every
/// file system.
const MAX_BYTES: usize = 200;

/// A name that is one file in one folder on every system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModelName(String);

/// Why a text is no model's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("`{text}` is no name for a model: letters, digits, `.`, `_` and `-`, not a dot first")]
    Character { text: String },
    #[error("the name of a model has at most {MAX_BYTES} characters")]
    Length,
    #[error("{url} does not end with the name of a .gguf file")]
    NoFile { url: Url },
    #[error("{file} is one of several parts; only models in one file can be used")]
    Part { file: String },
}

impl ModelName {
    /// A name, with or without `.gguf`.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let stem = strip_ending(text).unwrap_or(text);
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if stem.is_empty() || stem.starts_with(['.', '-']) || !stem.chars().all(allowed) {
            return Err(NameError::Character { text: text.to_owned() });
        }
        if stem.len() > MAX_BYTES {
            return Err(NameError::Length);
        }
        Ok(Self(stem.to_owned()))
    }

    /// The name that a download has when it is given no other.
    pub fn from_url(url: &Url) -> Result<Self, NameError> {
        let no_file = || NameError::NoFile { url: url.clone() };
        let file = url.path_segments().and_then(|mut all| all.next_back()).ok_or_else(no_file)?;
        let stem = strip_ending(file).ok_or_else(no_file)?;
        // As llama.cpp's splitting writes it: NAME-00001-of-00003.
        let part = stem.rsplit_once("-of-").is_some_and(|(before, count)| {
            let digits = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
            digits(count) && before.rsplit('-').next().is_some_and(digits)
        });
        if part {
            return Err(NameError::Part { file: file.to_owned() });
        }
        Self::new(stem)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of its file.
    pub fn file(&self) -> String {
        format!("{}{ENDING}", self.0)
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn strip_ending(text: &str) -> Option<&str> {
    let at = text.len().checked_sub(ENDING.len())?;
    let (stem, ending) = text.split_at_checked(at)?;
    ending.eq_ignore_ascii_case(ENDING).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_file() {
        for good in ["qwen3-4b", "Qwen3-4B-Q4_K_M.gguf", "a.b", "x.GGUF"] {
            let name = ModelName::new(good).unwrap();
            assert!(good.starts_with(name.as_str()) && name.file().ends_with(ENDING), "{good}");
        }
        for bad in ["", ".gguf", "..", ".hidden", "-x", "a/b", "a\\b", "a b", "a:b", "é", "a\n"] {
            assert!(matches!(ModelName::new(bad), Err(NameError::Character { .. })), "{bad}");
        }
        assert_eq!(ModelName::new(&"x".repeat(MAX_BYTES + 1)), Err(NameError::Length));
    }

    #[test]
    fn a_download_is_named_after_its_url() {
        let named = |url: &str| ModelName::from_url(&Url::parse(url).unwrap());
        let given = "https://example.com/a/resolve/main/Model-Q8_0.gguf?download=true";
        assert_eq!(named(given).unwrap().as_str(), "Model-Q8_0");
        for none in ["https://example.com", "https://example.com/x/", "https://example.com/x.bin"] {
            assert!(matches!(named(none), Err(NameError::NoFile { .. })), "{none}");
        }
        let part = named("https://example.com/big-00001-of-00003.gguf");
        assert!(matches!(part, Err(NameError::Part { .. })));
        assert!(named("https://example.com/a-of-12345.gguf").is_ok());
        assert!(named("https://example.com/a%2Fb.gguf").is_err());
    }
}
