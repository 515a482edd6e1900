//! Layer two's table: what kind of address an address is.
//!
//! Sources: the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its
//! updates), and the metadata addresses that cloud providers document. An address that embeds an
//! IPv4 address (mapped, compatible, NAT64, 6to4) is judged by the one it embeds.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// What an address is for. Only [`AddressClass::Public`] is reachable by a granted name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressClass {
    Public,
    Loopback,
    LinkLocal,
    /// A cloud provider's instance metadata, which hands out credentials.
    Metadata,
    /// RFC 1918, carrier-grade NAT, unique local.
    Private,
    Unspecified,
    Broadcast,
    Multicast,
    Documentation,
    Benchmark,
    Reserved,
}

use AddressClass::{
    Benchmark, Broadcast, Documentation, LinkLocal, Loopback, Metadata, Multicast, Private, Public,
    Reserved, Unspecified,
};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(head: [u16; 4], prefix: u8) -> Ipv6Net {
    let [a, b, c, d] = head;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), prefix)
}

/// First match wins: single addresses stand before the networks that hold them.
const V4: &[(Ipv4Net, AddressClass)] = &[
    (v4(169, 254, 169, 254, 32), Metadata),
    (v4(169, 254, 170, 2, 32), Metadata),
    // Alibaba's, Oracle's and Azure's are outside the link-local network.
    (v4(100, 100, 100, 200, 32), Metadata),
    (v4(192, 0, 0, 192, 32), Metadata),
    (v4(168, 63, 129, 16, 32), Metadata),
    (v4(255, 255, 255, 255, 32), Broadcast),
    // Linux connects to 0.0.0.0 as if it were loopback.
    (v4(0, 0, 0, 0, 8), Unspecified),
    (v4(10, 0, 0, 0, 8), Private),
    (v4(100, 64, 0, 0, 10), Private),
    (v4(127, 0, 0, 0, 8), Loopback),
    (v4(169, 254, 0, 0, 16), LinkLocal),
    (v4(172, 16, 0, 0, 12), Private),
    (v4(192, 0, 0, 0, 24), Reserved),
    (v4(192, 0, 2, 0, 24), Documentation),
    (v4(192, 88, 99, 0, 24), Reserved),
    (v4(192, 168, 0, 0, 16), Private),
    (v4(198, 18, 0, 0, 15), Benchmark),
    (v4(198, 51, 100, 0, 24), Documentation),
    (v4(203, 0, 113, 0, 24), Documentation),
    (v4(224, 0, 0, 0, 4), Multicast),
    (v4(240, 0, 0, 0, 4), Reserved),
];

/// The same for IPv6; what is neither here nor global unicast is reserved.
const V6: &[(Ipv6Net, AddressClass)] = &[
    (Ipv6Net::new_assert(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), 128), Metadata),
    (Ipv6Net::new_assert(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128), Metadata),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), Loopback),
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), Unspecified),
    (v6([0xfc00, 0, 0, 0], 7), Private),
    (v6([0xfe80, 0, 0, 0], 10), LinkLocal),
    // Site-local, deprecated, still routed inside some networks.
    (v6([0xfec0, 0, 0, 0], 10), Private),
    (v6([0xff00, 0, 0, 0], 8), Multicast),
    (v6([0x2001, 2, 0, 0], 48), Benchmark),
    (v6([0x2001, 0xdb8, 0, 0], 32), Documentation),
    (v6([0x3fff, 0, 0, 0], 20), Documentation),
    // IETF protocol assignments, with Teredo and ORCHID: none is a server's address.
    (v6([0x2001, 0, 0, 0], 23), Reserved),
];

const GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0, 0, 0], 3);
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0, 0, 0], 16);
/// The well-known NAT64 prefix; the local-use one (64:ff9b:1::/48) is reserved by default, since
/// where it embeds the IPv4 address is a matter of local configuration.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0], 96);
/// IPv4-compatible: `::a.b.c.d`.
const COMPATIBLE: Ipv6Net = v6([0, 0, 0, 0], 96);

impl AddressClass {
    /// Looks an address up.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }
}

fn of_v4(address: Ipv4Addr) -> AddressClass {
    V4.iter().find(|(net, _)| net.contains(&address)).map_or(Public, |(_, class)| *class)
}

fn of_v6(address: Ipv6Addr) -> AddressClass {
    if let Some((_, class)) = V6.iter().find(|(net, _)| net.contains(&address)) {
        return *class;
    }
    if let Some(embedded) = embedded(address) {
        return of_v4(embedded);
    }
    if GLOBAL_UNICAST.contains(&address) { Public } else { Reserved }
}

/// The IPv4 address that a translator or a tunnel would send to.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bytes = address.octets();
    let at = if SIX_TO_FOUR.contains(&address) {
        2
    } else if NAT64.contains(&address) || COMPATIBLE.contains(&address) {
        12
    } else {
        return None;
    };
    Some(Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]))
}

impl fmt::Display for AddressClass {
    /// With its article, to end a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Public => "a public address",
            Loopback => "a loopback address",
            LinkLocal => "a link-local address",
            Metadata => "a cloud metadata address",
            Private => "a private address",
            Unspecified => "an unspecified address",
            Broadcast => "the broadcast address",
            Multicast => "a multicast address",
            Documentation => "a documentation address",
            Benchmark => "a benchmark address",
            Reserved => "a reserved address",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_at_its_edges() {
        for (class, addresses) in [
            (
                Public,
                "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 \
                 128.0.0.1 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 \
                 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 \
                 2606:4700::1111 2a00:1450::1 2003::1 64:ff9b::8.8.8.8 2002:808:808::1 \
                 ::ffff:8.8.8.8 2001:200::1",
            ),
            (
                Loopback,
                "127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1 ::127.0.0.1 64:ff9b::127.0.0.1 \
                 2002:7f00:1::",
            ),
            (LinkLocal, "169.254.0.1 169.254.255.255 fe80::1 febf::1 64:ff9b::169.254.1.1"),
            (
                Metadata,
                "169.254.169.254 169.254.170.2 fd00:ec2::254 fd20:ce::254 100.100.100.200 \
                 192.0.0.192 168.63.129.16 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe \
                 2002:a9fe:a9fe::1 ::169.254.169.254",
            ),
            (
                Private,
                "10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 172.16.0.0 172.31.255.255 \
                 192.168.0.1 192.168.255.255 fc00:: fdff::1 fec0::1 ::ffff:10.0.0.1 \
                 2002:a00:1:: 64:ff9b::192.168.1.1",
            ),
            (Unspecified, "0.0.0.0 0.255.255.255 :: ::ffff:0.0.0.0 ::0.0.0.2 64:ff9b::"),
            (Broadcast, "255.255.255.255 ::ffff:255.255.255.255"),
            (Multicast, "224.0.0.1 239.255.255.255 ff02::1 ffff::1 ::ffff:224.0.0.1"),
            (Documentation, "192.0.2.1 198.51.100.1 203.0.113.255 2001:db8::1 3fff:fff::1"),
            (Benchmark, "198.18.0.0 198.19.255.255 2001:2::1"),
            (
                Reserved,
                "192.0.0.1 192.88.99.1 240.0.0.1 255.255.255.254 100::1 64:ff9b:1::1 2001::1 \
                 2001:10::1 5f00::1 4000::1 1::1 e000::1",
            ),
        ] {
            for text in addresses.split_whitespace() {
                let address: IpAddr = text.parse().unwrap();
                assert_eq!(AddressClass::of(address), class, "{text}");
            }
        }
    }
}
