//! The facts of a model, read from the header of its file without loading it.
//!
//! Called when a [`crate::LocalModel`] is opened, so that a wrong file is refused then, with its
//! path, and `model()` can answer before anything is loaded. Reads a few megabytes at most (the
//! vocabulary is part of the header), never the weights.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use llama_cpp_2::gguf::GgufContext;

use crate::backend::route_logs;
use crate::error::OpenError;

/// First bytes of every GGUF file.
const MAGIC: &[u8; 4] = b"GGUF";
/// Numbers of the value types in the GGUF specification (its `gguf_metadata_value_type`). The
/// reader aborts on a getter of the wrong type, so each is checked first.
const TYPE_U32: u32 = 4;
const TYPE_STRING: u32 = 8;
const TYPE_U64: u32 = 10;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub architecture: String,
    /// The context window that the model was trained with, in tokens.
    pub context: u32,
    pub chat_template: String,
}

pub(crate) fn read(path: &Path) -> Result<Facts, OpenError> {
    route_logs();
    check_magic(path)?;
    let damaged = || OpenError::Damaged { path: path.to_owned() };
    let no_key = |key: &str| OpenError::NoKey { path: path.to_owned(), key: key.to_owned() };
    let gguf = GgufContext::from_file(path).ok_or_else(damaged)?;
    let architecture =
        string(&gguf, "general.architecture").ok_or_else(|| no_key("general.architecture"))?;
    let context_key = format!("{architecture}.context_length");
    let context = number(&gguf, &context_key).ok_or_else(|| no_key(&context_key))?;
    let chat_template = string(&gguf, "tokenizer.chat_template")
        .filter(|template| !template.trim().is_empty())
        .ok_or_else(|| OpenError::NoTemplate { path: path.to_owned() })?;
    Ok(Facts { architecture, context, chat_template })
}

fn check_magic(path: &Path) -> Result<(), OpenError> {
    let path_buf = || path.to_owned();
    let read = |source| OpenError::Read { path: path_buf(), source };
    if path.to_str().is_none() {
        // llama.cpp takes paths as C strings of UTF-8.
        return Err(read(io::Error::new(ErrorKind::InvalidInput, "the path is not valid UTF-8")));
    }
    let mut file = File::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => OpenError::Missing { path: path_buf() },
        _ => read(source),
    })?;
    let mut magic = [0; 4];
    match file.read_exact(&mut magic) {
        Ok(()) if &magic == MAGIC => Ok(()),
        Ok(()) => Err(OpenError::NotGguf { path: path_buf() }),
        Err(source) if source.kind() == ErrorKind::UnexpectedEof => {
            Err(OpenError::NotGguf { path: path_buf() })
        }
        Err(source) => Err(read(source)),
    }
}

fn string(gguf: &GgufContext, key: &str) -> Option<String> {
    let index = gguf.find_key(key);
    (index >= 0 && gguf.kv_type(index) == TYPE_STRING)
        .then(|| gguf.val_str(index).map(str::to_owned))?
}

fn number(gguf: &GgufContext, key: &str) -> Option<u32> {
    let index = gguf.find_key(key);
    if index < 0 {
        return None;
    }
    match gguf.kv_type(index) {
        TYPE_U32 => Some(gguf.val_u32(index)),
        TYPE_U64 => Some(u32::try_from(gguf.val_u64(index)).unwrap_or(u32::MAX)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let missing = dir.path().join("none.gguf");
        assert!(matches!(read(&missing), Err(OpenError::Missing { .. })));
        assert!(matches!(read(dir.path()), Err(OpenError::Read { .. })));
        for (name, bytes) in [("empty", &b""[..]), ("short", b"GG"), ("zip", b"PK\x03\x04....")] {
            assert!(matches!(read(&file(name, bytes)), Err(OpenError::NotGguf { .. })), "{name}");
        }
        let cut = file("cut.gguf", b"GGUF\x03\x00\x00\x00\xff\xff");
        assert!(matches!(read(&cut), Err(OpenError::Damaged { .. })));
    }

    #[test]
    fn a_header_without_a_template_is_a_base_model() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("base.gguf");
        let mut bytes = Vec::from(*MAGIC);
        bytes.extend(3u32.to_le_bytes());
        bytes.extend(0u64.to_le_bytes());
        bytes.extend(2u64.to_le_bytes());
        let key = |bytes: &mut Vec<u8>, key: &str, kind: u32| {
            bytes.extend((key.len() as u64).to_le_bytes());
            bytes.extend(key.as_bytes());
            bytes.extend(kind.to_le_bytes());
        };
        key(&mut bytes, "general.architecture", TYPE_STRING);
        bytes.extend(5u64.to_le_bytes());
        bytes.extend(b"llama");
        key(&mut bytes, "llama.context_length", TYPE_U32);
        bytes.extend(2_048u32.to_le_bytes());
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(read(&path), Err(OpenError::NoTemplate { .. })));
    }
}
