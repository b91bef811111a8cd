//! Readiness: what a desk has measured of itself, what it may take because of it, and who is told.
//!
//! A desk measures ([`Check`]), puts what it found into a [`Report`], and the server turns a good one into a
//! [`Lease`]: what this desk may be offered until when. Whatever speaks against it narrows the lease at once.

use crate::{
    UnixMillis,
    device::DeviceKind,
    ids::{AccountId, DeskId, ReportId},
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One thing that is checked, in the order of the signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// Opens, delivers, and shows something.
    Camera,
    /// Hears, neither too little nor too much.
    Microphone,
    /// Is heard.
    Speaker,
    /// From the speaker back into the microphone.
    Echo,
    /// What the operating system allows this app.
    Permissions,
    /// 720p at 30 pictures a second, with time to spare.
    Encoder,
    /// The backend answers, with a certificate that is good.
    Backend,
    /// This computer's clock beside the backend's.
    Clock,
    /// Round trip, unevenness, loss and capacity to the backend.
    Line,
    /// How this computer looks from outside.
    Stun,
    /// A relay over datagrams.
    RelayUdp,
    /// A relay over TCP.
    RelayTcp,
    /// A relay over TLS.
    RelayTls,
    /// Ten seconds of a real call, as direct as the deployment allows.
    Call,
    /// The same over a relay.
    RelayedCall,
    /// Room for recordings and for what waits to be sent.
    Storage,
    /// A place for secrets.
    Keyring,
    /// This version of the app is allowed.
    Version,
}

impl CheckKind {
    /// All of them, in order.
    pub const ALL: [Self; 18] = [
        Self::Camera,
        Self::Microphone,
        Self::Speaker,
        Self::Echo,
        Self::Permissions,
        Self::Encoder,
        Self::Backend,
        Self::Clock,
        Self::Line,
        Self::Stun,
        Self::RelayUdp,
        Self::RelayTcp,
        Self::RelayTls,
        Self::Call,
        Self::RelayedCall,
        Self::Storage,
        Self::Keyring,
        Self::Version,
    ];

    /// Those of a quick check: devices alone, in three seconds.
    pub const QUICK: [Self; 3] = [Self::Camera, Self::Microphone, Self::Speaker];

    /// As it stands in reports and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Microphone => "microphone",
            Self::Speaker => "speaker",
            Self::Echo => "echo",
            Self::Permissions => "permissions",
            Self::Encoder => "encoder",
            Self::Backend => "backend",
            Self::Clock => "clock",
            Self::Line => "line",
            Self::Stun => "stun",
            Self::RelayUdp => "relay_udp",
            Self::RelayTcp => "relay_tcp",
            Self::RelayTls => "relay_tls",
            Self::Call => "call",
            Self::RelayedCall => "relayed_call",
            Self::Storage => "storage",
            Self::Keyring => "keyring",
            Self::Version => "version",
        }
    }

    /// What a failure of it takes away.
    pub fn carries(self) -> Carries {
        match self {
            Self::Camera | Self::Encoder => Carries::Picture,
            Self::Microphone | Self::Speaker | Self::Permissions | Self::Backend | Self::Call | Self::Version => {
                Carries::Everything
            }
            Self::Echo
            | Self::Clock
            | Self::Line
            | Self::Stun
            | Self::RelayUdp
            | Self::RelayTcp
            | Self::RelayTls
            | Self::RelayedCall
            | Self::Storage
            | Self::Keyring => Carries::Comfort,
        }
    }
}

/// What depends on a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// Without it there is no call at all.
    Everything,
    /// Without it there is sound alone.
    Picture,
    /// Calls work without it, only less well or less often.
    Comfort,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing to say.
    Pass,
    /// Was not asked for, or there is nothing to check here (no relay in this deployment).
    Skipped,
    /// Works, and could be better.
    Warn,
    /// Does not work.
    Fail,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Milliseconds.
    Ms,
    /// Decibels below full scale.
    Dbfs,
    /// Decibels.
    Db,
    /// Frames a second.
    Fps,
    /// Pixels.
    Px,
    /// Per cent.
    Percent,
    /// Bits a second.
    BitsPerSecond,
    /// Bytes.
    Bytes,
    /// Mean opinion score, 1 to 4.5 (ITU-T G.107).
    Mos,
    /// Days.
    Days,
    /// A bare number.
    Count,
}

/// Something that was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Figure {
    /// Stable, as in `first_frame`.
    pub name: String,
    /// In `unit`.
    pub value: f64,
    /// What it counts.
    pub unit: Unit,
}

impl Figure {
    /// A figure by its name.
    pub fn new(name: &str, value: f64, unit: Unit) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
        }
    }
}

/// A device as it was when it was checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct DeviceIdentity {
    /// What it is for.
    pub kind: DeviceKind,
    /// Stable while it is plugged in.
    pub id: String,
    /// As the system calls it.
    pub name: String,
}

/// One check with what it found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Check {
    /// What.
    pub kind: CheckKind,
    /// How it went.
    pub outcome: Outcome,
    /// Why, unless it passed.
    pub finding: Option<Finding>,
    /// In plain words.
    pub sentence: String,
    /// What to do; empty when it passed.
    pub remedy: String,
    /// What was measured.
    pub figures: Vec<Figure>,
    /// The device, where it is about one.
    pub device: Option<DeviceIdentity>,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
}

/// What a desk can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// Neither picture nor sound.
    NotReady,
    /// Sound.
    Audio,
    /// Picture and sound.
    Video,
}

/// How much was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// Everything: about half a minute.
    Full,
    /// The devices: three seconds.
    Quick,
    /// One check by itself, on top of an earlier report.
    Single,
}

/// One self-test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Report {
    /// Made by the desk; a report that is sent twice counts once.
    pub id: ReportId,
    /// How much was checked.
    pub extent: Extent,
    /// When it began.
    pub started_at: UnixMillis,
    /// When it ended.
    pub finished_at: UnixMillis,
    /// Of the app.
    pub app_version: String,
    /// "Debian 12, x86_64".
    pub system: String,
    /// What it comes to.
    pub readiness: Readiness,
    /// In the order of [`CheckKind`].
    pub checks: Vec<Check>,
}

/// Why a lease allows less than it could.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Narrowing {
    /// No self-test has passed yet.
    NeverTested,
    /// This one failed.
    Failed {
        /// Which check.
        check: CheckKind,
        /// What was found.
        finding: Option<Finding>,
    },
    /// It is gone.
    Unplugged {
        /// Which kind of device.
        kind: DeviceKind,
        /// As the system called it.
        name: String,
    },
    /// The time is over.
    Expired,
    /// The desk is not connected.
    Offline,
    /// Three calls in a row did not come about.
    Handshakes,
}

/// What a desk may be offered, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Lease {
    /// Now.
    pub readiness: Readiness,
    /// Since when it is that.
    pub since: UnixMillis,
    /// When it ends by itself.
    pub expires_at: UnixMillis,
    /// Why it is not more; empty for [`Readiness::Video`].
    pub narrowed_by: Vec<Narrowing>,
    /// What it was given for.
    pub devices: Vec<DeviceIdentity>,
}

/// An agent on the readiness board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BoardRow {
    /// Who.
    pub agent: AccountId,
    /// Shown.
    pub name: String,
    /// Where; absent for one who has never signed in.
    pub desk: Option<DeskId>,
    /// Whether that desk is connected.
    pub online: bool,
    /// Absent: unknown, never tested.
    pub lease: Option<Lease>,
    /// Of the last full report.
    pub tested_at: Option<UnixMillis>,
    /// How media leaves that desk, in words: "UDP, direct", "TLS relay".
    pub path: String,
    /// A test that a supervisor asked for is running.
    pub testing: bool,
}

/// What the deployment demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReadinessPolicy {
    /// Whether a call needs a lease, or the lease only advises.
    pub required: bool,
    /// How long a passed full self-test counts.
    pub lease_ms: u64,
    /// Older versions of the app are not ready; empty allows every version.
    pub minimum_version: String,
}

/// The answer to `GET /v1/readiness` and to a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MyReadiness {
    /// Absent before the first report.
    pub lease: Option<Lease>,
    /// What counts here.
    pub policy: ReadinessPolicy,
}

/// What `POST /v1/self-test/calls` is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TestCall {
    /// Over a relay alone.
    pub relayed: bool,
}

/// What the echo peer hears it says again after so many milliseconds, half as loud, beside its tone of 440 Hz: a desk's
/// own sound is there and back after this and the way.
pub const ECHO_HOLD_MS: u32 = 500;

/// What the far end of a test call saw and heard of the desk.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct EchoHeard {
    /// Pictures that came whole.
    pub pictures: u32,
    /// The newest one's size; 0 before the first.
    pub width: u32,
    /// The newest one's size; 0 before the first.
    pub height: u32,
    /// Packets of sound that came.
    pub packets: u32,
    /// Share of packets lost on the way there, 0 to 1.
    pub loss: f64,
    /// From joining to the desk's first picture.
    pub first_picture_ms: Option<u32>,
}

/// A self-test as the window shows it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct SelfTestView {
    /// Which checks run at the moment; none when no test does.
    pub running: Vec<CheckKind>,
    /// How much is being checked, or was last.
    pub extent: Option<Extent>,
    /// What is known so far, in the order of [`CheckKind`].
    pub checks: Vec<Check>,
    /// What it comes to, when the test is over.
    pub readiness: Option<Readiness>,
    /// When it ended.
    pub finished_at: Option<UnixMillis>,
    /// The tone plays, and the person is asked whether it is heard.
    pub asks_for_tone: bool,
    /// The microphone's level while it is measured, 0 to 1.
    pub level: Option<f64>,
    /// What the server allows because of it.
    pub lease: Option<Lease>,
    /// What counts here; absent until the server has said it.
    pub policy: Option<ReadinessPolicy>,
}

macro_rules! findings {
    ($($name:ident $sentence:literal $remedy:literal;)+) => {
        /// A stable name for what a check found. Programs match on it, never on the words.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
        #[serde(rename_all = "snake_case")]
        pub enum Finding { $(#[doc = $sentence] $name,)+ }

        impl Finding {
            /// Every one, for documentation and exhaustive tests.
            pub const ALL: &'static [Finding] = &[$(Finding::$name,)+];

            /// What was found, in plain words.
            pub fn sentence(self) -> &'static str { match self { $(Finding::$name => $sentence,)+ } }

            /// What to do about it.
            pub fn remedy(self) -> &'static str { match self { $(Finding::$name => $remedy,)+ } }
        }
    };
}

findings! {
    CameraMissing "No camera was found." "Plug one in, or choose another in the device settings.";
    CameraBusy "The camera is used by another program." "Close that program, then test again.";
    CameraDenied "The system does not let this app use the camera." "Allow the camera for Sightline in the system's privacy settings.";
    CameraFailed "The camera cannot be started." "Unplug the camera and plug it back in, then test again.";
    CameraBlack "The camera's picture is black." "Take the cap off, or switch the light on.";
    CameraCovered "The camera's shutter is closed." "Open the shutter, or press the camera key of the keyboard.";
    CameraFrozen "The camera's picture stands still." "Unplug the camera and plug it back in.";
    CameraDark "The camera's picture is too dark." "Switch a light on in front of you.";
    CameraBright "The camera's picture is too bright." "Turn away from the window, or close the blinds.";
    CameraSlow "The camera delivers too few pictures a second." "Give it more light, or plug it into a port of the computer itself.";
    CameraSmall "The camera's picture is smaller than 720p." "Choose a better camera, if there is one.";
    MicrophoneMissing "No microphone was found." "Plug one in, or choose another in the device settings.";
    MicrophoneBusy "The microphone is used by another program." "Close that program, then test again.";
    MicrophoneDenied "The system does not let this app use the microphone." "Allow the microphone for Sightline in the system's privacy settings.";
    MicrophoneFailed "The microphone cannot be started." "Unplug the microphone and plug it back in, then test again.";
    MicrophoneMuted "The microphone is muted by the system." "Unmute it in the system's sound settings, or with the key on the headset.";
    MicrophoneSilent "The microphone delivers nothing at all." "Check its plug and its own switch, or choose another.";
    MicrophoneQuiet "The microphone is very quiet." "Raise its level in the system's sound settings, or move closer.";
    MicrophoneClips "The microphone is too loud and distorts." "Lower its level in the system's sound settings.";
    MicrophoneNoisy "There is much noise in the microphone." "Move to a quieter place, or use a headset.";
    MicrophoneOneSided "One side of the microphone delivers nothing." "Check its plug. Calls work with the other side.";
    SpeakerMissing "No speaker was found." "Plug one in, or choose another in the device settings.";
    SpeakerBusy "The speaker is used by another program." "Close that program, then test again.";
    SpeakerFailed "The speaker cannot be started." "Choose another speaker, or restart the computer's sound.";
    SpeakerMuted "The speaker is muted by the system." "Unmute it in the system's sound settings.";
    SpeakerNotHeard "The test tone was not heard." "Raise the volume, or choose another speaker.";
    EchoStrong "The microphone hears the speaker loudly." "Use a headset, or turn the speaker down.";
    PermissionMissing "The system withholds a permission." "Allow camera and microphone for Sightline in the system's privacy settings.";
    EncoderSlow "This computer is too slow for video at full size." "Close other programs. Calls use a smaller picture.";
    BackendUnreachable "The server cannot be reached." "Check the network, then test again.";
    CertificateBad "The server's certificate is not good." "Tell IT: the certificate does not fit, has expired, or is not trusted here.";
    CertificateEnding "The server's certificate expires soon." "Tell IT to renew it.";
    Portal "Another page answers in place of the server." "Open a browser and sign in to this network first.";
    ClockWrong "This computer's clock is wrong." "Let the system set its time by itself.";
    RoundTripLong "The way to the server takes long." "Use a cable, or another network.";
    Uneven "Packets arrive unevenly." "Use a cable in place of wireless.";
    PacketsLost "Packets are lost on the way." "Use a cable in place of wireless.";
    LineNarrow "The network carries too little for video." "Stop downloads, or use another network.";
    StunUnreachable "Nobody says how this computer looks from outside." "Tell IT: UDP to the relay's port is blocked.";
    RelayUnreachable "This way to the relay is blocked." "Tell IT which way is blocked. Calls use the others.";
    RelayRefused "The relay refuses this desk." "Tell IT that the relay refuses credentials.";
    CallFailed "The test call did not come about." "Check the network, then test again.";
    CallSlow "The test call took long to begin." "Use a cable, or another network.";
    CallWithoutPicture "No picture came through in the test call." "Test again. If it happens again, tell IT.";
    CallWithoutSound "No sound came through in the test call." "Test again. If it happens again, tell IT.";
    CallPoor "The test call sounded poor." "Use a cable, or another network.";
    StorageFull "There is too little room on the disk." "Free some disk space.";
    StorageUnusable "The app's folder cannot be written to." "Tell IT: the app's data folder is read-only.";
    KeyringUnusable "This computer has no keyring." "You stay signed in until the app closes.";
    VersionOld "This version of the app is too old." "Update the app.";
    DeviceChanged "The device is another one than at the last test." "Nothing, if that was on purpose.";
    TooLate "The check did not end in time." "Test again. If it happens again, restart the computer.";
}
