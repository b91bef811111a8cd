//! STUN messages as far as a relay needs them (RFC 8489 section 5, RFC 8656 section 18). Borrowed, without a
//! log line and without a panic: everything read here comes from strangers.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

pub const HEADER: usize = 20;
pub const COOKIE: u32 = 0x2112_A442;
const FINGERPRINT_XOR: u32 = 0x5354_554E;

/// Methods.
pub mod method {
    pub const BINDING: u16 = 0x001;
    pub const ALLOCATE: u16 = 0x003;
    pub const REFRESH: u16 = 0x004;
    pub const SEND: u16 = 0x006;
    pub const DATA: u16 = 0x007;
    pub const CREATE_PERMISSION: u16 = 0x008;
    pub const CHANNEL_BIND: u16 = 0x009;
    /// RFC 6062.
    pub const CONNECT: u16 = 0x00A;
}

/// Attributes.
pub mod attribute {
    pub const USERNAME: u16 = 0x0006;
    pub const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub const ERROR_CODE: u16 = 0x0009;
    pub const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
    pub const CHANNEL_NUMBER: u16 = 0x000C;
    pub const LIFETIME: u16 = 0x000D;
    pub const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub const DATA: u16 = 0x0013;
    pub const REALM: u16 = 0x0014;
    pub const NONCE: u16 = 0x0015;
    pub const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
    pub const EVEN_PORT: u16 = 0x0018;
    pub const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub const MESSAGE_INTEGRITY_SHA256: u16 = 0x001C;
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub const RESERVATION_TOKEN: u16 = 0x0022;
    pub const FINGERPRINT: u16 = 0x8028;
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Request,
    Indication,
    Success,
    Error,
}

/// The key of a long-term credential: MD5(username ":" realm ":" password), RFC 8489 section 9.2.2.
#[derive(Clone)]
pub struct Key([u8; 16]);

impl Key {
    pub fn new(username: &str, realm: &str, password: &str) -> Self {
        Self(Md5::digest(format!("{username}:{realm}:{password}")).into())
    }
}

/// A message that has the right shape.
#[derive(Debug)]
pub struct Message<'a> {
    pub class: Class,
    pub method: u16,
    pub transaction: [u8; 12],
    raw: &'a [u8],
    /// Where the attributes that may be looked at end: at MESSAGE-INTEGRITY, or the end.
    end: usize,
    integrity: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    /// A whole message and nothing after it; `None` for anything else.
    pub fn parse(raw: &'a [u8]) -> Option<Self> {
        let length = usize::from(u16_at(raw, 2)?);
        if raw.len() != HEADER + length || !length.is_multiple_of(4) || raw[0] >= 0x40 || u32_at(raw, 4)? != COOKIE {
            return None;
        }
        let kind = u16_at(raw, 0)?;
        let class = match (kind >> 4 & 1) | (kind >> 7 & 2) {
            0 => Class::Request,
            1 => Class::Indication,
            2 => Class::Success,
            _ => Class::Error,
        };
        let mut message = Self {
            class,
            method: kind & 0x000F | (kind & 0x00E0) >> 1 | (kind & 0x3E00) >> 2,
            transaction: raw[8..20].try_into().ok()?,
            raw,
            end: raw.len(),
            integrity: None,
        };
        let mut at = HEADER;
        while at < raw.len() {
            let (kind, value, next) = attribute_at(raw, at)?;
            match kind {
                attribute::MESSAGE_INTEGRITY if message.integrity.is_none() => {
                    if value.len() != 20 {
                        return None;
                    }
                    message.integrity = Some(value);
                    message.end = message.end.min(at);
                }
                attribute::MESSAGE_INTEGRITY_SHA256 => message.end = message.end.min(at),
                attribute::FINGERPRINT => {
                    let said = u32_at(value, 0).filter(|_| value.len() == 4)?;
                    if next != raw.len() || said != crc32fast::hash(&raw[..at]) ^ FINGERPRINT_XOR {
                        return None;
                    }
                    message.end = message.end.min(at);
                }
                _ => {}
            }
            at = next;
        }
        Some(message)
    }

    /// The attributes before MESSAGE-INTEGRITY; what follows it is signed by nobody.
    pub fn attributes(&self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let (raw, end, mut at) = (self.raw, self.end, HEADER);
        std::iter::from_fn(move || {
            let (kind, value, next) = (at < end).then(|| attribute_at(raw, at)).flatten()?;
            at = next;
            Some((kind, value))
        })
    }

    /// The first of a kind.
    pub fn attribute(&self, wanted: u16) -> Option<&'a [u8]> {
        self.attributes()
            .find(|(kind, _)| *kind == wanted)
            .map(|(_, value)| value)
    }

    pub fn text(&self, wanted: u16) -> Option<&'a str> {
        std::str::from_utf8(self.attribute(wanted)?).ok()
    }

    /// All peers named; `None` when one of them has the wrong shape.
    pub fn peers(&self) -> Option<Vec<SocketAddr>> {
        self.attributes()
            .filter(|(kind, _)| *kind == attribute::XOR_PEER_ADDRESS)
            .map(|(_, value)| xor_address(value, &self.transaction))
            .collect()
    }

    pub fn is_signed(&self) -> bool {
        self.integrity.is_some()
    }

    /// Whether MESSAGE-INTEGRITY was made with this key.
    pub fn signed_by(&self, key: &Key) -> bool {
        let Some(said) = self.integrity else { return false };
        let length = u16::try_from(self.end + 24 - HEADER).unwrap_or(u16::MAX);
        let mut mac = mac(key);
        mac.update(&self.raw[..2]);
        mac.update(&length.to_be_bytes());
        mac.update(&self.raw[4..self.end]);
        mac.verify_slice(said).is_ok()
    }
}

/// A message being written.
pub struct Writer(Vec<u8>);

impl Writer {
    pub fn new(class: Class, method: u16, transaction: [u8; 12]) -> Self {
        let class = match class {
            Class::Request => 0,
            Class::Indication => 0x010,
            Class::Success => 0x100,
            Class::Error => 0x110,
        };
        let kind = class | method & 0x000F | (method & 0x0070) << 1 | (method & 0x0F80) << 2;
        let mut raw = Vec::with_capacity(128);
        raw.extend(kind.to_be_bytes());
        raw.extend([0, 0]);
        raw.extend(COOKIE.to_be_bytes());
        raw.extend(transaction);
        Self(raw)
    }

    /// An attribute; values are short, and at most a datagram.
    pub fn with(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.0.extend(kind.to_be_bytes());
        self.0.extend(length.to_be_bytes());
        self.0.extend(&value[..usize::from(length)]);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self.set_length(0);
        self
    }

    pub fn with_address(self, kind: u16, address: SocketAddr) -> Self {
        let transaction: [u8; 12] = self.0[8..20].try_into().unwrap_or_default();
        let mask = mask(&transaction);
        let mut value = vec![0, if address.is_ipv4() { 1 } else { 2 }];
        value.extend((address.port() ^ (COOKIE >> 16) as u16).to_be_bytes());
        let octets = match address.ip() {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        value.extend(octets.iter().zip(mask).map(|(octet, mask)| octet ^ mask));
        self.with(kind, &value)
    }

    /// With MESSAGE-INTEGRITY and FINGERPRINT.
    pub fn signed(mut self, key: &Key) -> Vec<u8> {
        self.set_length(24);
        let mut mac = mac(key);
        mac.update(&self.0);
        let value: [u8; 20] = mac.finalize().into_bytes().into();
        self.with(attribute::MESSAGE_INTEGRITY, &value).finish()
    }

    /// With FINGERPRINT only.
    pub fn finish(mut self) -> Vec<u8> {
        self.set_length(8);
        let crc = crc32fast::hash(&self.0) ^ FINGERPRINT_XOR;
        self.with(attribute::FINGERPRINT, &crc.to_be_bytes()).0
    }

    fn set_length(&mut self, more: usize) {
        let length = u16::try_from(self.0.len() - HEADER + more).unwrap_or(u16::MAX);
        self.0[2..4].copy_from_slice(&length.to_be_bytes());
    }
}

fn mac(key: &Key) -> Hmac<Sha1> {
    Hmac::new_from_slice(&key.0).expect("a key of any length fits")
}

fn attribute_at(raw: &[u8], at: usize) -> Option<(u16, &[u8], usize)> {
    let (kind, length) = (u16_at(raw, at)?, usize::from(u16_at(raw, at + 2)?));
    let value = raw.get(at + 4..at + 4 + length)?;
    let next = at + 4 + length.next_multiple_of(4);
    (next <= raw.len()).then_some((kind, value, next))
}

fn xor_address(value: &[u8], transaction: &[u8; 12]) -> Option<SocketAddr> {
    let port = u16_at(value, 2)? ^ (COOKIE >> 16) as u16;
    let mask = mask(transaction);
    let mut octets = [0; 16];
    for ((to, from), mask) in octets.iter_mut().zip(&value[4..]).zip(mask) {
        *to = from ^ mask;
    }
    let ip = match (value[1], value.len()) {
        (1, 8) => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(&octets[..4]).ok()?)),
        (2, 20) => IpAddr::V6(Ipv6Addr::from(octets)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn mask(transaction: &[u8; 12]) -> [u8; 16] {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&COOKIE.to_be_bytes());
    mask[4..].copy_from_slice(transaction);
    mask
}

pub fn u16_at(raw: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(raw.get(at..at + 2)?.try_into().ok()?))
}

pub fn u32_at(raw: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(raw.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5769 section 2.4: long-term authentication.
    #[test]
    fn the_sample_request_of_the_standard_is_read_and_its_signature_holds() {
        let request: [u8; 116] = [
            0x00, 0x01, 0x00, 0x60, 0x21, 0x12, 0xa4, 0x42, 0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0, 0x29, 0xda,
            0x41, 0x2e, 0x00, 0x06, 0x00, 0x12, 0xe3, 0x83, 0x9e, 0xe3, 0x83, 0x88, 0xe3, 0x83, 0xaa, 0xe3, 0x83, 0x83,
            0xe3, 0x82, 0xaf, 0xe3, 0x82, 0xb9, 0x00, 0x00, 0x00, 0x15, 0x00, 0x1c, 0x66, 0x2f, 0x2f, 0x34, 0x39, 0x39,
            0x6b, 0x39, 0x35, 0x34, 0x64, 0x36, 0x4f, 0x4c, 0x33, 0x34, 0x6f, 0x4c, 0x39, 0x46, 0x53, 0x54, 0x76, 0x79,
            0x36, 0x34, 0x73, 0x41, 0x00, 0x14, 0x00, 0x0b, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2e, 0x6f, 0x72,
            0x67, 0x00, 0x00, 0x08, 0x00, 0x14, 0xf6, 0x70, 0x24, 0x65, 0x6d, 0xd6, 0x4a, 0x3e, 0x02, 0xb8, 0xe0, 0x71,
            0x2e, 0x85, 0xc9, 0xa2, 0x8c, 0xa8, 0x96, 0x66,
        ];
        let message = Message::parse(&request).expect("a request");
        assert_eq!((message.class, message.method), (Class::Request, method::BINDING));
        let username = message.text(attribute::USERNAME).expect("a name");
        assert!(message.signed_by(&Key::new(username, "example.org", "TheMatrIX")));
        assert!(!message.signed_by(&Key::new(username, "example.org", "TheMatrix")));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let key = Key::new("name", "realm", "password");
        let transaction = [7; 12];
        for peer in ["192.0.2.9:40000", "[2001:db8::9]:1"] {
            let peer: SocketAddr = peer.parse().expect("an address");
            let raw = Writer::new(Class::Error, method::CHANNEL_BIND, transaction)
                .with_address(attribute::XOR_PEER_ADDRESS, peer)
                .with(attribute::REALM, b"odd")
                .signed(&key);
            let message = Message::parse(&raw).expect("a message");
            assert_eq!(
                (message.class, message.method, message.transaction),
                (Class::Error, method::CHANNEL_BIND, transaction)
            );
            assert_eq!(message.peers(), Some(vec![peer]));
            assert_eq!(message.text(attribute::REALM), Some("odd"));
            assert!(message.signed_by(&key));
            let mut forged = raw.clone();
            forged[HEADER + 5] ^= 1;
            assert!(Message::parse(&forged).is_none(), "the fingerprint no longer fits");
        }
    }
}
