//! Keys, and where they are kept. Configuration names a key (`env:NAME`, `file:PATH`); only the
//! binary resolves `env:`, and nothing here can print the key itself.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A key file holds one line. 64 KiB leaves room for the longest tokens (signed identity tokens
/// are a few KiB) and stops `file:` from swallowing a disk image.
const KEY_FILE_MAX_BYTES: u64 = 64 << 10;

/// A key. Not empty, one line, printable ASCII, so that it fits an HTTP header. Its `Debug` never
/// shows it, and it has no `Display` and no serialization.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why a text is no key. The text itself is never part of the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("the key is empty")]
    Empty,
    #[error("the key holds a line break, a blank or another character that no key has")]
    Character,
}

impl Secret {
    /// Takes a key, without the blanks and line breaks around it.
    pub fn new(key: impl AsRef<str>) -> Result<Self, SecretError> {
        let key = key.as_ref().trim();
        if key.is_empty() {
            return Err(SecretError::Empty);
        }
        if !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(SecretError::Character);
        }
        Ok(Self(key.to_owned()))
    }

    /// Takes the value of a header that may have blanks inside, like the name of a program.
    pub fn header_value(value: impl AsRef<str>) -> Result<Self, SecretError> {
        let value = value.as_ref().trim();
        Self::new(value.replace(' ', ""))?;
        Ok(Self(value.to_owned()))
    }

    /// The key itself: for the request's header and for removing it from messages, nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a key is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// `env:NAME`, an environment variable. Resolved by the binary, which alone reads them.
    Env(String),
    /// `file:PATH`, a file that holds the key and nothing else.
    File(PathBuf),
}

/// Why a reference could not be read. A text without a known prefix may well be the key itself,
/// so the message never repeats it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretRefError {
    #[error("a key is given by reference, never itself: write `env:NAME` or `file:PATH`")]
    NotAReference,
    #[error(
        "`env:` must be followed by the name of an environment variable, like `env:OPENAI_API_KEY`"
    )]
    VariableName,
    #[error("`file:` must be followed by a path, like `file:/etc/xpressclaw/openai.key`")]
    NoPath,
}

impl FromStr for SecretRef {
    type Err = SecretRefError;

    fn from_str(text: &str) -> Result<Self, SecretRefError> {
        match text.trim().split_once(':') {
            Some(("env", name)) => {
                let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
                if name.is_empty()
                    || name.starts_with(|c: char| c.is_ascii_digit())
                    || !name.bytes().all(letter)
                {
                    return Err(SecretRefError::VariableName);
                }
                Ok(Self::Env(name.to_owned()))
            }
            Some(("file", "")) => Err(SecretRefError::NoPath),
            Some(("file", path)) => Ok(Self::File(PathBuf::from(path))),
            _ => Err(SecretRefError::NotAReference),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

/// Why a key file gave no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("the key file {} could not be read", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the key file {} is longer than {KEY_FILE_MAX_BYTES} bytes", path.display())]
    TooLong { path: PathBuf },
    #[error("the key file {} must hold the key alone", path.display())]
    Content { path: PathBuf, source: SecretError },
}

/// Reads the key in a file; blanks and line breaks around it do not belong to it. Blocks.
pub fn read_key_file(path: &Path) -> Result<Secret, KeyFileError> {
    let read = |source| KeyFileError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    std::fs::File::open(path)
        .map_err(read)?
        .take(KEY_FILE_MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(read)?;
    if text.len() as u64 > KEY_FILE_MAX_BYTES {
        return Err(KeyFileError::TooLong { path: path.to_owned() });
    }
    Secret::new(&text).map_err(|source| KeyFileError::Content { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_printed() {
        let key = Secret::new("  sk-very-secret\n").unwrap();
        assert_eq!(key.expose(), "sk-very-secret");
        assert_eq!(format!("{key:?} {key:#?}"), "Secret(…) Secret(…)");
        assert_eq!(Secret::new(" \n"), Err(SecretError::Empty));
        assert_eq!(Secret::header_value(" My App ").unwrap().expose(), "My App");
        assert_eq!(Secret::header_value("My\tApp"), Err(SecretError::Character));
        for bad in ["two\nlines", "two words", "schlüssel", "a\0b"] {
            assert_eq!(Secret::new(bad), Err(SecretError::Character), "{bad:?}");
        }
    }

    #[test]
    fn references() {
        for (text, expected) in [
            ("env:OPENAI_API_KEY", Ok(SecretRef::Env("OPENAI_API_KEY".into()))),
            (" env:_x1 ", Ok(SecretRef::Env("_x1".into()))),
            ("file:/run/keys/a b", Ok(SecretRef::File("/run/keys/a b".into()))),
            ("file:C:\\keys\\a", Ok(SecretRef::File("C:\\keys\\a".into()))),
            ("env:", Err(SecretRefError::VariableName)),
            ("env:1X", Err(SecretRefError::VariableName)),
            ("env:A-B", Err(SecretRefError::VariableName)),
            ("file:", Err(SecretRefError::NoPath)),
            ("sk-proj-oops", Err(SecretRefError::NotAReference)),
            ("", Err(SecretRefError::NotAReference)),
            ("ENV:X", Err(SecretRefError::NotAReference)),
        ] {
            let read = text.parse::<SecretRef>();
            if let Ok(reference) = &read {
                assert_eq!(reference.to_string(), text.trim());
            }
            assert_eq!(read, expected, "{text}");
        }
        let message = "sk-proj-oops".parse::<SecretRef>().unwrap_err().to_string();
        assert!(!message.contains("oops"), "{message}");
    }

    #[test]
    fn key_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "sk-1\r\n").unwrap();
        assert_eq!(read_key_file(&path).unwrap().expose(), "sk-1");
        std::fs::write(&path, "").unwrap();
        assert!(matches!(read_key_file(&path), Err(KeyFileError::Content { .. })));
        std::fs::write(&path, "sk-secret-1\nsk-secret-2\n").unwrap();
        let message = read_key_file(&path).unwrap_err().to_string();
        assert!(!message.contains("sk-secret"), "{message}");
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(matches!(read_key_file(&path), Err(KeyFileError::Read { .. })));
        std::fs::write(&path, "x".repeat(KEY_FILE_MAX_BYTES as usize + 1)).unwrap();
        assert!(matches!(read_key_file(&path), Err(KeyFileError::TooLong { .. })));
        let missing = read_key_file(&folder.path().join("none")).unwrap_err();
        assert!(missing.to_string().contains("none"), "{missing}");
    }
}
