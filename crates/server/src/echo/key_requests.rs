//! Notices when the desk asks for a key frame (RFC 4585, 6.3.1; RFC 5104, 4.3.1).

use rtc::{
    interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket},
    rtcp::payload_feedbacks::{full_intra_request::FullIntraRequest, picture_loss_indication::PictureLossIndication},
    sansio::Protocol,
    shared::error::Error,
};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

/// Passes everything on, and raises a flag at a request. There is one picture, so it does not matter for which.
pub struct KeyRequests {
    wanted: Arc<AtomicBool>,
    inward: VecDeque<TaggedPacket>,
    outward: VecDeque<TaggedPacket>,
}

impl KeyRequests {
    pub fn new(wanted: Arc<AtomicBool>) -> Self {
        Self {
            wanted,
            inward: VecDeque::new(),
            outward: VecDeque::new(),
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for KeyRequests {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Self::Error> {
        if let Packet::Rtcp(reports) = &packet.message.packet {
            let asks = reports.iter().any(|report| {
                let report = report.as_any();
                report.is::<PictureLossIndication>() || report.is::<FullIntraRequest>()
            });
            if asks {
                self.wanted.store(true, Ordering::Relaxed);
            }
        }
        self.inward.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<Self::Rout> {
        self.inward.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Self::Error> {
        self.outward.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<Self::Wout> {
        self.outward.pop_front()
    }
}

impl Interceptor for KeyRequests {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
