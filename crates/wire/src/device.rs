//! Devices and what a call's media is like at the moment.

use crate::UnixMillis;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Kinds of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// Picture in.
    Camera,
    /// Sound in.
    Microphone,
    /// Sound out.
    Speaker,
}

/// A device to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Device {
    /// Stable while the device is plugged in; `synthetic:...` for the product's own test sources.
    pub id: String,
    /// What it is for.
    pub kind: DeviceKind,
    /// Shown in the menu.
    pub name: String,
}

/// Every device, and which are chosen; an empty choice follows the system's default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DeviceList {
    /// In the system's order, synthetic ones last.
    pub devices: Vec<Device>,
    /// Chosen ones that are not connected.
    pub missing: Vec<Device>,
    /// Chosen camera.
    pub camera: Option<String>,
    /// Chosen microphone.
    pub microphone: Option<String>,
    /// Chosen speaker.
    pub speaker: Option<String>,
}

/// One mark an agent understands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum QualityMark {
    /// Not measured yet.
    #[default]
    Unknown,
    /// Nothing to say.
    Good,
    /// Noticeable.
    Fair,
    /// Speak about it.
    Poor,
}

/// How media leaves this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TransportProtocol {
    /// Datagrams.
    Udp,
    /// To a relay, where datagrams are blocked.
    Tcp,
    /// To a relay, where only web traffic passes.
    Tls,
}

/// The way media takes at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PathView {
    /// Through a relay, ours or the customer's.
    pub relayed: bool,
    /// From this machine to the next hop.
    pub protocol: TransportProtocol,
}

/// The mark with its reason and the figures behind it, once a second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Quality {
    /// The mark.
    pub mark: QualityMark,
    /// "Ana's network is weak, the picture is reduced."; empty when good.
    pub reason: String,
    /// Round trip.
    pub rtt_ms: Option<f64>,
    /// Share of our packets lost on the way, 0 to 1.
    pub loss_out: f64,
    /// Share of the customer's packets lost on the way, 0 to 1.
    pub loss_in: f64,
    /// What we send, bits a second.
    pub bitrate_out: f64,
    /// What we receive, bits a second.
    pub bitrate_in: f64,
    /// Frames a second that reached the screen.
    pub fps_in: f64,
    /// Size of the customer's picture.
    pub width: u32,
    /// Size of the customer's picture.
    pub height: u32,
    /// Frames a second of our camera that were sent.
    #[serde(default)]
    pub fps_out: f64,
    /// Width of our picture as it was sent; 0 while none is.
    #[serde(default)]
    pub width_out: u32,
    /// Height of our picture as it was sent; 0 while none is.
    #[serde(default)]
    pub height_out: u32,
    /// Share of its time that the busier of our encoder and our decoder worked, 0 to 1: near 1 it cannot keep up.
    #[serde(default)]
    pub busy: f64,
    /// Share of this computer's processors that all programs use, 0 to 1. Absent where the system does not tell.
    #[serde(default)]
    pub processors: Option<f64>,
    /// Frames decoded since the call began.
    pub frames_decoded: u64,
    /// Frames drawn since the call began.
    pub frames_drawn: u64,
    /// When the first of them was drawn.
    pub first_frame_at: Option<UnixMillis>,
    /// Sound concealed, as a share of all played, 0 to 1.
    pub concealed: f64,
    /// Samples of 48 kHz played since the call began, made-up ones included; silence that was sent counts.
    pub sound_played: u64,
    /// How many of them were made up because nothing had come in time.
    pub sound_concealed: u64,
    /// From the arrival of a quick packet to its sound at the loudspeaker, in milliseconds.
    pub playout_delay_ms: f64,
    /// How unevenly the customer's sound arrives (RFC 3550, 6.4.1), in milliseconds.
    pub jitter_ms: f64,
    /// How much later the picture is shown than the sound of the same moment is heard, in milliseconds;
    /// negative when the sound is late. Absent until the customer's clocks are known.
    pub picture_after_sound_ms: Option<f64>,
    /// The way media takes, once there is one.
    pub path: Option<PathView>,
}
