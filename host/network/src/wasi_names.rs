//! `wasi:sockets/ip-name-lookup` that asks for granted names only and hands out checked
//! addresses only. It takes the place of wasmtime-wasi's own in the linker.

use std::io;
use std::net::IpAddr;
use std::vec;

use async_trait::async_trait;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{
    self, Host as LookupHost, HostResolveAddressStream, ResolveAddressStream,
};
use wasmtime_wasi::p2::bindings::sockets::network::{
    self, ErrorCode, HostNetwork, IpAddress, Network,
};
use wasmtime_wasi::p2::{DynPollable, Pollable, SocketError, subscribe};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};

use crate::egress::Egress;
use crate::host::Host;
use crate::resolve::LookupError;

/// What the lookup needs of a store.
pub struct Names<'a> {
    pub egress: &'a Egress,
    pub table: &'a mut ResourceTable,
}

/// Implemented by a store's data.
pub trait NamesView: Send {
    fn names(&mut self) -> Names<'_>;
}

struct Link;

impl HasData for Link {
    type Data<'a> = Names<'a>;
}

/// Links the lookup. When wasmtime-wasi's `add_to_linker` has linked its own before, the linker
/// must allow shadowing.
pub fn add_to_linker<T: NamesView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    ip_name_lookup::add_to_linker::<T, Link>(linker, T::names)
}

/// A lookup under way, or its answers. It is the resource behind the guest's handle, whose nominal
/// type (wasmtime-wasi's) has no public constructor.
enum Lookup {
    Pending(AbortOnDropJoinHandle<Result<Vec<IpAddr>, ErrorCode>>),
    Done(Result<vec::IntoIter<IpAddr>, ErrorCode>),
}

#[async_trait]
impl Pollable for Lookup {
    async fn ready(&mut self) {
        if let Self::Pending(task) = self {
            let found = task.await;
            *self = Self::Done(found.map(Vec::into_iter));
        }
    }
}

fn code(error: LookupError) -> ErrorCode {
    match error {
        LookupError::Refused(_) => ErrorCode::AccessDenied,
        LookupError::TimedOut => ErrorCode::TemporaryResolverFailure,
        LookupError::NoAddress => ErrorCode::NameUnresolvable,
        LookupError::Failed(error) if error.kind() == io::ErrorKind::TimedOut => {
            ErrorCode::TemporaryResolverFailure
        }
        LookupError::Failed(_) => ErrorCode::NameUnresolvable,
    }
}

fn ours(stream: &Resource<ResolveAddressStream>) -> Resource<Lookup> {
    Resource::new_borrow(stream.rep())
}

impl LookupHost for Names<'_> {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> Result<Resource<ResolveAddressStream>, SocketError> {
        // Having the resource is the permission to call this.
        self.table.get(&network)?;
        let host = Host::parse(&name).map_err(|_| ErrorCode::InvalidArgument)?;
        let egress = self.egress.clone();
        let task = spawn(async move { egress.look_up(host).await.map_err(code) });
        let lookup = self.table.push(Lookup::Pending(task))?;
        Ok(Resource::new_own(lookup.rep()))
    }
}

impl HostResolveAddressStream for Names<'_> {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> Result<Option<IpAddress>, SocketError> {
        match self.table.get_mut(&ours(&stream))? {
            Lookup::Pending(_) => Err(ErrorCode::WouldBlock.into()),
            Lookup::Done(Ok(addresses)) => Ok(addresses.next().map(Into::into)),
            Lookup::Done(Err(error)) => Err((*error).into()),
        }
    }

    fn subscribe(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, ours(&stream))
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Lookup>::new_own(stream.rep()))?;
        Ok(())
    }
}

/// Part of the lookup's bindings only for its error type; the interface itself is not linked here.
impl network::Host for Names<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(self.table.get(&error)?.downcast_ref::<io::Error>().map(ErrorCode::from))
    }
}

impl HostNetwork for Names<'_> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        self.table.delete(network)?;
        Ok(())
    }
}
