//! `wasi:filesystem/types` in front of wasmtime-wasi's own. It takes its place in the linker.

use std::fs::File;
use std::sync::Arc;

use approvals::Access;
use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    DirectoryEntryStream, ErrorCode, Filesize, Host, HostDescriptor, HostDirectoryEntryStream,
    MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

use crate::guard::{Guard, Use, moved};
use crate::resolve::Last;

/// wasmtime-wasi's files and the rules on them, for one call.
pub struct Files<'a> {
    pub wasi: WasiFilesystemCtxView<'a>,
    pub guard: Guard,
}

/// Implemented by a store's data.
pub trait FilesView: Send {
    fn files(&mut self) -> Files<'_>;
}

struct Link;

impl HasData for Link {
    type Data<'a> = Files<'a>;
}

/// Links the files. When wasmtime-wasi's `add_to_linker` has linked its own before, the linker must
/// allow shadowing.
pub fn add_to_linker<T: FilesView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    types::add_to_linker::<T, Link>(linker, T::files)
}

impl Files<'_> {
    fn directory(&self, fd: &Resource<Descriptor>) -> FsResult<Arc<File>> {
        match self.wasi.table.get(fd)? {
            Descriptor::Dir(directory) => Ok(directory.dir.clone()),
            Descriptor::File(_) => Err(ErrorCode::NotDirectory.into()),
        }
    }

    fn handle(&self, fd: &Resource<Descriptor>) -> FsResult<Arc<File>> {
        Ok(match self.wasi.table.get(fd)? {
            Descriptor::Dir(directory) => directory.dir.clone(),
            Descriptor::File(file) => file.file.clone(),
        })
    }

    /// Checks a change at a path whose end is not followed.
    async fn change(&mut self, fd: &Resource<Descriptor>, path: &str) -> FsResult<()> {
        self.change_at(fd, path, Last::Keep).await
    }

    async fn change_at(
        &mut self,
        fd: &Resource<Descriptor>,
        path: &str,
        last: Last,
    ) -> FsResult<()> {
        if self.guard.is_idle() {
            return Ok(());
        }
        let place = self.guard.place(&*self.directory(fd)?, path, last)?;
        Ok(self.guard.check(&[(place, Access::Write)]).await?)
    }
}

fn last(flags: PathFlags) -> Last {
    if flags.contains(PathFlags::SYMLINK_FOLLOW) { Last::Follow } else { Last::Keep }
}

/// What opening does, as wasmtime-wasi opens: creating and truncating take the right to write, and
/// whatever is not opened to write alone can be read.
fn accesses(open: OpenFlags, flags: DescriptorFlags) -> Vec<Access> {
    let mut found = Vec::new();
    let write = flags.contains(DescriptorFlags::WRITE);
    if !write || flags.contains(DescriptorFlags::READ) {
        found.push(Access::Read);
    }
    if write || open.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE) {
        found.push(Access::Write);
    }
    found
}

impl Host for Files<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        self.wasi.convert_error_code(error)
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        self.wasi.filesystem_error_code(error)
    }
}

impl HostDescriptor for Files<'_> {
    async fn open_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        if self.guard.is_idle() {
            return self.wasi.open_at(fd, path_flags, path, open, flags).await;
        }
        let place = self.guard.place(&*self.directory(&fd)?, &path, last(path_flags))?;
        let uses: Vec<Use> =
            accesses(open, flags).into_iter().map(|access| (place.clone(), access)).collect();
        self.guard.check(&uses).await?;
        let opened = self.wasi.open_at(fd, path_flags, path, open, flags).await?;
        if !self.guard.is_at(&*self.handle(&opened)?, &place) {
            self.wasi.table.delete(opened)?;
            return Err(ErrorCode::Access.into());
        }
        Ok(opened)
    }

    async fn create_directory_at(
        &mut self,
        fd: Resource<Descriptor>,
        path: String,
    ) -> FsResult<()> {
        self.change(&fd, &path).await?;
        self.wasi.create_directory_at(fd, path).await
    }

    async fn remove_directory_at(
        &mut self,
        fd: Resource<Descriptor>,
        path: String,
    ) -> FsResult<()> {
        self.change(&fd, &path).await?;
        self.wasi.remove_directory_at(fd, path).await
    }

    async fn unlink_file_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.change(&fd, &path).await?;
        self.wasi.unlink_file_at(fd, path).await
    }

    /// What the link points to is checked when somebody goes through it.
    async fn symlink_at(
        &mut self,
        fd: Resource<Descriptor>,
        target: String,
        path: String,
    ) -> FsResult<()> {
        self.change(&fd, &path).await?;
        self.wasi.symlink_at(fd, target, path).await
    }

    /// A second name makes the content reachable under it.
    async fn link_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        new_fd: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        if !self.guard.is_idle() {
            let old = self.guard.place(&*self.directory(&fd)?, &path, last(flags))?;
            let new = self.guard.place(&*self.directory(&new_fd)?, &new_path, Last::Keep)?;
            let uses = [(old.clone(), Access::Read), (old, Access::Write), (new, Access::Write)];
            self.guard.check(&uses).await?;
        }
        self.wasi.link_at(fd, flags, path, new_fd, new_path).await
    }

    async fn rename_at(
        &mut self,
        fd: Resource<Descriptor>,
        path: String,
        new_fd: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        if !self.guard.is_idle() {
            let old = self.guard.place(&*self.directory(&fd)?, &path, Last::Keep)?;
            let new = self.guard.place(&*self.directory(&new_fd)?, &new_path, Last::Keep)?;
            self.guard.check(&moved(&old, &new)?).await?;
        }
        self.wasi.rename_at(fd, path, new_fd, new_path).await
    }

    async fn set_times_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.change_at(&fd, &path, last(flags)).await?;
        self.wasi.set_times_at(fd, flags, path, accessed, modified).await
    }

    /// The one change that a handle opened to read allows.
    async fn set_times(
        &mut self,
        fd: Resource<Descriptor>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        if !self.guard.is_idle() {
            let place = self.guard.at(&*self.handle(&fd)?)?;
            self.guard.check(&[(place, Access::Write)]).await?;
        }
        self.wasi.set_times(fd, accessed, modified).await
    }

    // What follows works on what was checked when it was opened, or tells names, sizes and times.

    async fn stat_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        self.wasi.stat_at(fd, flags, path).await
    }

    async fn readlink_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<String> {
        self.wasi.readlink_at(fd, path).await
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        self.wasi.metadata_hash_at(fd, flags, path).await
    }

    async fn advise(
        &mut self,
        fd: Resource<Descriptor>,
        offset: Filesize,
        length: Filesize,
        advice: Advice,
    ) -> FsResult<()> {
        self.wasi.advise(fd, offset, length, advice).await
    }

    async fn sync_data(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        self.wasi.sync_data(fd).await
    }

    async fn sync(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        HostDescriptor::sync(&mut self.wasi, fd).await
    }

    async fn get_flags(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.wasi.get_flags(fd).await
    }

    async fn get_type(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorType> {
        self.wasi.get_type(fd).await
    }

    async fn set_size(&mut self, fd: Resource<Descriptor>, size: Filesize) -> FsResult<()> {
        self.wasi.set_size(fd, size).await
    }

    async fn read(
        &mut self,
        fd: Resource<Descriptor>,
        length: Filesize,
        offset: Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        self.wasi.read(fd, length, offset).await
    }

    async fn write(
        &mut self,
        fd: Resource<Descriptor>,
        bytes: Vec<u8>,
        offset: Filesize,
    ) -> FsResult<Filesize> {
        self.wasi.write(fd, bytes, offset).await
    }

    async fn read_directory(
        &mut self,
        fd: Resource<Descriptor>,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        self.wasi.read_directory(fd).await
    }

    async fn stat(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        self.wasi.stat(fd).await
    }

    async fn is_same_object(
        &mut self,
        a: Resource<Descriptor>,
        b: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        self.wasi.is_same_object(a, b).await
    }

    async fn metadata_hash(&mut self, fd: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        self.wasi.metadata_hash(fd).await
    }

    fn read_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
        offset: Filesize,
    ) -> FsResult<Resource<DynInputStream>> {
        self.wasi.read_via_stream(fd, offset)
    }

    fn write_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
        offset: Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.wasi.write_via_stream(fd, offset)
    }

    fn append_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.wasi.append_via_stream(fd)
    }

    fn drop(&mut self, fd: Resource<Descriptor>) -> wasmtime::Result<()> {
        HostDescriptor::drop(&mut self.wasi, fd)
    }
}

impl HostDirectoryEntryStream for Files<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        self.wasi.read_directory_entry(stream).await
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        HostDirectoryEntryStream::drop(&mut self.wasi, stream)
    }
}
