//! What this installation remembers that is no secret: its id, the chosen devices, and whether the
//! microphone was on in the call that runs.

use serde::{Deserialize, Serialize};
use sightline_media::CameraChoice;
use sightline_wire::{
    ErrorCode, Problem,
    device::DeviceKind,
    ids::{DeskId, EscalationId},
    room::MediaState,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    desk: DeskId,
    #[serde(default)]
    camera: Option<String>,
    #[serde(default)]
    other_cameras: Vec<String>,
    #[serde(default)]
    microphone: Option<String>,
    #[serde(default)]
    speaker: Option<String>,
    #[serde(default)]
    call: Option<CallMedia>,
}

/// A desk that restarts in a call must not switch a muted microphone on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct CallMedia {
    escalation: EscalationId,
    own: MediaState,
}

/// The settings file.
#[derive(Debug)]
pub(crate) struct Settings {
    path: PathBuf,
    stored: Stored,
}

impl Settings {
    /// Reads the file; a missing or unreadable one starts afresh, with a new desk id.
    pub fn open(data_dir: &Path) -> Self {
        let path = data_dir.join("desk.json");
        let stored = match fs::read(&path).map(|bytes| serde_json::from_slice(&bytes)) {
            Ok(Ok(stored)) => Some(stored),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the settings file is not readable and starts afresh");
                None
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(%error, "the settings file cannot be opened");
                None
            }
        };
        match stored {
            Some(stored) => Self { path, stored },
            None => {
                let fresh = Stored {
                    desk: DeskId(Uuid::new_v4()),
                    camera: None,
                    other_cameras: Vec::new(),
                    microphone: None,
                    speaker: None,
                    call: None,
                };
                let settings = Self { path, stored: fresh };
                if let Err(problem) = settings.write() {
                    tracing::warn!(%problem, "a new desk id could not be kept");
                }
                settings
            }
        }
    }

    /// This installation.
    pub fn desk(&self) -> DeskId {
        self.stored.desk
    }

    /// The chosen device of a kind.
    pub fn device(&self, kind: DeviceKind) -> Option<String> {
        match kind {
            DeviceKind::Camera => self.stored.camera.clone(),
            DeviceKind::Microphone => self.stored.microphone.clone(),
            DeviceKind::Speaker => self.stored.speaker.clone(),
        }
    }

    /// Cameras chosen before, the newest first: what a call falls back on.
    pub fn other_cameras(&self) -> Vec<String> {
        self.stored.other_cameras.clone()
    }

    /// Chooses one; the choice holds for this run even when it cannot be kept.
    pub fn choose(&mut self, kind: DeviceKind, id: Option<String>) -> Result<(), Problem> {
        let stored = &mut self.stored;
        match kind {
            DeviceKind::Camera => {
                let mut choice = CameraChoice::new(stored.camera.take(), std::mem::take(&mut stored.other_cameras));
                choice.choose(id);
                (stored.camera, stored.other_cameras) = choice.into_parts();
            }
            DeviceKind::Microphone => stored.microphone = id,
            DeviceKind::Speaker => stored.speaker = id,
        }
        self.write()
    }

    /// What was on when the escalation was last seen on this desk.
    pub fn media_of(&self, escalation: EscalationId) -> Option<MediaState> {
        self.stored
            .call
            .filter(|call| call.escalation == escalation)
            .map(|call| call.own)
    }

    /// Remembers what is on in a call; `None` when it is over.
    pub fn remember_media(&mut self, call: Option<(EscalationId, MediaState)>) {
        let call = call.map(|(escalation, own)| CallMedia { escalation, own });
        if self.stored.call != call {
            self.stored.call = call;
            if let Err(problem) = self.write() {
                tracing::warn!(%problem, "the call's microphone state could not be kept");
            }
        }
    }

    /// Written beside the old file and renamed, so that a full disk leaves the old one whole.
    fn write(&self) -> Result<(), Problem> {
        let bytes = serde_json::to_vec_pretty(&self.stored).unwrap_or_default();
        let draft = self.path.with_extension("json.new");
        fs::write(&draft, bytes)
            .and_then(|()| fs::rename(&draft, &self.path))
            .map_err(|error| {
                tracing::error!(%error, "the settings file cannot be written");
                Problem::new(ErrorCode::StorageFailed).saying("Your choice holds until the app closes.")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_and_the_desk_id_survive() {
        let dir = std::env::temp_dir().join(format!("sightline-settings-{}", Uuid::new_v4()));
        fs::create_dir_all(&dir).unwrap();
        let mut settings = Settings::open(&dir);
        settings
            .choose(DeviceKind::Camera, Some("synthetic:camera".into()))
            .unwrap();
        let escalation = EscalationId(Uuid::new_v4());
        let muted = MediaState {
            microphone: false,
            camera: true,
            screen: false,
        };
        settings.remember_media(Some((escalation, muted)));

        let again = Settings::open(&dir);
        assert_eq!(again.desk(), settings.desk());
        assert_eq!(again.device(DeviceKind::Camera).as_deref(), Some("synthetic:camera"));
        assert_eq!(again.device(DeviceKind::Speaker), None);
        assert_eq!(again.media_of(escalation), Some(muted));
        assert_eq!(again.media_of(EscalationId(Uuid::new_v4())), None);

        fs::write(dir.join("desk.json"), b"{ not json").unwrap();
        assert_ne!(Settings::open(&dir).desk(), settings.desk());
        fs::remove_dir_all(&dir).unwrap();
    }
}
