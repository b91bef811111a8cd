//! The addresses of this machine that are worth offering.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, Ipv4Addr},
};

/// An address, and the interface it belongs to where the system numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interface {
    /// The address.
    pub ip: IpAddr,
    /// The system's index of the interface.
    pub index: Option<u32>,
}

/// All of them; loopback only on a machine that has nothing else.
pub fn usable() -> io::Result<BTreeSet<Interface>> {
    let mut found: BTreeSet<Interface> = if_addrs::get_if_addrs()?
        .into_iter()
        .filter(|interface| interface.is_oper_up())
        .filter(|interface| match interface.ip() {
            IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local() && !ip.is_unspecified(),
            IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local() && !ip.is_unspecified(),
        })
        .map(|interface| Interface {
            ip: interface.ip(),
            index: interface.index,
        })
        .collect();
    if found.is_empty() {
        found.insert(Interface {
            ip: Ipv4Addr::LOCALHOST.into(),
            index: None,
        });
    }
    Ok(found)
}
