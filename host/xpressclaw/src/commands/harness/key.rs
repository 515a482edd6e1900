//! `xpressclaw harness key`: a pair of keys in cosign's layout.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use trust::SigningKey;

use super::super::output;
use crate::cli::KeyArgs;
use crate::environment;
use crate::exit::{Exit, Failure};
use crate::registries;

pub fn run(args: &KeyArgs) -> Result<Exit> {
    let password = password()?;
    let with = |ending: &str| {
        let mut path = args.name.clone().into_os_string();
        path.push(ending);
        std::path::PathBuf::from(path)
    };
    let (private, public) = (with(".key"), with(".pub"));
    for path in [&private, &public] {
        if path.exists() {
            return Err(Failure::usage(format!("{} is there already", path.display()))
                .hint("a key that is lost cannot be made again; name another file")
                .into());
        }
    }
    let made = SigningKey::generate(&password);
    let (key, text) = made.map_err(|e| Failure::new(Exit::Failed, "no key was made").because(e))?;
    write(&private, &text, 0o600)?;
    write(&public, &key.public().to_pem(), 0o644)?;
    output::note(&format!(
        "{} is to be kept secret; {} is for those who are to trust you",
        private.display(),
        public.display()
    ));
    output::print(&format!("{}\n", key.public().id()))?;
    Ok(Exit::Ok)
}

/// Opens a private key with the password of the environment.
pub fn open(path: &Path) -> Result<SigningKey, Failure> {
    let text = registries::key_file(path)?;
    SigningKey::open(&text, &password()?).map_err(|error| {
        Failure::usage(format!("the key {} cannot be used", path.display())).because(error)
    })
}

fn password() -> Result<String, Failure> {
    // Empty is a password here, and unset is none.
    std::env::var(environment::COSIGN_PASSWORD.name).map_err(|_| {
        let name = environment::COSIGN_PASSWORD.name;
        Failure::usage("the key's password is not known")
            .hint(format!("set {name}; to the empty text for a key without a password"))
    })
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|e| {
        Failure::new(Exit::Failed, format!("cannot write {}", path.display())).because(e)
    })
}
