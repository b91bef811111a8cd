//! One call's media, seen from outside.

use crate::painter::Painter;
use sightline_wire::{Problem, device::{DeviceKind, Quality}, escalation::IceServer, room::MediaState};
use std::sync::Arc;
use tokio::sync::mpsc;

/// What a session starts with. A device id of `None` follows the system's default.
#[derive(Debug, Clone, Default)]
pub struct SessionConfig {
    /// Camera id from [`crate::list_devices`].
    pub camera: Option<String>,
    /// Microphone id.
    pub microphone: Option<String>,
    /// Speaker id.
    pub speaker: Option<String>,
    /// STUN and TURN servers.
    pub ice_servers: Vec<IceServer>,
    /// Whether camera and microphone start switched on.
    pub start_with: MediaState,
    /// The customer's name, for the quality mark's sentence.
    pub customer_name: String,
}

/// What a session tells its owner.
#[derive(Debug, Clone)]
pub enum MediaEvent {
    /// Leave this in the room.
    Offer {
        /// As asked for.
        negotiation: u32,
        /// With all candidates.
        sdp: String,
    },
    /// ICE and DTLS are up.
    Connected {
        /// Which offer's connection.
        negotiation: u32,
    },
    /// ICE has lost the path (`false`) or found it again (`true`).
    Path {
        /// Up or down.
        up: bool,
    },
    /// The first remote frame was decoded, or the first remote sound played when there is no picture.
    Flowing {
        /// Which offer's connection.
        negotiation: u32,
    },
    /// Once a second while connected.
    Quality(Quality),
    /// A device is missing, busy or lost. The call goes on without it.
    DeviceProblem {
        /// Which kind.
        kind: DeviceKind,
        /// What.
        problem: Problem,
    },
    /// A device works (again).
    DeviceReady {
        /// Which kind.
        kind: DeviceKind,
    },
    /// What is really being sent has changed.
    Own(MediaState),
    /// The engine cannot go on.
    Failed(Problem),
}

/// One call's media. See the crate's documentation.
pub struct Session {}

impl Session {
    /// Opens devices and the network on threads of its own and returns at once; device trouble comes as
    /// [`MediaEvent::DeviceProblem`], and the own picture goes to the painter as soon as there is one.
    pub fn start(_config: SessionConfig, _painter: Arc<dyn Painter>, _events: mpsc::UnboundedSender<MediaEvent>) -> Self {
        Self {}
    }

    /// Makes a new peer connection and its offer; an earlier connection goes on until the new one's
    /// answer arrives.
    pub fn offer(&self, _negotiation: u32) {}

    /// The customer's answer. One that does not belong to the newest offer is ignored.
    pub fn answer(&self, _negotiation: u32, _sdp: String) {}

    /// One more address of the customer's, as an SDP candidate attribute.
    pub fn remote_candidate(&self, _negotiation: u32, _candidate: String) {}

    /// Microphone on or off. Off sends silence descriptors, the device stays open.
    pub fn set_microphone(&self, _on: bool) {}

    /// Camera on or off. Off closes the device: its light goes out.
    pub fn set_camera(&self, _on: bool) {}

    /// Switches a device in the call.
    pub fn select(&self, _kind: DeviceKind, _id: Option<String>) {}
}
