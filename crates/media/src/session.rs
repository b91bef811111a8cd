//! One call's media, seen from outside.

use crate::{message::Message, painter::Painter, run};
use sightline_call::ladder::Arrival;
use sightline_wire::{
    Problem,
    device::{DeviceKind, Quality},
    escalation::{IcePolicy, IceServer},
    room::MediaState,
};
use std::{
    path::PathBuf,
    sync::Arc,
    thread::{self, JoinHandle},
};
use tokio::sync::mpsc;

/// What a session starts with. A device id of `None` follows the system's default.
#[derive(Debug, Clone, Default)]
pub struct SessionConfig {
    /// Camera id from [`crate::list_devices`].
    pub camera: Option<String>,
    /// Cameras to fall back on while that one is gone, the best first.
    pub other_cameras: Vec<String>,
    /// Microphone id.
    pub microphone: Option<String>,
    /// Speaker id.
    pub speaker: Option<String>,
    /// STUN and TURN servers.
    pub ice_servers: Vec<IceServer>,
    /// A certificate authority that relays over TLS may have beside the system's: a file in PEM.
    pub extra_ca: Option<PathBuf>,
    /// Whether media may go directly.
    pub ice_policy: IcePolicy,
    /// Whether camera and microphone start switched on.
    pub start_with: MediaState,
    /// Never send more than this, picture and sound together, in bits a second; nor ask the customer's browser for
    /// more.
    pub max_bitrate: u32,
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
        /// With the candidates known at once.
        sdp: String,
    },
    /// One more address of ours, for the other side.
    Candidate {
        /// Which offer's connection.
        negotiation: u32,
        /// SDP candidate attribute.
        candidate: String,
    },
    /// None of the relays can be used. A call that may go directly goes on without.
    NoRelay {
        /// Which offer's connection.
        negotiation: u32,
        /// Why.
        problem: Problem,
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
    /// The customer's media comes in on a connection that was not admitted.
    Knocked {
        /// Which offer's connection.
        negotiation: u32,
    },
    /// The customer's media has come so far, on an admitted connection or with its first picture.
    Flowing {
        /// Which offer's connection.
        negotiation: u32,
        /// How far; told again when it is further.
        arrival: Arrival,
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
    /// Sharing has ended by itself, and why.
    ScreenEnded(Problem),
    /// What is really being sent has changed.
    Own(MediaState),
    /// The engine cannot go on.
    Failed(Problem),
}

/// One call's media. See the crate's documentation.
pub struct Session {
    messages: mpsc::UnboundedSender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl Session {
    /// Opens devices and the network on threads of its own and returns at once; device trouble comes as
    /// [`MediaEvent::DeviceProblem`], and the own picture goes to the painter as soon as there is one.
    pub fn start(config: SessionConfig, painter: Arc<dyn Painter>, events: mpsc::UnboundedSender<MediaEvent>) -> Self {
        let (messages, incoming) = mpsc::unbounded_channel();
        let own = messages.clone();
        let run = move || run::run(config, painter, events, own, incoming);
        let thread = thread::Builder::new()
            .name("media".into())
            .spawn(run)
            .expect("the system starts threads");
        Self {
            messages,
            thread: Some(thread),
        }
    }

    /// STUN and TURN servers, when they become known or their credentials are new. Relays that work keep
    /// what they have; everything begun from now on uses these.
    pub fn set_ice_servers(&self, servers: Vec<IceServer>) {
        self.send(Message::Servers(servers));
    }

    /// Whether offers made from now on may name this machine's own addresses.
    pub fn set_ice_policy(&self, policy: IcePolicy) {
        self.send(Message::Policy(policy));
    }

    /// Sends no more than this from now on, picture and sound together, bits a second; offers made from now on ask the
    /// customer for no more either.
    pub fn set_max_bitrate(&self, cap: u32) {
        self.send(Message::Cap(cap));
    }

    /// Makes a new peer connection and its offer, under the session's own policy. An earlier connection goes
    /// on until the new one is connected, which then takes over.
    pub fn offer(&self, negotiation: u32) {
        self.offer_with(negotiation, IcePolicy::All);
    }

    /// As [`Session::offer`], but over a relay if `policy` says so and the session has one. A session that
    /// may only use relays cannot be told otherwise.
    pub fn offer_with(&self, negotiation: u32, policy: IcePolicy) {
        self.send(Message::Offer { negotiation, policy });
    }

    /// The customer's answer. One that does not belong to the newest offer is ignored.
    pub fn answer(&self, negotiation: u32, sdp: String) {
        self.send(Message::Answer { negotiation, sdp });
    }

    /// One more address of the customer's, as an SDP candidate attribute.
    pub fn remote_candidate(&self, negotiation: u32, candidate: String) {
        self.send(Message::Candidate { negotiation, candidate });
    }

    /// Lets our picture and sound go over that offer's connection. Until then it is only kept ready.
    pub fn admit(&self, negotiation: u32) {
        self.send(Message::Admit { negotiation });
    }

    /// Closes that offer's connection at once.
    pub fn cut(&self, negotiation: u32) {
        self.send(Message::Cut { negotiation });
    }

    /// What the customer sends, as the room says: the quality mark expects a picture only from a camera
    /// that is on.
    pub fn remote_media(&self, media: MediaState) {
        self.send(Message::RemoteMedia(media));
    }

    /// Microphone on or off. Off sends silence, the device stays open.
    pub fn set_microphone(&self, on: bool) {
        self.send(Message::Microphone { on });
    }

    /// Camera on or off. Off closes the device: its light goes out.
    pub fn set_camera(&self, on: bool) {
        self.send(Message::Camera { on });
    }

    /// Shares a source of [`crate::list_screens`] instead of any other, or none. [`MediaEvent::Own`] says when it is
    /// seen; it ends with the session.
    pub fn share_screen(&self, screen: Option<String>) {
        self.send(Message::Share { screen });
    }

    /// Switches a device in the call.
    pub fn select(&self, kind: DeviceKind, id: Option<String>) {
        self.send(Message::Select { kind, id });
    }

    fn send(&self, message: Message) {
        if self.messages.send(message).is_err() {
            tracing::debug!("the media thread has already ended");
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.send(Message::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the media thread panicked");
        }
        give_memory_back();
    }
}

/// A call's threads leave their heaps full of free frames behind; over a day of calls that would add up.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_memory_back() {
    // SAFETY: takes no pointer; glibc locks what it trims.
    unsafe { libc::malloc_trim(0) };
}

/// Other systems' allocators do this by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_memory_back() {}
