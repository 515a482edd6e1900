//! `bench pull`: a cold pull against `skopeo`, out of the same registry on loopback and in turns; a
//! cached component, resolved and verified; and a start from a pinned reference against one from a
//! path.
//!
//! The component is pi's, with a section of random bytes to make it ten million bytes. What the
//! cached resolve does is: read the manifest, hash it, read the component, hash it, read what was
//! signed and check the signature. Beside it stands the least that it could be: reading the file and
//! hashing it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use artifact::{Digest, Reference};
use cache::Cache;
use domain::namespace::{Pattern, Proof};
use registry::{Client, Network, Options, Sources, Store};
use served::Served;
use trust::{Policy, Rule, SignatureGate, SigningKey};

use crate::run_pi;
use crate::server::Server;
use crate::stats::{conditions, median, millis, quantile, verdict};

const ROUNDS: usize = 15;
const RESOLVES: usize = 100;
const COMPONENT_BYTES: usize = 10_000_000;
/// What the specification promises, in milliseconds.
const RESOLVE_MS: f64 = 10.0;
const START_MS: f64 = 10.0;

pub fn run(arguments: &[String]) -> Result<()> {
    let rounds = match arguments.first() {
        Some(text) => text.parse().context("the number of rounds")?,
        None => ROUNDS,
    };
    ensure!(rounds > 0, "at least one round is needed");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let served = Served::anonymous();
    let world = World { folder: folder.path(), registry: served.address.clone() };
    println!("{}, {rounds} rounds in turns\n", conditions());
    let reference = runtime.block_on(world.publish())?;
    world.cold(&reference, rounds)?;
    runtime.block_on(world.cached(&reference))?;
    world.starts(&reference, rounds)
}

struct World<'a> {
    folder: &'a Path,
    registry: String,
}

impl World<'_> {
    /// Pushes the component, signed; gives its reference with the digest.
    async fn publish(&self) -> Result<Reference> {
        let mut component = fs::read(pi_component()?)?;
        pad(&mut component)?;
        fs::write(self.component(), &component)?;
        let tagged = Reference::parse(&format!("{}/bench/pi:1", self.registry), "")?;
        let client = Client::new(Options::default(), Sources::default());
        let pushed = registry::push(&client, &tagged, component).await?;
        let (key, _) = SigningKey::generate("")?;
        fs::write(self.folder.join("bench.pub"), key.public().to_pem())?;
        trust::sign(&client, &tagged.repository, pushed.digest, &key).await?;
        Ok(pushed.reference)
    }

    fn component(&self) -> PathBuf {
        self.folder.join("pi.wasm")
    }

    /// From nothing on this machine to the component on its disk.
    fn cold(&self, reference: &Reference, rounds: usize) -> Result<()> {
        let trust = format!(
            "trust: {{'{}/bench': {{keys: [{}]}}}}\n",
            self.registry,
            self.folder.join("bench.pub").display()
        );
        let config = self.folder.join("pull.yaml");
        fs::write(&config, trust)?;
        let program = run_pi::binary()?;
        let (mut ours, mut peer, mut copy) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..=rounds {
            let cache = self.folder.join("cold");
            let mut command = Command::new(&program);
            command.args(["harness", "pull", &reference.to_string()]);
            command.arg("--config").arg(&config).env("XPRESSCLAW_CACHE_DIR", &cache);
            let a = timed(&mut command)?;
            fs::remove_dir_all(&cache)?;
            let image = self.folder.join("image");
            let mut command = Command::new("skopeo");
            // It takes a tag or a digest, not both.
            let source = format!("docker://{}@{}", reference.repository, digest(reference)?);
            command.args(["--insecure-policy", "copy", "--quiet", "--src-tls-verify=false"]);
            command.arg(source).arg(format!("dir:{}", image.display()));
            let b = timed(&mut command)?;
            fs::remove_dir_all(&image)?;
            let c = self.write_synced()?;
            // The first warms the registry and the page cache.
            if round > 0 {
                ours.push(a);
                peer.push(b);
                copy.push(c);
            }
        }
        println!(
            "{:<44}{:>12}{:>20}",
            "cold pull of 10 MB, process to end", "median", "10 to 90 %"
        );
        row("xpressclaw: signature checked, synced to disk", &ours);
        row("skopeo: no signature, not synced", &peer);
        row("(only writing and syncing these bytes)", &copy);
        println!("against skopeo: {:.2} of its time\n", ratio(&ours, &peer));
        Ok(())
    }

    fn write_synced(&self) -> Result<Duration> {
        let bytes = fs::read(self.component())?;
        let path = self.folder.join("copy");
        let began = Instant::now();
        let mut file = fs::File::create(&path)?;
        std::io::Write::write_all(&mut file, &bytes)?;
        file.sync_all()?;
        let took = began.elapsed();
        fs::remove_file(path)?;
        Ok(took)
    }

    async fn cached(&self, reference: &Reference) -> Result<()> {
        let pem = fs::read_to_string(self.folder.join("bench.pub"))?;
        let policy = Policy::new(vec![Rule {
            pattern: Pattern::parse(&format!("{}/bench", self.registry))?,
            proof: Proof::Require,
            keys: vec![trust::PublicKey::from_pem(&pem)?],
        }]);
        let client = Arc::new(Client::new(Options::default(), Sources::default()));
        let cache = Cache::new(self.folder.join("artifacts"));
        let gate = Arc::new(SignatureGate::new(policy));
        let store = Store::new(cache, client, gate);
        let silent: registry::Progress = Arc::new(|_, _| ());
        let path = store.open(reference, Network::Missing, &silent).await?.path;
        let requests = store.client().requests();
        let (mut resolve, mut least) = (Vec::new(), Vec::new());
        for _ in 0..RESOLVES {
            let began = Instant::now();
            let opened = store.open(reference, Network::Missing, &silent).await?;
            resolve.push(began.elapsed());
            ensure!(!opened.pulled && opened.admission.proof.is_some(), "it was not verified");
            let began = Instant::now();
            let digest = Digest::of(&fs::read(&path)?);
            least.push(began.elapsed());
            ensure!(opened.manifest.layers[0].digest == digest, "another component");
        }
        ensure!(store.client().requests() == requests, "the registry was asked");
        println!("{:<44}{:>12}{:>20}", "cached, 10 MB", "median", "10 to 90 %");
        row("resolve, verify, check the signature", &resolve);
        row("(only reading and hashing the file)", &least);
        let held = millis(median(&resolve)) <= RESOLVE_MS;
        println!("promised ≤ {RESOLVE_MS} ms: {}\n", verdict(held));
        Ok(())
    }

    /// `run pi` to its first model request.
    fn starts(&self, reference: &Reference, rounds: usize) -> Result<()> {
        let server = Server::start()?;
        run_pi::prepare(self.folder, &server)?;
        let config = self.folder.join("xpressclaw.yaml");
        let trust = fs::read_to_string(self.folder.join("pull.yaml"))?;
        fs::write(&config, fs::read_to_string(&config)? + &trust)?;
        let program = run_pi::binary()?;
        let pinned = OsString::from(reference.to_string());
        let path = self.component().into_os_string();
        let start = |harness: &OsString| {
            let command = run_pi::our_command(&program, harness, self.folder);
            Ok::<_, anyhow::Error>(run_pi::measure(&server, command)?.0)
        };
        // Compiles for this machine, and pulls.
        start(&path)?;
        start(&pinned)?;
        let (mut from_reference, mut from_path) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            from_path.push(start(&path)?);
            from_reference.push(start(&pinned)?);
        }
        println!("{:<44}{:>12}{:>20}", "run pi to its first request, warm", "median", "10 to 90 %");
        row("from a pinned reference", &from_reference);
        row("from a path", &from_path);
        let pairs = from_reference.iter().zip(&from_path);
        let more: Vec<_> =
            pairs.map(|(a, b)| a.as_micros() as i64 - b.as_micros() as i64).collect();
        let more = median(&more) as f64 / 1e3;
        println!(
            "more, median of pairs: {more:.1} ms, promised ≤ {START_MS} ms: {}",
            verdict(more <= START_MS)
        );
        Ok(())
    }
}

fn digest(reference: &Reference) -> Result<Digest> {
    reference.digest.context("the reference has no digest")
}

fn pi_component() -> Result<PathBuf> {
    let folders = env::var_os("XPRESSCLAW_HARNESS_PATH")
        .context("XPRESSCLAW_HARNESS_PATH is not set: run `cargo xtask bench pull`")?;
    let mut files = env::split_paths(&folders).map(|folder| folder.join("pi.wasm"));
    files.find(|file| file.is_file()).context("pi.wasm is not built")
}

/// A custom section of bytes that do not compress, as long as it takes.
fn pad(component: &mut Vec<u8>) -> Result<()> {
    const NAME: &[u8] = b"\x07padding";
    let due = COMPONENT_BYTES.saturating_sub(component.len() + NAME.len() + 8);
    let mut state = 1_u64;
    let random = std::iter::repeat_with(|| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    // Five bytes of LEB128 hold every length of 32 bits.
    let length = u32::try_from(due + NAME.len())?;
    component.push(0);
    component.extend((0..5).map(|i| {
        let seven = (length >> (7 * i)) as u8 & 0x7f;
        if i < 4 { seven | 0x80 } else { seven }
    }));
    component.extend_from_slice(NAME);
    component.extend(random.take(due));
    Ok(())
}

fn timed(command: &mut Command) -> Result<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let began = Instant::now();
    let output = command.output()?;
    let took = began.elapsed();
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(took)
}

fn row(name: &str, times: &[Duration]) {
    let spread = [0.1, 0.9].map(|share| format!("{:.1}", millis(quantile(times, share))));
    println!("{name:<44}{:>9.1} ms{:>20}", millis(median(times)), spread.join(" to ") + " ms");
}

fn ratio(ours: &[Duration], peer: &[Duration]) -> f64 {
    let ratios: Vec<_> = ours
        .iter()
        .zip(peer)
        .map(|(a, b)| (a.as_nanos() * 1_000 / b.as_nanos().max(1)) as u64)
        .collect();
    median(&ratios) as f64 / 1e3
}
