//! What reaches a session's loop, in one queue and in order.

use crate::{hardware::HardwareEvent, transport::Arrived, video_receive::DecoderEvent};
use sightline_wire::{
    device::DeviceKind,
    escalation::{IcePolicy, IceServer},
    room::MediaState,
};

/// Everything that can happen to a session.
pub(crate) enum Message {
    Servers(Vec<IceServer>),
    Policy(IcePolicy),
    Cap(u32),
    Offer { negotiation: u32, policy: IcePolicy },
    Answer { negotiation: u32, sdp: String },
    Candidate { negotiation: u32, candidate: String },
    Admit { negotiation: u32 },
    Cut { negotiation: u32 },
    RemoteMedia(MediaState),
    Microphone { on: bool },
    Camera { on: bool },
    Share { screen: Option<String> },
    Select { kind: DeviceKind, id: Option<String> },
    Arrived { negotiation: u32, arrived: Arrived },
    Hardware(HardwareEvent),
    Decoder { negotiation: u32, event: DecoderEvent },
    Stop,
}
