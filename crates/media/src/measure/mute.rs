//! Whether the system's mixer has muted a device. PulseAudio and PipeWire tell; others do not.

use sightline_wire::device::DeviceKind;

/// `None` where the system does not tell. `id` as in the device list; `None` is the system's default. Blocks for half a
/// second at most.
#[cfg(not(target_os = "linux"))]
pub fn system_muted(_kind: DeviceKind, _id: Option<&str>) -> Option<bool> {
    None
}

/// `None` where the system does not tell. `id` as in the device list; `None` is the system's default. Blocks for half a
/// second at most.
#[cfg(target_os = "linux")]
pub fn system_muted(kind: DeviceKind, id: Option<&str>) -> Option<bool> {
    let asked = match id {
        Some(id) => {
            let id: cpal::DeviceId = id.parse().ok()?;
            if id.host() != cpal::HostId::PulseAudio {
                return None;
            }
            pulse::ask(kind, id.id())
        }
        None => pulse::ask(kind, pulse::default_of(kind)),
    };
    asked
        .inspect_err(|error| tracing::debug!(%error, "the mixer does not tell"))
        .ok()
}

/// A question to the sound server, on a connection of its own that is closed at once. (A `Client` of that crate
/// leaves a thread and a socket behind.)
#[cfg(target_os = "linux")]
mod pulse {
    use super::DeviceKind;
    use pulseaudio::protocol::{
        self, AuthParams, AuthReply, ChannelVolume, Command, CommandReply, GetSinkInfo, GetSourceInfo, MAX_VERSION,
        Prop, Props, ProtocolError, SetClientNameReply, SinkInfo, SourceInfo, Volume,
    };
    use std::{ffi::CString, fs, io, io::BufReader, os::unix::net::UnixStream, time::Duration};

    /// A server that does not answer within this time is not asked any further.
    const PATIENCE: Duration = Duration::from_millis(500);

    /// What the sound server itself calls the default.
    pub fn default_of(kind: DeviceKind) -> &'static str {
        match kind {
            DeviceKind::Speaker => "@DEFAULT_SINK@",
            DeviceKind::Microphone | DeviceKind::Camera => "@DEFAULT_SOURCE@",
        }
    }

    pub fn ask(kind: DeviceKind, name: &str) -> Result<bool, ProtocolError> {
        let path = pulseaudio::socket_path_from_env().ok_or(io::Error::from(io::ErrorKind::NotFound))?;
        let socket = UnixStream::connect(path)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let mut server = Server {
            socket: BufReader::new(socket),
            version: MAX_VERSION,
            questions: 0,
        };
        server.greet()?;
        let name = CString::new(name).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let (index, name) = (None, Some(name));
        let (muted, volume) = match kind {
            DeviceKind::Speaker => {
                let sink: SinkInfo = server.ask(&Command::GetSinkInfo(GetSinkInfo { index, name }))?;
                (sink.muted, sink.cvolume)
            }
            DeviceKind::Microphone | DeviceKind::Camera => {
                let source: SourceInfo = server.ask(&Command::GetSourceInfo(GetSourceInfo { index, name }))?;
                (source.muted, source.cvolume)
            }
        };
        Ok(muted || is_zero(&volume))
    }

    /// A slider at its lowest end is as mute as the switch beside it.
    fn is_zero(volume: &ChannelVolume) -> bool {
        volume.channels().iter().all(|channel| *channel == Volume::MUTED)
    }

    struct Server {
        socket: BufReader<UnixStream>,
        version: u16,
        questions: u32,
    }

    impl Server {
        /// Who we are, and which version both sides speak.
        fn greet(&mut self) -> Result<(), ProtocolError> {
            let cookie = pulseaudio::cookie_path_from_env().and_then(|path| fs::read(path).ok());
            let auth: AuthReply = self.ask(&Command::Auth(AuthParams {
                version: MAX_VERSION,
                supports_shm: false,
                supports_memfd: false,
                // Made with the first connection of the sound system.
                cookie: cookie.unwrap_or_default(),
            }))?;
            self.version = auth.version.min(MAX_VERSION);
            let mut about = Props::new();
            about.set(Prop::ApplicationName, c"Sightline");
            let _: SetClientNameReply = self.ask(&Command::SetClientName(about))?;
            Ok(())
        }

        fn ask<R: CommandReply>(&mut self, question: &Command) -> Result<R, ProtocolError> {
            protocol::write_command_message(self.socket.get_mut(), self.questions, question, self.version)?;
            self.questions += 1;
            let (_, reply) = protocol::read_reply_message(&mut self.socket, self.version)?;
            Ok(reply)
        }
    }
}
