//! What is measured for each check: plain numbers with their units, and no opinion about them.
//!
//! The programs that measure fill these in; [`super::judge`] says what they mean. Sound levels are decibels
//! below full scale: 0 is the loudest sample there is, a full-scale sine has an RMS of -3.01. Nothing at all
//! has no level in decibels and stands as [`SILENCE_DBFS`], so that no figure is ever infinite.

use sightline_wire::{
    Problem,
    device::{PathView, TransportProtocol},
    readiness::{DeviceIdentity, EchoHeard},
};

/// Stands for digital silence, which is minus infinity: 30 dB below the smallest step of 16 bits, in dBFS.
pub const SILENCE_DBFS: f64 = -120.0;

/// A channel whose loudest sample stays below this is dead: 6 dB above the smallest step of 16 bits, in dBFS.
pub const DEAD_CHANNEL_DBFS: f64 = -84.0;

/// Why a camera gave no pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameraTrouble {
    /// There is none, or the chosen one is not plugged in.
    Missing,
    /// Another program has it.
    Busy {
        /// Which one, where the system tells.
        by: Option<String>,
    },
    /// The operating system withholds it.
    Denied,
    /// It was opened and not one picture came before the deadline.
    Stuck,
    /// The driver refused in another way.
    Broken {
        /// In the driver's words; goes into the sentence, so without paths and addresses.
        detail: String,
    },
}

/// Why a microphone or a speaker gave no sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SoundTrouble {
    /// There is none, or the chosen one is not plugged in.
    Missing,
    /// Another program has it for itself.
    Busy {
        /// Which one, where the system tells.
        by: Option<String>,
    },
    /// The operating system withholds it.
    Denied,
    /// It was opened and not one sample was asked for or came before the deadline.
    Stuck,
    /// The driver refused in another way.
    Broken {
        /// In the driver's words; goes into the sentence, so without paths and addresses.
        detail: String,
    },
}

/// A camera's pictures over a second or more. Luma is counted from 0, black, to 255, white, whatever range
/// the camera's format has.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraMeasured {
    /// Which camera; absent when there is none.
    pub device: Option<DeviceIdentity>,
    /// The one of the last full test, where there was one.
    pub before: Option<DeviceIdentity>,
    /// Whether it delivered; the other figures mean something only then.
    pub opened: Result<(), CameraTrouble>,
    /// Of the pictures that came, in pixels.
    pub width: u32,
    /// Of the pictures that came, in pixels.
    pub height: u32,
    /// Asked for, in pixels.
    pub wanted_width: u32,
    /// Asked for, in pixels.
    pub wanted_height: u32,
    /// Pictures a second that came, without the time until the first one.
    pub fps: f64,
    /// Pictures a second that were asked for.
    pub wanted_fps: f64,
    /// From opening to the first picture, in milliseconds.
    pub first_picture_ms: f64,
    /// Mean luma of the newest pictures, 0 to 255. Without the first half second: cameras adjust themselves.
    pub brightness: f64,
    /// Standard deviation of luma within a picture, mean over the newest pictures, 0 to 127.5.
    pub contrast: f64,
    /// Share of pixels with a luma of 250 or more, 0 to 1.
    pub clipped_bright: f64,
    /// Mean absolute difference in luma, pixel by pixel, between successive pictures, 0 to 255. A sensor is
    /// never quite still; exactly 0 is nobody's sensor.
    pub noise: f64,
    /// Share of pictures in which at least one pixel differs from the picture before, 0 to 1.
    pub changed: f64,
}

impl CameraMeasured {
    /// A camera that gave nothing to measure.
    pub fn failed(device: Option<DeviceIdentity>, trouble: CameraTrouble) -> Self {
        Self {
            device,
            before: None,
            opened: Err(trouble),
            width: 0,
            height: 0,
            wanted_width: 0,
            wanted_height: 0,
            fps: 0.0,
            wanted_fps: 0.0,
            first_picture_ms: 0.0,
            brightness: 0.0,
            contrast: 0.0,
            clipped_bright: 0.0,
            noise: 0.0,
            changed: 0.0,
        }
    }
}

/// A microphone's sound over a second or more, as the device delivers it: before echo cancellation, noise
/// suppression and gain.
#[derive(Debug, Clone, PartialEq)]
pub struct SoundMeasured {
    /// Which microphone; absent when there is none.
    pub device: Option<DeviceIdentity>,
    /// The one of the last full test, where there was one.
    pub before: Option<DeviceIdentity>,
    /// Whether it delivered; the other figures mean something only then.
    pub opened: Result<(), SoundTrouble>,
    /// What the system's mixer says; absent where it does not tell.
    pub system_muted: Option<bool>,
    /// Loudest sample of any channel, in dBFS.
    pub peak_dbfs: f64,
    /// RMS of the louder half of the 20 ms pieces, in dBFS: speech, when somebody spoke.
    pub level_dbfs: f64,
    /// Tenth percentile of the RMS of 20 ms pieces, in dBFS: what is there between the words.
    pub floor_dbfs: f64,
    /// Share of samples at full scale (at or above 0.999 of it), 0 to 1.
    pub clipped: f64,
    /// Channels whose loudest sample stays below [`DEAD_CHANNEL_DBFS`].
    pub silent_channels: u8,
    /// Channels the device has.
    pub channels: u8,
    /// Every sample of every channel was exactly 0: no converter delivers that, only something switched off.
    pub exact_zero: bool,
}

impl SoundMeasured {
    /// A microphone that gave nothing to measure.
    pub fn failed(device: Option<DeviceIdentity>, trouble: SoundTrouble) -> Self {
        Self {
            device,
            before: None,
            opened: Err(trouble),
            system_muted: None,
            peak_dbfs: SILENCE_DBFS,
            level_dbfs: SILENCE_DBFS,
            floor_dbfs: SILENCE_DBFS,
            clipped: 0.0,
            silent_channels: 0,
            channels: 0,
            exact_zero: false,
        }
    }
}

/// A tone that was played.
#[derive(Debug, Clone, PartialEq)]
pub struct SpeakerMeasured {
    /// Which speaker; absent when there is none.
    pub device: Option<DeviceIdentity>,
    /// The one of the last full test, where there was one.
    pub before: Option<DeviceIdentity>,
    /// Whether it took the tone; the other figures mean something only then.
    pub opened: Result<(), SoundTrouble>,
    /// What the system's mixer says; absent where it does not tell.
    pub system_muted: Option<bool>,
    /// What the person answered; absent when nobody was asked or nobody answered.
    pub heard_by_person: Option<bool>,
    /// How far the tone stood above the microphone's floor, in dB, negative when it did not; absent when no
    /// microphone listened.
    pub heard_by_microphone: Option<f64>,
}

impl SpeakerMeasured {
    /// A speaker that could not be used.
    pub fn failed(device: Option<DeviceIdentity>, trouble: SoundTrouble) -> Self {
        Self {
            device,
            before: None,
            opened: Err(trouble),
            system_muted: None,
            heard_by_person: None,
            heard_by_microphone: None,
        }
    }
}

/// A chirp from the speaker into the microphone.
#[derive(Debug, Clone, PartialEq)]
pub struct EchoMeasured {
    /// Out of this one.
    pub speaker: Option<DeviceIdentity>,
    /// Into this one.
    pub microphone: Option<DeviceIdentity>,
    /// From handing the chirp to the system until it came back from it, in milliseconds; absent when it was
    /// not found in what the microphone heard.
    pub delay_ms: Option<f64>,
    /// RMS of what came back beside that of what was played, in dB; negative when it is weaker.
    pub gain_db: Option<f64>,
}

/// What the operating system says about one device class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// This app may.
    Granted,
    /// This app may not.
    Denied,
    /// The person has not been asked yet.
    Unasked,
    /// This system has no such permission, or does not tell.
    Untold,
}

/// What the operating system allows this app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermissionsMeasured {
    /// Pictures.
    pub camera: Permission,
    /// Sound.
    pub microphone: Permission,
}

/// Pictures of the size of a call, encoded as fast as it goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EncoderMeasured {
    /// Of the pictures, in pixels.
    pub width: u32,
    /// Of the pictures, in pixels.
    pub height: u32,
    /// How many were encoded.
    pub pictures: u32,
    /// Pictures a second that the encoder manages, one after the other on one thread.
    pub fps_possible: f64,
}

/// What answered at the server's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackendAnswer {
    /// The server itself.
    Ours,
    /// The server, or what stands in front of it, with an error of its own.
    Failing {
        /// HTTP status, 500 to 599.
        status: u16,
    },
    /// Something else: not the answer our server gives.
    Foreign {
        /// HTTP status.
        status: u16,
        /// Host it was redirected to, if it was.
        to: Option<String>,
    },
}

/// What is not good about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateTrouble {
    /// Its time is over.
    Expired,
    /// Its time has not begun, which is as likely this computer's clock.
    NotYetValid,
    /// It is for another name.
    WrongName,
    /// Nobody whom this computer trusts has signed it.
    Untrusted,
    /// Anything else: revoked, malformed, of a kind that is not allowed.
    Other,
}

/// Why nothing answered at the server's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendTrouble {
    /// Its name has no address.
    Unresolved,
    /// Something there refuses the connection.
    Refused,
    /// Nothing there answers.
    Silent,
    /// The system knows no way there: there is no network.
    NoNetwork,
    /// The certificate was refused.
    Certificate(CertificateTrouble),
    /// The connection broke, or was no TLS or HTTP.
    Broken,
}

/// One question to the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendMeasured {
    /// Host that was asked.
    pub server: String,
    /// What answered, or why nothing did.
    pub answer: Result<BackendAnswer, BackendTrouble>,
    /// A foreign host that plain HTTP to some address is sent to: a portal's mark, also where the portal shows
    /// a certificate of its own. Absent when none was met or it was not tried.
    pub plain_sent_to: Option<String>,
    /// From asking to the answer, in milliseconds, connection and TLS included.
    pub answered_ms: Option<u32>,
    /// Until the certificate expires, in whole days; absent without TLS.
    pub certificate_days: Option<i32>,
}

/// This computer's clock beside the backend's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClockMeasured {
    /// This computer's time less the backend's, in milliseconds: positive when this one is fast.
    pub offset_ms: f64,
    /// The true offset lies within plus or minus this many milliseconds: half the shortest round trip.
    pub uncertainty_ms: f64,
}

/// The line to the backend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineMeasured {
    /// Round trip, median, in milliseconds.
    pub rtt_ms: f64,
    /// Mean difference of successive round trips, in milliseconds.
    pub jitter_ms: f64,
    /// Share of packets without an answer, 0 to 1; absent where only streams were measured, which lose none.
    pub loss: Option<f64>,
    /// From the backend, bits a second; absent when it was not measured.
    pub down_bps: Option<f64>,
    /// To the backend, bits a second; absent when it was not measured.
    pub up_bps: Option<f64>,
}

/// Questions to STUN servers (RFC 8489).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StunMeasured {
    /// Servers that were asked; 0 when this deployment has none.
    pub servers: u16,
    /// How many of them answered.
    pub answered: u16,
    /// The quickest answer, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// The address seen from outside is another than this computer's own; absent without an answer.
    pub translated: Option<bool>,
    /// Two servers saw two ports for one socket: the translation depends on the destination (RFC 4787, 4.1);
    /// absent unless two answered.
    pub by_destination: Option<bool>,
}

/// Why there is no way over a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayTrouble {
    /// This deployment has no relay over this transport.
    Absent,
    /// Its name has no address.
    Unresolved,
    /// It refuses the connection, or never answers.
    Blocked,
    /// Its certificate is not good.
    Certificate(CertificateTrouble),
    /// It answered and will not serve: credentials, quota, or a policy.
    Refused {
        /// TURN's error code (RFC 8656, 19).
        code: u16,
    },
    /// It gave an address, and no data came through.
    NoData,
}

/// An allocation on a relay (RFC 8656).
#[derive(Debug, Clone, PartialEq)]
pub struct RelayMeasured {
    /// From this computer to the relay.
    pub protocol: TransportProtocol,
    /// Host and port that were asked, without a scheme; empty when there is none.
    pub server: String,
    /// From the first packet to a working allocation in milliseconds, or why there is none.
    pub up_ms: Result<f64, RelayTrouble>,
}

/// Ten seconds of a real call. Times count from the moment the call was asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallMeasured {
    /// Only relays were allowed.
    pub relayed: bool,
    /// The server's or the engine's own word when the call could not even begin or broke.
    pub problem: Option<Problem>,
    /// The way media took; absent when there was none.
    pub path: Option<PathView>,
    /// Until ICE and DTLS were up, in milliseconds.
    pub connected_ms: Option<f64>,
    /// Until the first picture was decoded here, in milliseconds.
    pub first_picture_ms: Option<f64>,
    /// Until the first sound was played here, in milliseconds.
    pub first_sound_ms: Option<f64>,
    /// Pictures decoded here.
    pub pictures: u32,
    /// From the far end's drawing to our screen, median, in milliseconds, read from the time barcode; the
    /// clocks of both ends taken into account.
    pub picture_delay_ms: Option<f64>,
    /// From our microphone's side to the far end and back to our speaker's side, in milliseconds.
    pub sound_round_ms: Option<f64>,
    /// Round trip of the media path, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// How unevenly sound arrives (RFC 3550, 6.4.1), in milliseconds.
    pub jitter_ms: Option<f64>,
    /// Share of packets lost on the way here, 0 to 1.
    pub loss_in: f64,
    /// Share of packets lost on the way there, 0 to 1, as the far end's RTCP says.
    pub loss_out: f64,
    /// Mean length of bursts of lost packets beside that of losses by chance, 1 or more (G.107, 7.5); absent
    /// when nobody counted.
    pub burst_ratio: Option<f64>,
    /// Sound that was made up because nothing had come in time, share of all played, 0 to 1.
    pub concealed: f64,
    /// From arrival of a quick packet to its sound at the speaker, in milliseconds.
    pub playout_delay_ms: Option<f64>,
    /// What the far end saw and heard of us; all zeros when it was not told.
    pub heard: EchoHeard,
}

/// The folder for recordings and for what waits to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StorageMeasured {
    /// Free for this app, in bytes.
    pub free_bytes: u64,
    /// A file was written, read back and deleted.
    pub writable: bool,
}

/// The system's place for secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyringMeasured {
    /// As the system calls it; empty when there is none.
    pub name: String,
    /// A secret was kept, read back and deleted.
    pub usable: bool,
}

/// The app's version beside the policy's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionMeasured {
    /// Of this app, as in "1.4.0".
    pub own: String,
    /// The oldest that is allowed; empty allows every one.
    pub minimum: String,
}
