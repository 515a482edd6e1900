//! `xpressclaw:machine/terminal`.

use bindings::machine::terminal as wit;
use bindings::machine::types::{Error, Size};
use domain::wait::Waitable;
use wasmtime::component::Resource;

use crate::{MachineView, no_such_handle};

type Terminal = Resource<wit::Terminal>;

impl wit::Host for MachineView<'_> {
    async fn attach(&mut self, _size: Size) -> wasmtime::Result<Result<Terminal, Error>> {
        Ok(Err(Error::NoMachine))
    }
}

impl wit::HostTerminal for MachineView<'_> {
    async fn read(
        &mut self,
        _this: Terminal,
        _max_bytes: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, Error>> {
        no_such_handle()
    }

    async fn readable(&mut self, _this: Terminal) -> wasmtime::Result<Resource<Waitable>> {
        no_such_handle()
    }

    async fn write(
        &mut self,
        _this: Terminal,
        _data: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        no_such_handle()
    }

    async fn resize(
        &mut self,
        _this: Terminal,
        _size: Size,
    ) -> wasmtime::Result<Result<(), Error>> {
        no_such_handle()
    }

    async fn drop(&mut self, _this: Terminal) -> wasmtime::Result<()> {
        no_such_handle()
    }
}
