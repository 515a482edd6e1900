//! From a publisher's key to a user's run, through a real registry on loopback.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use e2e::{Done, Place, Run};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use served::Served;

/// A publisher and a user, who share a machine and no cache.
struct World {
    place: Place,
    registry: Served,
}

impl World {
    fn new() -> Self {
        Self { place: Place::new(), registry: Served::anonymous() }
    }

    fn reference(&self, rest: &str) -> String {
        format!("{}/acme/{rest}", self.registry.address)
    }

    /// A command with a cache of its own, which nothing was pulled into.
    fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Run {
        let cache = self.place.path().join("cache");
        self.place.command(args).env("XPRESSCLAW_CACHE_DIR", cache).env("COSIGN_PASSWORD", "pass")
    }

    fn harness<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Done {
        self.command(["harness"]).args(args).done()
    }

    /// Makes keys, and gives back the files' name without ending.
    fn key(&self, name: &str) -> String {
        self.harness(["key", name]).succeeded();
        name.to_owned()
    }

    /// Publishes a component, and gives back its reference with the digest.
    fn push(&self, component: &str, reference: &str) -> String {
        let done = self.harness(["push", component, reference]).succeeded();
        done.stdout.trim_end().to_owned()
    }

    /// Writes the user's policy for `acme` there.
    fn trust(&self, rule: &str) {
        let text = format!("trust:\n  {}/acme: {{{rule}}}\n", self.registry.address);
        fs::write(self.place.home().join("xpressclaw.yaml"), text).unwrap();
    }

    fn run(&self, harness: &str) -> Run {
        let model = self.place.script(&[json!({"text": "Hello back."})]);
        self.command(["run", harness, "--model", &model, "Hello."])
    }

    fn forget(&self) {
        fs::remove_dir_all(self.place.path().join("cache")).unwrap();
    }

    fn artifacts(&self) -> PathBuf {
        self.place.path().join("cache").join("artifacts")
    }

    /// The component in the cache.
    fn cached(&self) -> PathBuf {
        let files = fs::read_dir(self.artifacts().join("sha256")).unwrap().flatten();
        files.map(|file| file.path()).max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn echo() -> String {
    let folders = std::env::var_os("XPRESSCLAW_HARNESS_PATH").unwrap();
    let mut files = std::env::split_paths(&folders).map(|folder| folder.join("echo.wasm"));
    files.find(|file| file.is_file()).unwrap().to_str().unwrap().to_owned()
}

#[test]
fn what_is_signed_is_pulled_verified_run_and_needs_no_registry_afterwards() {
    let world = World::new();
    let key = world.key("acme");
    let tagged = world.reference("echo:1.0");
    let pinned = world.push(&echo(), &tagged);
    assert!(pinned.starts_with(&format!("{tagged}@sha256:")), "{pinned}");
    // The same bytes have the same digest, and nothing is sent twice.
    let again = world.harness(["push", &echo(), &tagged, "--format", "json"]).succeeded();
    let again: serde_json::Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!((&again["reference"], &again["sent_bytes"]), (&json!(pinned), &json!(0)));

    // Nobody is trusted before the user says so, and then by signature.
    let refused = world.harness(["pull", &pinned]).exited(1);
    assert!(refused.stderr.contains("no key is known for"), "{}", refused.stderr);
    assert!(refused.stderr.contains("keys: [publisher.pub]"), "{}", refused.stderr);
    world.trust("keys: [acme.pub]");
    for args in [["harness", "pull", &pinned], ["harness", "inspect", &pinned]] {
        let refused = world.command(args).done().exited(1);
        assert!(refused.stderr.contains("it is not signed"), "{}", refused.stderr);
        assert!(refused.stderr.contains("xpressclaw harness sign"), "{}", refused.stderr);
    }
    let refused = world.run(&pinned).done().exited(1);
    assert_eq!(refused.stdout, "");

    let signed = world.harness(["sign", &tagged, "--key", &format!("{key}.key")]).succeeded();
    assert_eq!(signed.stdout.trim_end(), pinned);
    let pulled = world.harness(["pull", &tagged]).succeeded();
    assert_eq!(pulled.stdout.trim_end(), pinned);
    assert!(pulled.stderr.contains("signed by key "), "{}", pulled.stderr);

    // From an empty cache by digest, as on another machine.
    world.forget();
    let offline = world.run(&pinned).args(["--offline"]).done().exited(2);
    assert!(offline.stderr.contains("is not on this machine"), "{}", offline.stderr);
    let first = world.run(&pinned).build_done().succeeded();
    assert_eq!(first.stdout, "Hello back.\n");
    assert!(first.stderr.starts_with(&format!("pulled {pinned}, ")), "{}", first.stderr);
    let added = world.harness(["add", &tagged, "--name", "parrot"]).succeeded();
    assert!(added.stderr.contains("`parrot` is pinned in xpressclaw.lock"), "{}", added.stderr);
    let lock = fs::read_to_string(world.place.home().join("xpressclaw.lock")).unwrap();
    assert!(lock.contains(&pinned), "{lock}");

    // The registry is gone: what is pinned and here needs it no more, its signature included.
    let World { place, registry } = world;
    let address = registry.address.clone();
    drop(registry);
    let world = World { place, registry: Served::anonymous() };
    assert_ne!(world.registry.address, address);
    for (harness, more) in [("parrot", &[][..]), (&pinned, &["--offline"]), (&tagged, &[])] {
        let run = world.run(harness).args(more.iter().copied()).done().succeeded();
        assert_eq!(run.stdout, "Hello back.\n", "{harness}");
        assert!(!run.stderr.contains("pulled"), "{}", run.stderr);
    }
    // … unless the user trusts another key by now.
    world.key("other");
    let text = format!("trust:\n  {address}/acme: {{keys: [other.pub]}}\n");
    fs::write(world.place.home().join("xpressclaw.yaml"), text).unwrap();
    let refused = world.run("parrot").args(["--offline"]).done().exited(1);
    assert!(refused.stderr.contains("none of the keys made"), "{}", refused.stderr);
    world.harness(["remove", "parrot"]).succeeded();
    let unknown = world.run("parrot").done().exited(2);
    assert!(unknown.stderr.contains("no harness `parrot`"), "{}", unknown.stderr);
}

#[test]
fn a_signature_is_for_one_artifact_and_what_was_altered_is_fetched_again() {
    let world = World::new();
    let key = format!("{}.key", world.key("acme"));
    world.trust("keys: [acme.pub]");
    let (one, two) = (world.reference("one:1"), world.reference("two:1"));
    let pinned = world.push(&echo(), &one);
    let digest = pinned.split_once("@sha256:").unwrap().1.to_owned();
    world.harness(["sign", &one, "--key", &key]).succeeded();
    let again = world.harness(["sign", &one, "--key", &key]).succeeded();
    assert!(again.stderr.contains("this key had signed it before"), "{}", again.stderr);

    // The signature of `one` moved to the same component under another name.
    let moved = world.push(&echo(), &two);
    assert!(!moved.ends_with(&digest), "the title of the layer differs");
    let other = world.reference(&format!("two:sha256-{}.sig", &moved[moved.len() - 64..]));
    let from = world.reference(&format!("one:sha256-{digest}.sig"));
    let copied = std::process::Command::new("skopeo")
        .args(["copy", "--src-tls-verify=false", "--dest-tls-verify=false"])
        .args([format!("docker://{from}"), format!("docker://{other}")])
        .output()
        .unwrap();
    assert!(copied.status.success(), "{copied:?}");
    let refused = world.harness(["pull", &two]).exited(1);
    assert!(refused.stderr.contains("is not for it: it is for the digest"), "{}", refused.stderr);

    world.harness(["pull", &one]).succeeded();
    let cached = world.cached();
    let good = fs::read(&cached).unwrap();
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    fs::write(&cached, &bad).unwrap();
    let offline = world.run(&pinned).args(["--offline"]).done().exited(2);
    assert!(offline.stderr.contains("is not on this machine"), "{}", offline.stderr);
    let run = world.run(&pinned).build_done().succeeded();
    assert!(run.stderr.contains("pulled "), "{}", run.stderr);
    assert_eq!(fs::read(&cached).unwrap(), good);
}

/// The rest of the reference's fields is held by `host/xpressclaw/tests/cli/json.rs`.
#[test]
fn fields_are_those_of_the_reference() {
    let world = World::new();
    let (reference, key) = (world.reference("echo:1"), format!("{}.key", world.key("acme")));
    world.trust("keys: [acme.pub]");
    let documented = include_str!("../../../docs/cli.md");
    for (line, args) in [
        ("harness push", vec!["push", &echo(), &reference, "--key", &key]),
        ("harness sign", vec!["sign", &reference, "--key", &key]),
        ("harness pull, harness add", vec!["pull", &reference]),
        ("harness pull, harness add", vec!["add", &reference]),
        ("harness list", vec!["list"]),
    ] {
        let args = args.iter().copied().chain(["--format", "json"]);
        let done = world.harness(args).succeeded();
        let row = documented.lines().find_map(|row| row.strip_prefix(&format!("| {line} | ")));
        let expected = row.unwrap().split('`').skip(1).step_by(2).collect::<BTreeSet<_>>();
        for printed in done.stdout.lines() {
            let printed: serde_json::Value = serde_json::from_str(printed).unwrap();
            let printed = printed.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(expected, printed, "{line}");
        }
    }
    let listed = world.harness(["list"]).succeeded();
    let pinned = format!("{reference}@sha256:");
    assert!(listed.stdout.lines().any(|line| line.contains(&pinned)), "{}", listed.stdout);
}

#[test]
fn the_user_decides_how_much_proof_is_asked_for() {
    let world = World::new();
    let reference = world.reference("echo");
    world.push(&echo(), &reference);
    world.trust("signatures: warn");
    let warned = world.harness(["pull", &reference]).succeeded();
    assert!(warned.stderr.contains("warning: "), "{}", warned.stderr);
    world.trust("signatures: off");
    let quiet = world.harness(["pull", &reference]).succeeded();
    assert!(!quiet.stderr.contains("warning"), "{}", quiet.stderr);
    let inspected = world.harness(["inspect", &reference]).succeeded();
    assert!(inspected.stdout.contains("harness"), "{}", inspected.stdout);
}

#[test]
fn what_a_component_is_made_of_is_attached_signed_and_printed() {
    let world = World::new();
    let key = format!("{}.key", world.key("acme"));
    world.trust("keys: [acme.pub]");
    let reference = world.reference("echo:1");
    // A project's own list would be longer; this component comes without one.
    let push = ["push", &echo(), &reference, "--key", &key, "--format", "json"];
    let pushed = world.harness(push).succeeded();
    assert!(pushed.stderr.contains("its list of parts too"), "{}", pushed.stderr);
    let pushed: serde_json::Value = serde_json::from_str(&pushed.stdout).unwrap();
    let printed = world.harness(["sbom", &reference]).succeeded();
    let sbom: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(sbom["bomFormat"], "CycloneDX");
    let digest = hex(&Sha256::digest(fs::read(echo()).unwrap()));
    assert_eq!(sbom["metadata"]["component"]["hashes"][0]["content"], digest);
    // Where registries keep no lists, under the tag that the specification gives; other tools read it.
    let index =
        world.reference(&format!("echo:{}", &pushed["digest"].as_str().unwrap().replace(':', "-")));
    let raw = std::process::Command::new("skopeo")
        .args(["inspect", "--raw", "--tls-verify=false", &format!("docker://{index}")])
        .output()
        .unwrap();
    let raw: serde_json::Value = serde_json::from_slice(&raw.stdout).unwrap();
    assert_eq!(raw["manifests"].as_array().unwrap().len(), 1, "{raw}");
    assert_eq!(raw["manifests"][0]["digest"], pushed["sbom"]);
    assert_eq!(raw["manifests"][0]["artifactType"], "application/vnd.cyclonedx+json");

    // Another tool's list takes its place; nobody vouches for it, so that it is not shown.
    let own = world.place.home().join("own.json");
    fs::write(&own, r#"{"spdxVersion": "SPDX-2.3"}"#).unwrap();
    world.harness(["push", &echo(), &reference, "--sbom", "own.json"]).succeeded();
    let refused = world.harness(["sbom", &reference]).exited(1);
    assert!(refused.stderr.contains("it is not signed"), "{}", refused.stderr);
    world.harness(["push", &echo(), &reference, "--sbom", "own.json", "--key", &key]).succeeded();
    let printed = world.harness(["sbom", &reference]).succeeded();
    assert_eq!(printed.stdout, r#"{"spdxVersion": "SPDX-2.3"}"#);
    fs::write(&own, "{}").unwrap();
    let neither = world.harness(["push", &echo(), &reference, "--sbom", "own.json"]).exited(2);
    assert!(neither.stderr.contains("neither CycloneDX nor SPDX"), "{}", neither.stderr);
}

#[test]
fn the_contract_is_published_where_others_look_for_it() {
    let world = World::new();
    let namespace = world.registry.address.clone();
    let pushed = world.harness(["wit", "--push", &namespace]).succeeded();
    let harness = pushed.stdout.lines().find(|line| line.contains("/xpressclaw/harness:")).unwrap();
    let (tag, digest) = harness.split_once('@').unwrap();
    let raw = std::process::Command::new("skopeo")
        .args(["inspect", "--raw", "--tls-verify=false", &format!("docker://{tag}")])
        .output()
        .unwrap();
    assert_eq!(format!("sha256:{}", hex(&Sha256::digest(&raw.stdout))), digest);
    let no_registry = world.harness(["wit", "--push", "acme"]).exited(2);
    assert!(no_registry.stderr.contains("names no registry"), "{}", no_registry.stderr);
}

#[test]
fn a_short_name_is_short_for_what_the_configuration_says() {
    let world = World::new();
    let pinned = world.push(&echo(), &world.reference("parrot:latest"));
    world.trust("signatures: off");
    let file = world.place.home().join("xpressclaw.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let namespace = format!("registry: {{namespace: \"{}/acme\"}}\n", world.registry.address);
    fs::write(&file, text + &namespace).unwrap();
    let run = world.run("parrot").done().succeeded();
    assert_eq!(run.stdout, "Hello back.\n");
    let (_, digest) = pinned.split_once('@').unwrap();
    let pulled = format!("pulled {}@{digest}, ", world.reference("parrot"));
    assert!(run.stderr.contains(&pulled), "{}", run.stderr);
    // The variable goes before it.
    let elsewhere = format!("{}/other", world.registry.address);
    let other = world.run("parrot").env("XPRESSCLAW_REGISTRY", elsewhere).done().exited(2);
    assert!(other.stderr.contains("no harness `parrot`"), "{}", other.stderr);
}

#[test]
fn room_is_made_and_what_is_pinned_runs_without_a_registry_afterwards() {
    let world = World::new();
    let key = format!("{}.key", world.key("acme"));
    world.trust("keys: [acme.pub]");
    let [pinned, other] = ["pinned:1", "other:1"].map(|name| {
        let reference = world.reference(name);
        world.harness(["push", &echo(), &reference, "--key", &key]).succeeded();
        reference
    });
    world.harness(["add", &pinned]).succeeded();
    // The component is the same; so that one of them has something of its own.
    world.harness(["pull", &other]).succeeded();
    let kept = world.harness(["prune"]).succeeded();
    assert!(kept.stderr.contains("removed 0 bytes in 0 files"), "{}", kept.stderr);
    let pruned = world.harness(["prune", "--mib", "0", "--format", "json"]).succeeded();
    let pruned: serde_json::Value = serde_json::from_str(&pruned.stdout).unwrap();
    // The manifest of `other`, its signatures' manifest, and what was signed; the component and the
    // two configs are shared.
    assert_eq!(pruned["files"], 3, "{pruned}");
    let World { place, registry } = world;
    drop(registry);
    let world = World { place, registry: Served::anonymous() };
    let run = world.run("pinned").args(["--offline"]).done().succeeded();
    assert_eq!(run.stdout, "Hello back.\n");
    world.run(&other).args(["--offline"]).done().exited(2);
}

#[test]
fn mistakes_are_named() {
    let world = World::new();
    let wasm = echo();
    let reference = world.reference("echo:1");
    let no_password = world.place.command(["harness", "key", "k"]).done().exited(2);
    assert!(no_password.stderr.contains("set COSIGN_PASSWORD"), "{}", no_password.stderr);
    world.key("k");
    for (args, code, expected) in [
        (vec!["key", "k"], 2, "is there already"),
        (vec!["push", &wasm, "Upper/Case"], 2, "is no reference"),
        (vec!["push", "none.wasm", &reference], 2, "there is nothing to push"),
        (vec!["push", &wasm, &reference, "--key", "k.pub"], 2, "it holds a public key"),
        (vec!["push", &wasm, &reference, "--offline"], 2, "pushing needs the network"),
        (vec!["sign", &reference, "--key", "k.key"], 1, "there is no "),
        (vec!["remove", "none"], 2, "xpressclaw.lock has no `none`"),
    ] {
        let done = world.harness(args.iter().copied()).exited(code);
        assert!(done.stderr.contains(expected), "{args:?}: {}", done.stderr);
        assert_eq!(done.stdout, "", "{args:?}");
    }
    // A password that is wrong opens nothing, and publishes nothing.
    let args = ["harness", "push", &wasm, &reference, "--key", "k.key"];
    let wrong = world.command(args).env("COSIGN_PASSWORD", "other").done().exited(2);
    assert!(wrong.stderr.contains("the password does not open it"), "{}", wrong.stderr);
    let absent = world.harness(["pull", &reference]).exited(1);
    assert!(absent.stderr.contains("(404)"), "{}", absent.stderr);
}

/// What is signed, with which key, is checked by tools that have nothing of ours in them. (Debian's
/// `skopeo` is built without the code that would read signatures of this kind itself.)
#[test]
fn a_signature_is_good_to_other_tools() {
    let world = World::new();
    let key = world.key("acme");
    let home = world.place.home();
    let signed = ["push", &echo(), &world.reference("echo:1"), "--key", &format!("{key}.key")];
    let signed = world.harness(signed).succeeded();
    let digest = signed.stdout.trim_end().split_once("@sha256:").unwrap().1.to_owned();
    let tag = world.reference(&format!("echo:sha256-{digest}.sig"));
    let folder = home.join("signature");
    let fetched = std::process::Command::new("skopeo")
        .args(["--insecure-policy", "copy", "--src-tls-verify=false"])
        .args([format!("docker://{tag}"), format!("dir:{}", folder.display())])
        .output()
        .unwrap();
    assert!(fetched.status.success(), "{fetched:?}");
    let read = |path: PathBuf| -> serde_json::Value {
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    };
    let layer = read(folder.join("manifest.json"))["layers"][0].clone();
    let annotation = &layer["annotations"]["dev.cosignproject.cosign/signature"];
    fs::write(home.join("signature.b64"), annotation.as_str().unwrap()).unwrap();
    let payload = folder.join(layer["digest"].as_str().unwrap().trim_start_matches("sha256:"));
    let critical = &read(payload.clone())["critical"];
    assert_eq!(critical["image"]["docker-manifest-digest"], format!("sha256:{digest}"));
    assert_eq!(critical["identity"]["docker-reference"], world.reference("echo"));
    let script = "base64 -d signature.b64 >signature.der \
        && openssl dgst -sha256 -verify acme.pub -signature signature.der \"$0\"";
    let verified = std::process::Command::new("sh")
        .current_dir(&home)
        .args(["-c", script])
        .arg(payload)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&verified.stdout), "Verified OK\n", "{verified:?}");
}
