//! `wasi:sockets` through the bindings that a guest would call, without a guest.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use common::{Answers, DEADLINE, Server, denying, egress};
use network::{Egress, Names, NamesView, add_to_linker, configure};
use tokio::io::AsyncWriteExt as _;
use wasmtime::Engine;
use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::io::poll::HostPollable as _;
use wasmtime_wasi::p2::bindings::sockets::instance_network::Host as _;
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{
    Host as _, HostResolveAddressStream as _,
};
use wasmtime_wasi::p2::bindings::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Network,
};
use wasmtime_wasi::p2::bindings::sockets::tcp::HostTcpSocket;
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket::Host as _;
use wasmtime_wasi::p2::bindings::sockets::udp_create_socket::Host as _;
use wasmtime_wasi::sockets::{WasiSocketsCtxView, WasiSocketsView as _};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

struct Guest {
    ctx: WasiCtx,
    table: ResourceTable,
    egress: Egress,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
    }
}

impl NamesView for Guest {
    fn names(&mut self) -> Names<'_> {
        Names { egress: &self.egress, table: &mut self.table }
    }
}

impl Guest {
    fn new(egress: &Egress) -> Self {
        let mut builder = WasiCtxBuilder::new();
        configure(&mut builder, egress);
        Self { ctx: builder.build(), table: ResourceTable::new(), egress: egress.clone() }
    }

    fn view(&mut self) -> WasiSocketsCtxView<'_> {
        self.sockets()
    }

    fn network(&mut self) -> Resource<Network> {
        self.view().instance_network().unwrap()
    }

    /// Looks a name up as a guest does: ask, wait, take all.
    async fn look_up(&mut self, name: &str) -> Result<Vec<IpAddr>, ErrorCode> {
        let network = self.network();
        let mut names = self.names();
        let stream = names
            .resolve_addresses(network, name.to_owned())
            .map_err(|error| error.downcast().unwrap())?;
        let pollable = names.subscribe(Resource::new_borrow(stream.rep())).unwrap();
        tokio::time::timeout(DEADLINE, names.table.block(pollable)).await.unwrap().unwrap();
        let mut found = Vec::new();
        loop {
            let next = names.resolve_next_address(Resource::new_borrow(stream.rep()));
            match next.map_err(|error| error.downcast().unwrap())? {
                Some(IpAddress::Ipv4((a, b, c, d))) => found.push(Ipv4Addr::new(a, b, c, d).into()),
                Some(IpAddress::Ipv6(address)) => panic!("not asked for: {address:?}"),
                None => return Ok(found),
            }
        }
    }

    /// Connects as a guest does: start, wait, finish.
    async fn connect(&mut self, address: SocketAddr) -> Result<(), ErrorCode> {
        let network = self.network();
        let mut view = self.view();
        let code = |error: wasmtime_wasi::p2::SocketError| error.downcast().unwrap();
        let socket = view.create_tcp_socket(IpAddressFamily::Ipv4).map_err(code)?;
        let this = || Resource::new_borrow(socket.rep());
        view.start_connect(this(), network, IpSocketAddress::from(address)).map_err(code)?;
        let pollable = HostTcpSocket::subscribe(&mut view, this()).unwrap();
        tokio::time::timeout(DEADLINE, view.table.block(pollable)).await.unwrap().unwrap();
        view.finish_connect(this()).map(drop).map_err(code)
    }
}

async fn greeting() -> Server {
    Server::start(|mut stream| async move {
        stream.write_all(b"hi").await.ok();
    })
    .await
}

#[test]
fn the_lookup_takes_the_place_of_the_usual_one() {
    let mut linker = Linker::<Guest>::new(&Engine::default());
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
    assert!(add_to_linker(&mut linker).is_err(), "never by accident");
    linker.allow_shadowing(true);
    add_to_linker(&mut linker).unwrap();
}

#[tokio::test]
async fn without_grants_there_are_no_sockets() {
    let server = greeting().await;
    let (egress, _) = egress(&[&format!("http://{}", server.address), "https://example.com"]);
    let resolver = Answers::new(&["93.184.216.34"]);
    let mut guest = Guest::new(&egress.with_resolver(resolver.clone()));
    let refused = guest.connect(server.address).await;
    assert!(matches!(refused, Err(ErrorCode::AccessDenied)), "{refused:?}");
    let udp = guest.view().create_udp_socket(IpAddressFamily::Ipv4).await;
    assert!(udp.is_err());
    let found = guest.look_up("example.com").await;
    assert!(matches!(found, Err(ErrorCode::AccessDenied)), "{found:?}");
    assert_eq!((server.connections(), resolver.asked()), (0, 0));
}

#[tokio::test]
async fn a_literal_grant_allows_its_port_only() {
    let (granted, other) = (greeting().await, greeting().await);
    let (egress, refusals) = egress(&[&format!("tcp://{}", granted.address)]);
    let mut guest = Guest::new(&egress);
    guest.connect(granted.address).await.unwrap();
    let refused = guest.connect(other.address).await;
    assert!(matches!(refused, Err(ErrorCode::AccessDenied)), "{refused:?}");
    assert_eq!(other.connections(), 0);
    let refusals = refusals.lock().unwrap();
    assert_eq!(refusals.len(), 1);
    let hint = format!("--allow-net tcp://{}", other.address);
    assert!(refusals[0].to_string().contains(&hint), "{}", refusals[0]);
}

#[tokio::test]
async fn a_granted_name_allows_the_addresses_it_had() {
    let server = greeting().await;
    let grant = format!("tcp://localhost:{}", server.port());
    let resolver = Answers::new(&["127.0.0.1", "127.0.0.9"]);
    let (egress, _) = egress(&[&grant]);
    let mut guest = Guest::new(&egress.with_resolver(resolver.clone()));
    assert_eq!(guest.look_up("LOCALHOST.").await.unwrap(), [IpAddr::from([127, 0, 0, 1])]);
    guest.connect(server.address).await.unwrap();
    assert_eq!(resolver.asked(), 1, "connecting does not resolve again");
    let refused = guest.connect(SocketAddr::from(([127, 0, 0, 9], server.port()))).await;
    assert!(matches!(refused, Err(ErrorCode::AccessDenied)), "{refused:?}");
    assert_eq!((resolver.asked(), server.connections()), (1, 1));
}

#[tokio::test]
async fn a_guest_that_knows_the_address_need_not_look_it_up() {
    let server = greeting().await;
    let resolver = Answers::new(&["127.0.0.1"]);
    let (egress, _) = egress(&[&format!("tcp://localhost:{}", server.port())]);
    let mut guest = Guest::new(&egress.with_resolver(resolver.clone()));
    guest.connect(server.address).await.unwrap();
    guest.connect(server.address).await.unwrap();
    assert_eq!(resolver.asked(), 1);
}

#[tokio::test]
async fn a_wildcard_allows_what_was_looked_up_under_it() {
    let server = greeting().await;
    let (egress, refusals) = egress(&[&format!("tcp://*.example.com:{}", server.port())]);
    let mut guest = Guest::new(&egress.with_resolver(Answers::new(&["93.184.216.34"])));
    let found = guest.look_up("db.example.com").await.unwrap();
    assert_eq!(found, [IpAddr::from([93, 184, 216, 34])]);
    for name in ["example.com", "example.org", "localhost"] {
        let found = guest.look_up(name).await;
        assert!(matches!(found, Err(ErrorCode::AccessDenied)), "{name} {found:?}");
    }
    let text = refusals.lock().unwrap()[0].to_string();
    assert!(text.contains("--allow-net tcp://example.com:PORT"), "{text}");
}

#[tokio::test]
async fn a_name_with_a_private_address_is_refused() {
    let server = greeting().await;
    let (egress, _) = egress(&[&format!("tcp://example.com:{}", server.port())]);
    let mut guest = Guest::new(&egress.with_resolver(Answers::new(&["93.184.216.34 127.0.0.1"])));
    let found = guest.look_up("example.com").await;
    assert!(matches!(found, Err(ErrorCode::AccessDenied)), "{found:?}");
    let refused = guest.connect(server.address).await;
    assert!(matches!(refused, Err(ErrorCode::AccessDenied)), "{refused:?}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn listening_and_binding_a_port_are_denied() {
    let (egress, _) = egress(&["tcp://127.0.0.1:1"]);
    let mut guest = Guest::new(&egress);
    for (address, bound) in [("127.0.0.1:0", false), ("0.0.0.0:9", false), ("0.0.0.0:0", true)] {
        let network = guest.network();
        let mut view = guest.view();
        let socket = view.create_tcp_socket(IpAddressFamily::Ipv4).unwrap();
        let this = || Resource::new_borrow(socket.rep());
        let address: SocketAddr = address.parse().unwrap();
        let found = HostTcpSocket::start_bind(&mut view, this(), network, address.into()).await;
        assert_eq!(found.is_ok(), bound, "{address}");
        if bound {
            HostTcpSocket::finish_bind(&mut view, this()).unwrap();
            assert!(view.start_listen(this()).await.is_err(), "{address}");
        }
    }
}

/// Sends one datagram from a socket of its own and waits until it was handed over or refused.
async fn send_datagram(guest: &mut Guest, to: SocketAddr, data: &str) {
    use wasmtime_wasi::p2::bindings::sockets::udp::{
        HostOutgoingDatagramStream as Stream, HostUdpSocket as Socket, OutgoingDatagram,
    };
    let network = guest.network();
    let mut view = guest.view();
    let socket = view.create_udp_socket(IpAddressFamily::Ipv4).await.unwrap();
    let this = || Resource::new_borrow(socket.rep());
    let any = SocketAddr::from(([0, 0, 0, 0], 0));
    Socket::start_bind(&mut view, this(), network, any.into()).await.unwrap();
    Socket::finish_bind(&mut view, this()).unwrap();
    let (_incoming, outgoing) = view.stream(this(), None).await.unwrap();
    let out = || Resource::new_borrow(outgoing.rep());
    view.check_send(out()).unwrap();
    let datagram = OutgoingDatagram { data: data.into(), remote_address: Some(to.into()) };
    view.send(out(), vec![datagram]).ok();
    let pollable = Stream::subscribe(&mut view, out()).unwrap();
    tokio::time::timeout(DEADLINE, view.table.block(pollable)).await.unwrap().unwrap();
}

#[tokio::test]
async fn datagrams_go_to_granted_addresses_only() {
    let granted = UdpSocket::bind("127.0.0.1:0").unwrap();
    granted.set_read_timeout(Some(DEADLINE)).unwrap();
    let other = UdpSocket::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let grant = format!("udp://{}", granted.local_addr().unwrap());
    let (egress, refusals) = egress(&[&grant]);
    let mut guest = Guest::new(&egress);
    send_datagram(&mut guest, other.local_addr().unwrap(), "no").await;
    send_datagram(&mut guest, granted.local_addr().unwrap(), "yes").await;
    let mut buffer = [0; 8];
    let length = granted.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"yes");
    assert!(other.recv(&mut buffer).is_err(), "nothing was sent to it");
    assert_eq!(refusals.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_socket_to_a_denied_name_is_refused() {
    for (denied, allowed) in [("localhost", false), ("other", true), ("localhost:1", true)] {
        let server = greeting().await;
        let grant = format!("tcp://localhost:{}", server.port());
        let (approvals, _) = denying(&[denied]);
        let (egress, _) = egress(&[&grant]);
        let resolver = Answers::new(&["127.0.0.1"]);
        let egress = egress.with_resolver(resolver).with_approvals(approvals);
        let mut guest = Guest::new(&egress);
        guest.look_up("localhost").await.unwrap();
        let connected = guest.connect(server.address).await;
        assert_eq!(connected.is_ok(), allowed, "{denied}: {connected:?}");
        // Without a lookup of its own the address is known by the grant.
        let connected = Guest::new(&egress).connect(server.address).await;
        assert_eq!(connected.is_ok(), allowed, "{denied}: {connected:?}");
        assert!(allowed || server.connections() == 0);
    }
}
