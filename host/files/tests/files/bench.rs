//! A guest's directories and its calls.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use approvals::{Approvals, Parts, Rules};
use domain::{AgentName, Event, Nobody, SessionId, User};
use files::{Files, FilesView as _, Guard};
use store::Store;
use tempfile::TempDir;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView as _};
use wasmtime_wasi::p2::FsError;
use wasmtime_wasi::p2::bindings::filesystem::preopens::Host as _;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, ErrorCode, HostDescriptor as _, OpenFlags, PathFlags,
};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

pub type Fd = u32;

pub struct Bench {
    folder: TempDir,
    table: ResourceTable,
    wasi: WasiCtx,
    pub guard: Guard,
    pub approvals: Approvals,
    /// What was told.
    pub events: Arc<Mutex<Vec<Event>>>,
    pub workspace: Fd,
    pub state: Fd,
}

impl WasiView for Bench {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl files::FilesView for Bench {
    fn files(&mut self) -> Files<'_> {
        let guard = self.guard.clone();
        Files { wasi: self.filesystem(), guard }
    }
}

pub fn rules(ask: &[&str], deny: &[&str]) -> Rules {
    let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    Rules { ask: parse(ask), deny: parse(deny), ..Rules::default() }
}

impl Bench {
    pub fn new(rules: Rules) -> Self {
        Self::with(rules, Arc::new(Nobody))
    }

    pub fn with(rules: Rules, user: Arc<dyn User>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let told = events.clone();
        let approvals = Approvals::new(Parts {
            store: Store::in_memory().unwrap(),
            agent: AgentName::new("pi").unwrap(),
            session: SessionId::new("s").unwrap(),
            rules,
            user,
            report: Arc::new(move |event| told.lock().unwrap().push(event)),
        });
        let mut builder = WasiCtxBuilder::new();
        builder.allow_blocking_current_thread(true);
        let roots = [("workspace", "/workspace"), ("state", "/state")].map(|(host, guest)| {
            let path = folder.path().join(host);
            fs::create_dir(&path).unwrap();
            builder.preopened_dir(&path, guest, FsPerms::ReadWrite).unwrap();
            (path, guest)
        });
        let roots = roots.each_ref().map(|(path, guest)| (path.as_path(), *guest));
        let guard = Guard::new(&approvals, &roots).unwrap();
        let wasi = builder.build();
        let mut bench = Self {
            folder,
            table: ResourceTable::new(),
            wasi,
            guard,
            approvals,
            events,
            workspace: 0,
            state: 0,
        };
        let opened = bench.filesystem().get_directories().unwrap();
        bench.workspace = opened[0].0.rep();
        bench.state = opened[1].0.rep();
        bench
    }

    /// A file or directory of the workspace, as its owner sees it.
    pub fn host(&self, path: &str) -> PathBuf {
        self.folder.path().join("workspace").join(path)
    }

    /// Writes a file, as its owner does.
    pub fn file(&self, path: &str, content: &str) {
        let path = self.host(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub async fn open(
        &mut self,
        fd: Fd,
        path: &str,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Result<Fd, ErrorCode> {
        let follow = PathFlags::SYMLINK_FOLLOW;
        let opened = self.files().open_at(at(fd), follow, path.into(), open, flags).await;
        code(opened).map(|opened| opened.rep())
    }

    pub async fn directory(&mut self, path: &str) -> Result<Fd, ErrorCode> {
        self.open(self.workspace, path, OpenFlags::DIRECTORY, DescriptorFlags::READ).await
    }

    /// The content of a file.
    pub async fn read_at(&mut self, fd: Fd, path: &str) -> Result<String, ErrorCode> {
        let file = self.open(fd, path, OpenFlags::empty(), DescriptorFlags::READ).await?;
        let (bytes, _) = code(self.files().read(at(file), 1 << 16, 0).await)?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    pub async fn read(&mut self, path: &str) -> Result<String, ErrorCode> {
        self.read_at(self.workspace, path).await
    }

    /// Makes or replaces a file.
    pub async fn write(&mut self, path: &str, content: &str) -> Result<(), ErrorCode> {
        let open = OpenFlags::CREATE | OpenFlags::TRUNCATE;
        let file = self.open(self.workspace, path, open, DescriptorFlags::WRITE).await?;
        code(self.files().write(at(file), content.into(), 0).await).map(|_| ())
    }

    pub async fn make(&mut self, path: &str) -> Result<(), ErrorCode> {
        let fd = at(self.workspace);
        code(self.files().create_directory_at(fd, path.into()).await)
    }

    pub async fn unlink(&mut self, path: &str) -> Result<(), ErrorCode> {
        let fd = at(self.workspace);
        code(self.files().unlink_file_at(fd, path.into()).await)
    }

    pub async fn remove(&mut self, path: &str) -> Result<(), ErrorCode> {
        let fd = at(self.workspace);
        code(self.files().remove_directory_at(fd, path.into()).await)
    }

    pub async fn symlink(&mut self, target: &str, path: &str) -> Result<(), ErrorCode> {
        let fd = at(self.workspace);
        code(self.files().symlink_at(fd, target.into(), path.into()).await)
    }

    pub async fn link(&mut self, path: &str, new: &str) -> Result<(), ErrorCode> {
        let (fd, new_fd) = (at(self.workspace), at(self.workspace));
        let flags = PathFlags::empty();
        code(self.files().link_at(fd, flags, path.into(), new_fd, new.into()).await)
    }

    pub async fn rename(&mut self, path: &str, new: &str) -> Result<(), ErrorCode> {
        let (fd, new_fd) = (at(self.workspace), at(self.workspace));
        code(self.files().rename_at(fd, path.into(), new_fd, new.into()).await)
    }
}

/// A handle by its number, borrowed as a guest's call borrows it.
pub fn at(fd: Fd) -> Resource<Descriptor> {
    Resource::new_borrow(fd)
}

/// What a guest gets: no call here may trap.
pub fn code<T>(result: Result<T, FsError>) -> Result<T, ErrorCode> {
    result.map_err(|error| error.downcast().unwrap())
}
