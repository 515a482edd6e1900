use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use engine::{Allocation, COMPONENT_MAX_BYTES, CompileCache, Engine, LoadError, Source};
use tempfile::TempDir;
use wasmtime::component::Linker;

use crate::bench::engine;

struct Bench {
    folder: TempDir,
    engine: Engine,
    cache: CompileCache,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let cache = CompileCache::new(folder.path().join("compiled"));
        Self { folder, engine: engine(Allocation::OnDemand), cache }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A component whose `number` returns it.
    fn component(&self, number: u32) -> PathBuf {
        let text = format!(
            r#"(component
                 (core module $m (func (export "number") (result i32) i32.const {number}))
                 (core instance $i (instantiate $m))
                 (func (export "number") (result u32) (canon lift (core func $i "number"))))"#
        );
        self.file(&format!("{number}.wasm"), &wat::parse_str(text).unwrap())
    }

    /// Loads and runs it. Returns whether it was compiled, and its digest.
    fn load(&self, path: &Path, number: u32) -> (bool, String) {
        let compiled = Cell::new(false);
        let wasmtime = self.engine.wasmtime();
        let (component, digest) = self.cache.load(wasmtime, path, || compiled.set(true)).unwrap();
        let mut store = wasmtime::Store::new(wasmtime, ());
        store.set_epoch_deadline(1_000_000);
        let instance = Linker::new(wasmtime).instantiate(&mut store, &component).unwrap();
        let function = instance.get_typed_func::<(), (u32,)>(&mut store, "number").unwrap();
        assert_eq!(function.call(&mut store, ()).unwrap(), (number,));
        (compiled.get(), digest.to_string())
    }

    fn entries(&self) -> Vec<PathBuf> {
        let Ok(files) = fs::read_dir(self.folder.path().join("compiled")) else {
            return Vec::new();
        };
        files.map(|file| file.unwrap().path()).collect()
    }

    fn entry(&self) -> PathBuf {
        let [entry] = self.entries().try_into().unwrap();
        entry
    }
}

#[test]
fn the_second_load_compiles_nothing() {
    let bench = Bench::new();
    let path = bench.component(7);
    let (compiled, digest) = bench.load(&path, 7);
    assert!(compiled);
    assert_eq!(bench.load(&path, 7), (false, digest.clone()));
    assert_eq!(digest.len(), 64);
    assert!(bench.entry().file_name().unwrap().to_str().unwrap().starts_with(&digest));
    // The name does not matter, the bytes do.
    let copy = bench.file("copy.wasm", &fs::read(&path).unwrap());
    assert_eq!(bench.load(&copy, 7), (false, digest.clone()));
    let (compiled, other) = bench.load(&bench.component(8), 8);
    assert!(compiled && other != digest);
    assert_eq!(bench.entries().len(), 2);
}

#[test]
fn verified_bytes_are_read_only_to_be_compiled() {
    let bench = Bench::new();
    let wasmtime = bench.engine.wasmtime();
    let path = bench.component(7);
    let (_, digest) = bench.cache.load(wasmtime, &path, || ()).unwrap();
    // Another component took the file's place: the compiled code of what was verified is used.
    fs::copy(bench.component(8), &path).unwrap();
    let verified = Source { path: &path, verified: Some(digest) };
    let compiled = Cell::new(false);
    let (_, loaded) = bench.cache.load(wasmtime, verified, || compiled.set(true)).unwrap();
    assert_eq!((loaded, compiled.get()), (digest, false));
    // Where there is none, what was compiled is named by what it is.
    fs::remove_file(bench.entry()).unwrap();
    let (_, loaded) = bench.cache.load(wasmtime, verified, || compiled.set(true)).unwrap();
    assert!(compiled.get());
    assert_ne!(loaded, digest);
    assert!(bench.entry().file_name().unwrap().to_str().unwrap().starts_with(&loaded.to_string()));
}

#[test]
fn core_modules_are_kept_the_same_way_and_are_not_taken_for_components() {
    let bench = Bench::new();
    let wasmtime = bench.engine.wasmtime();
    let text = r#"(module (func (export "number") (result i32) i32.const 7))"#;
    let path = bench.file("module.wasm", &wat::parse_str(text).unwrap());
    let compilations = Cell::new(0);
    for _ in 0..2 {
        let count = || compilations.set(compilations.get() + 1);
        let (module, _) = bench.cache.load_module(wasmtime, &path, count).unwrap();
        assert!(module.get_export("number").is_some());
    }
    assert_eq!((compilations.get(), bench.entries().len()), (1, 1));
    let component = bench.component(7);
    let error = bench.cache.load_module(wasmtime, &component, || ()).err().unwrap();
    assert!(matches!(error, LoadError::Component { .. }), "{error}");
}

#[test]
fn another_engine_reads_nothing_of_it() {
    let mut bench = Bench::new();
    let path = bench.component(7);
    bench.load(&path, 7);
    let mut config = wasmtime::Config::new();
    config.epoch_interruption(false);
    let other = wasmtime::Engine::new(&config).unwrap();
    let compiled = Cell::new(false);
    bench.cache.load(&other, &path, || compiled.set(true)).unwrap();
    assert!(compiled.get());
    assert_eq!(bench.entries().len(), 2);
    // One of the same settings does, whatever its allocation.
    bench.engine = engine(Allocation::OnDemand);
    assert!(!bench.load(&path, 7).0);
}

#[test]
fn a_damaged_entry_is_compiled_again() {
    type Damage = fn(Vec<u8>) -> Vec<u8>;
    let damages: [(&str, Damage); 5] = [
        ("empty", |_| Vec::new()),
        ("half", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("header alone", |bytes| bytes[..64].to_vec()),
        ("zeroes", |bytes| vec![0; bytes.len()]),
        ("text", |_| b"not compiled code".to_vec()),
    ];
    for (what, damage) in damages {
        let bench = Bench::new();
        let path = bench.component(7);
        bench.load(&path, 7);
        let entry = bench.entry();
        let code = fs::read(&entry).unwrap();
        fs::write(&entry, damage(code)).unwrap();
        assert!(bench.load(&path, 7).0, "{what}");
        assert!(!bench.load(&path, 7).0, "{what}: it is whole again");
    }
}

#[cfg(unix)]
#[test]
fn what_others_may_write_is_not_used() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let bench = Bench::new();
    let path = bench.component(7);
    bench.load(&path, 7);
    let folder = bench.folder.path().join("compiled");
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(bench.entry()).unwrap().permissions().mode() & 0o777, 0o600);
    for open in [0o666, 0o620, 0o602] {
        mode(&bench.entry(), open);
        assert!(bench.load(&path, 7).0, "{open:o}");
        assert!(!bench.load(&path, 7).0, "a private one took its place");
    }
    for open in [0o777, 0o770, 0o703] {
        mode(&folder, open);
        assert!(bench.load(&path, 7).0, "{open:o}");
    }
    mode(&folder, 0o700);
    assert!(!bench.load(&path, 7).0);
    // A link may lead to where others write.
    let entry = bench.entry();
    let elsewhere = bench.folder.path().join("elsewhere");
    fs::rename(&entry, &elsewhere).unwrap();
    symlink(&elsewhere, &entry).unwrap();
    assert!(bench.load(&path, 7).0);
    assert!(fs::symlink_metadata(&entry).unwrap().is_file());
}

#[test]
fn what_cannot_be_loaded_says_why() {
    type Expected = fn(&LoadError) -> bool;
    let bench = Bench::new();
    let large = bench.file("large.wasm", b"");
    fs::File::options().write(true).open(&large).unwrap().set_len(COMPONENT_MAX_BYTES + 1).unwrap();
    let broken = [b"\0asm\x0d\0\x01\0".as_slice(), &[0xff; 100]].concat();
    let cases: [(PathBuf, Expected); 9] = [
        (bench.folder.path().join("missing.wasm"), |e| matches!(e, LoadError::Read { .. })),
        (bench.folder.path().to_owned(), |e| matches!(e, LoadError::Directory { .. })),
        (large, |e| matches!(e, LoadError::TooLarge { .. })),
        (bench.file("empty.wasm", b""), |e| matches!(e, LoadError::NotWasm { .. })),
        (bench.file("text.wasm", b"(component)"), |e| matches!(e, LoadError::Text { .. })),
        (bench.file("short.wasm", b"\0asm"), |e| matches!(e, LoadError::NotWasm { .. })),
        (bench.file("core.wasm", &wat::parse_str("(module)").unwrap()), |e| {
            matches!(e, LoadError::CoreModule { .. })
        }),
        (bench.file("cut.wasm", b"\0asm\x0d\0\x01\0\x01\x09abc"), |e| {
            matches!(e, LoadError::CutOff { missing: 6, .. })
        }),
        (bench.file("broken.wasm", &broken), |e| matches!(e, LoadError::Compile { .. })),
    ];
    for (path, expected) in cases {
        let error = bench.cache.load(bench.engine.wasmtime(), &path, || {}).err().unwrap();
        assert!(expected(&error), "{error:?}");
        assert!(error.to_string().contains(path.file_name().unwrap().to_str().unwrap()), "{error}");
    }
    assert_eq!(bench.entries(), Vec::<PathBuf>::new());
}

#[test]
fn a_cache_that_cannot_be_written_costs_time_only() {
    let mut bench = Bench::new();
    let occupied = bench.file("occupied", b"a file, not a folder");
    bench.cache = CompileCache::new(occupied);
    let path = bench.component(7);
    assert!(bench.load(&path, 7).0);
    assert!(bench.load(&path, 7).0);
}

#[test]
fn what_was_not_used_for_longest_goes() {
    let bench = Bench::new();
    let always = bench.component(1_000);
    bench.load(&always, 1_000);
    // What a crash left.
    fs::write(bench.folder.path().join("compiled").join(".tmp123"), b"half").unwrap();
    for number in 0..40 {
        assert!(bench.load(&bench.component(number), number).0);
        assert!(!bench.load(&always, 1_000).0, "used all the time");
    }
    assert_eq!(bench.entries().len(), 32);
    assert!(bench.entries().iter().all(|entry| entry.extension().is_some_and(|e| e == "cwasm")));
    assert!(bench.load(&bench.component(0), 0).0, "long gone");
    assert!(!bench.load(&bench.component(39), 39).0);
}

#[test]
fn two_at_once_do_not_disturb_each_other() {
    let bench = Bench::new();
    let path = bench.component(7);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| bench_load(&bench, &path));
        }
    });
    assert_eq!(bench.entries().len(), 1);
    assert!(!bench.load(&path, 7).0);
}

fn bench_load(bench: &Bench, path: &Path) {
    bench.load(path, 7);
}
