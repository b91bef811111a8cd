//! Where a relay may send to. Without this, anybody who is invited to a call could reach the server's own
//! network, its loopback interface or a cloud's metadata service through it.

use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    sync::LazyLock,
};

/// IANA's special-purpose registries for both families, with multicast and what was once special (site-local,
/// v4-compatible, 6to4): nothing in them is a customer's or an agent's public address.
pub const SPECIAL: [&str; 27] = [
    // IPv4
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    // IPv6 outside 2000::/3, the only global unicast: unspecified, loopback, v4-mapped and v4-compatible,
    // translation (64:ff9b::/96, 64:ff9b:1::/48), discard (100::/64), SRv6 (5f00::/16), unique local (fc00::/7),
    // link and site local (fe80::/10, fec0::/10), multicast (ff00::/8), and what nobody has been given
    "::/3",
    "4000::/2",
    "8000::/1",
    // and the special ones inside it: protocol assignments with Teredo, benchmarking and ORCHID; documentation;
    // 6to4; AS112; the former 6bone
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3ffe::/16",
    "3fff::/20",
];

static DENIED: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    SPECIAL
        .iter()
        .map(|range| range.parse().expect("the table is right"))
        .collect()
});

/// Which peers may be reached.
#[derive(Debug, Clone)]
pub struct Peers {
    /// Ranges of an intranet that may be reached although they are special.
    pub allow: Vec<IpNet>,
    /// The relay's own addresses: of their ports only those of other relayed calls may be reached.
    pub own: Vec<IpAddr>,
    /// The ports of relayed calls.
    pub ports: RangeInclusive<u16>,
}

impl Peers {
    /// Whether a permission may be given for this address.
    pub fn allows(&self, ip: IpAddr) -> bool {
        let mapped = matches!(ip, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
        let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
        if mapped || broadcast || ip.is_unspecified() || ip.is_multicast() {
            return false;
        }
        self.allow.iter().any(|range| range.contains(&ip)) || !DENIED.iter().any(|range| range.contains(&ip))
    }

    /// Whether data may be sent there. A machine that is named by itself, as `10.1.2.3/32`, is meant as a whole,
    /// even when it is the relay's own: desk or browser run beside it.
    pub fn allows_data(&self, to: SocketAddr) -> bool {
        let (ip, port) = (to.ip(), to.port());
        let named = || self.allow.iter().any(|range| *range == IpNet::from(ip));
        self.allows(ip) && port != 0 && (!self.own.contains(&ip) || self.ports.contains(&port) || named())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers(allow: &[&str]) -> Peers {
        Peers {
            allow: allow.iter().map(|range| range.parse().expect("a range")).collect(),
            own: vec!["8.8.4.4".parse().expect("an address")],
            ports: 50_000..=50_100,
        }
    }

    #[test]
    fn special_addresses_are_denied_and_public_ones_are_not() {
        let denied = "0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254 \
            172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.1.1 192.175.48.1 \
            198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 \
            :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:169.254.169.254 ::ffff:0:7f00:1 64:ff9b::7f00:1 \
            64:ff9b:1::1 100::1 2001::1 2001:2::1 2001:10::1 2001:1ff::1 2001:db8::1 2002:7f00:1::1 2620:4f:8000::1 \
            3fff::1 5f00::1 fc00::1 fd12::1 fe80::1 fec0::1 ff02::1 fd00:ec2::254 4000::1";
        for ip in denied.split_whitespace() {
            assert!(!peers(&[]).allows(ip.parse().expect("an address")), "{ip}");
        }
        let public = "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 \
            169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.1 198.17.255.255 198.20.0.0 223.255.255.255 \
            2001:200::1 2606:4700::1111 2a00::1 3ff0::1";
        for ip in public.split_whitespace() {
            assert!(peers(&[]).allows(ip.parse().expect("an address")), "{ip}");
        }
    }

    #[test]
    fn an_intranet_opens_its_own_ranges_and_no_more() {
        let peers = peers(&["10.1.0.0/16", "127.0.0.1/32", "0.0.0.0/0", "::/0"]);
        for ip in ["10.1.2.3", "127.0.0.1", "fd12::1"] {
            assert!(peers.allows(ip.parse().expect("an address")), "{ip}");
        }
        // Whatever the list says, these are no single peer.
        for ip in [
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::",
            "ff02::1",
            "::ffff:10.1.2.3",
        ] {
            assert!(!peers.allows(ip.parse().expect("an address")), "{ip}");
        }
    }

    #[test]
    fn a_relay_that_is_named_itself_is_reached_as_a_whole() {
        let at: SocketAddr = "8.8.4.4:9".parse().expect("an address");
        assert!(!peers(&["8.0.0.0/8"]).allows_data(at));
        assert!(peers(&["8.8.4.4/32"]).allows_data(at));
    }

    #[test]
    fn of_the_relay_itself_only_relayed_ports_are_reached() {
        for (to, allowed) in [
            ("8.8.4.4:3478", false),
            ("8.8.4.4:50000", true),
            ("8.8.4.4:50101", false),
            ("8.8.8.8:3478", true),
            ("8.8.8.8:0", false),
        ] {
            assert_eq!(peers(&[]).allows_data(to.parse().expect("an address")), allowed, "{to}");
        }
    }
}
