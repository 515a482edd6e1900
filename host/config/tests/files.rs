//! Every file under `tests/data`: what it reads as, or how it is refused, stands beside it.
//! `UPDATE_EXPECTED=1 cargo test -p config` writes what stands beside; read the difference.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

use std::path::{Path, PathBuf};
use std::{env, fs};

use config::{Config, ConfigError};

/// A name that is the same on every machine; relative paths start at its folder.
const ORIGIN: &str = "conf/xpressclaw.yaml";

fn each(kind: &str, show: impl Fn(&str) -> Result<String, String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(kind);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|p| p.extension().unwrap() == "yaml").collect();
    files.sort();
    assert!(files.len() > 3, "the files are there");
    let mut wrong = Vec::new();
    for file in files {
        let beside = file.with_extension("txt");
        let text = fs::read_to_string(&file).unwrap().replace("\r\n", "\n");
        let shown = show(&text).unwrap_or_else(|what| panic!("{}: {what}", file.display()));
        if env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&beside, format!("{shown}\n")).unwrap();
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default().replace("\r\n", "\n");
        if expected.trim_end() != shown {
            wrong.push(format!("{}:\n{shown}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n\n"));
}

#[test]
fn valid_files() {
    each("valid", |text| {
        let config = Config::parse(text, Path::new(ORIGIN)).map_err(|error| error.to_string())?;
        Ok(format!("{config:#?}"))
    });
}

#[test]
fn invalid_files() {
    each("invalid", |text| {
        let error = match Config::parse(text, Path::new(ORIGIN)) {
            Err(error) => error,
            Ok(config) => return Err(format!("was accepted: {config:#?}")),
        };
        let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        let shown = format!("{error}{hint}");
        assert!(!shown.contains("very-secret"), "{shown}");
        Ok(shown)
    });
}

#[test]
fn only_a_named_file_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(config::FILE_NAME);
    assert_eq!(Config::load_default(&path).unwrap(), Config::default());
    let error = Config::load(&path).unwrap_err();
    assert!(matches!(&error, ConfigError::Missing { path: at } if *at == path), "{error}");
    assert!(error.to_string().contains(config::FILE_NAME), "{error}");

    fs::write(&path, "local: {model: a.gguf}\n").unwrap();
    for config in [Config::load(&path), Config::load_default(&path)] {
        let config = config.unwrap();
        assert_eq!(config.local.model, Some(folder.path().join("a.gguf")));
        assert_eq!(config.file.as_deref(), Some(path.as_path()));
    }

    fs::write(&path, "nothing: here\n").unwrap();
    assert!(matches!(Config::load_default(&path), Err(ConfigError::Invalid { .. })));
}

#[test]
fn a_file_that_is_no_text_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    assert!(matches!(Config::load(&path), Err(ConfigError::Read { .. })));
    fs::write(&path, "#".repeat(usize::try_from(config::FILE_MAX_BYTES).unwrap() + 1)).unwrap();
    assert!(matches!(Config::load(&path), Err(ConfigError::TooLong { .. })));
    assert!(matches!(Config::load(folder.path()), Err(ConfigError::Read { .. })));
}

#[test]
fn depth_and_repetition_are_bounded() {
    let deep = format!("agents: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut wide = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        wide += &format!("a{level}: &a{level} [{}]\n", below.trim_end_matches(", "));
    }
    for text in [deep, wide] {
        let error = Config::parse(&text, Path::new(ORIGIN)).unwrap_err();
        assert!(matches!(error, ConfigError::Syntax { .. }), "{error}");
    }
}
