//! How our sockets look from outside a NAT: STUN binding (RFC 8489 section 5).

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    time::Duration,
};
use turn_client_proto::types::stun::{
    attribute::XorMappedAddress,
    message::{BINDING, Message, MessageClass, MessageWriteVec, TransactionId},
    prelude::{MessageWrite, MessageWriteExt},
};

/// Asked again after so long without an answer.
pub const AGAIN: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_millis(1_500),
    Duration::from_millis(3_500),
];

/// Who was asked for which of our addresses.
#[derive(Default)]
pub struct Reflexive {
    asked: HashMap<TransactionId, (SocketAddr, SocketAddr)>,
    answered: HashSet<(SocketAddr, SocketAddr)>,
}

impl Reflexive {
    /// The request to send from `local` to `server`, unless that is settled.
    pub fn request(&mut self, local: SocketAddr, server: SocketAddr) -> Option<Vec<u8>> {
        let possible = local.is_ipv4() == server.is_ipv4() && !self.answered.contains(&(local, server));
        possible.then(|| {
            let request = Message::builder_request(BINDING, MessageWriteVec::new());
            self.asked.insert(request.transaction_id(), (local, server));
            request.finish()
        })
    }

    /// What a datagram says about our own address, if it is an answer.
    pub fn answer(&mut self, local: SocketAddr, source: SocketAddr, datagram: &[u8]) -> Option<SocketAddr> {
        // Media by far: no look at it unless something is still open.
        if self.asked.is_empty() || datagram.first().is_none_or(|first| *first > 3) {
            return None;
        }
        let message = Message::from_bytes(datagram).ok()?;
        let transaction = message.transaction_id();
        if message.class() != MessageClass::Success || *self.asked.get(&transaction)? != (local, source) {
            return None;
        }
        self.asked.retain(|_, asked| *asked != (local, source));
        self.answered.insert((local, source));
        let mapped = message.attribute::<XorMappedAddress>().ok()?.addr(transaction);
        (mapped != local).then_some(mapped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_our_own_question_counts() {
        let [local, server, mapped, foreign] = [
            "192.168.0.2:5000",
            "192.0.2.1:3478",
            "198.51.100.7:1234",
            "192.0.2.9:3478",
        ]
        .map(|address| address.parse::<SocketAddr>().expect("an address"));
        let mut reflexive = Reflexive::default();
        let request = reflexive.request(local, server).expect("a question");
        let request = Message::from_bytes(&request).expect("STUN");
        let mut success = Message::builder_success(&request, MessageWriteVec::new());
        success
            .add_attribute(&XorMappedAddress::new(mapped, request.transaction_id()))
            .expect("fits");
        let success = success.finish();
        assert_eq!(reflexive.answer(local, foreign, &success), None);
        assert_eq!(reflexive.answer(local, server, &[0x80; 40]), None);
        assert_eq!(reflexive.answer(local, server, &success), Some(mapped));
        assert_eq!(reflexive.answer(local, server, &success), None, "once");
        assert_eq!(reflexive.request(local, server), None, "settled");
    }
}
