//! The call's camera, microphone and speaker: which are open, and what the agent wants of them.

use crate::{
    audio::{
        AudioFrame,
        microphone::{MicrophoneEvent, MicrophoneThread, Sound},
        playout::Playout,
        speaker::{SpeakerEvent, SpeakerThread},
        target::AudioTarget,
    },
    camera::choice::CameraChoice,
    line,
    painter::Painter,
    rate::{Rate, Target, VideoRate},
    screen_send::{ScreenEvent, ScreenThread},
    session::SessionConfig,
    video_send::{CameraEvent, CameraThread, VideoTarget},
};
use sightline_wire::{device::DeviceKind, room::MediaState};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::Sender,
    },
    time::Instant,
};

/// News from a device's thread.
pub(crate) enum HardwareEvent {
    Camera(CameraEvent),
    Microphone(MicrophoneEvent),
    Speaker(SpeakerEvent),
    /// Of the share with this number.
    Screen(u32, ScreenEvent),
}

/// Every device of a call. Dropping it closes them all and joins their threads.
pub(crate) struct Hardware<E> {
    painter: Arc<dyn Painter>,
    events: E,
    camera_choice: CameraChoice,
    microphone_id: Option<String>,
    speaker_id: Option<String>,
    camera: Option<CameraThread>,
    microphone: Option<MicrophoneThread>,
    speaker: Option<SpeakerThread>,
    microphone_on: Arc<AtomicBool>,
    far_end: Arc<Mutex<Option<Sender<Sound>>>>,
    /// Until they say otherwise: a camera that is just opening is not "off".
    camera_works: bool,
    microphone_works: bool,
    screen: Option<ScreenThread>,
    /// Counts shares: late news of an earlier one is nobody's.
    shares: u32,
    /// Pictures of the shared screen are coming.
    screen_works: bool,
    /// What the network carries for pictures.
    video: Option<VideoRate>,
    wanted: MediaState,
    /// What the encoder should do.
    pub target: Arc<VideoTarget>,
    /// What the screen's encoder should do.
    pub screen_target: Arc<VideoTarget>,
    /// What the microphone's encoder should do.
    pub audio_target: Arc<AudioTarget>,
    /// The customer's sound.
    pub playout: Arc<Mutex<Playout>>,
}

/// Whether pictures may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Nobody is there.
    Shut,
    /// Somebody is about to come.
    Soon,
    /// Somebody is there.
    Open,
}

impl<E: Fn(HardwareEvent) + Clone + Send + 'static> Hardware<E> {
    /// Starts opening all that is wanted.
    pub fn open(config: &SessionConfig, painter: Arc<dyn Painter>, events: E) -> Self {
        let open = Arc::new(AtomicBool::new(false));
        let target = |rate| Arc::new(VideoTarget::new(open.clone(), rate));
        let video = Rate::new(config.max_bitrate, line::START).target().video;
        let mut hardware = Self {
            painter,
            events,
            camera_choice: CameraChoice::new(config.camera.clone(), config.other_cameras.clone()),
            microphone_id: config.microphone.clone(),
            speaker_id: config.speaker.clone(),
            camera: None,
            microphone: None,
            speaker: None,
            microphone_on: Arc::new(AtomicBool::new(config.start_with.microphone)),
            far_end: Arc::default(),
            camera_works: true,
            microphone_works: true,
            wanted: config.start_with,
            target: target(video),
            screen: None,
            shares: 0,
            screen_works: false,
            video,
            screen_target: target(None),
            audio_target: Arc::default(),
            playout: Arc::default(),
        };
        hardware.open_camera();
        hardware.open_microphone();
        hardware.open_speaker();
        hardware
    }

    /// What is really being sent.
    pub fn own(&self) -> MediaState {
        MediaState {
            microphone: self.wanted.microphone && self.microphone_works,
            camera: self.wanted.camera && self.camera_works,
            screen: self.screen_works,
        }
    }

    /// Whether there is anybody who may see our pictures; whoever is new gets a whole one first. The camera's may be ready
    /// already, if somebody was about to come: then it can go at once.
    pub fn set_gate(&self, gate: Gate) -> Option<(Vec<u8>, Instant)> {
        // The screen's encoder has the same gate.
        match gate {
            Gate::Open => {
                tracing::debug!("pictures may go");
                self.screen_target.key_frame.store(true, Relaxed);
                self.target.begin()
            }
            Gate::Shut | Gate::Soon => {
                self.target.open.store(false, Relaxed);
                self.target.prepare(gate == Gate::Soon);
                None
            }
        }
    }

    /// The next pictures are whole ones.
    pub fn want_key_frames(&self) {
        for target in [&self.target, &self.screen_target] {
            target.key_frame.store(true, Relaxed);
        }
    }

    /// What the network carries from now on.
    pub fn follow(&mut self, target: Target) {
        self.video = target.video;
        self.divide();
        self.audio_target.bitrate.store(target.audio.bitrate, Relaxed);
        let percent = u32::from(target.audio.loss_percent);
        self.audio_target.loss_percent.store(percent, Relaxed);
    }

    /// Between the camera's and the screen's pictures.
    fn divide(&self) {
        let (camera, screen) = match self.video.filter(|_| self.screen_works) {
            Some(video) => video.beside_a_screen(),
            None => (self.video, None),
        };
        self.target.set_rate(camera);
        self.screen_target.set_rate(screen);
    }

    /// Shares a screen instead of any other, or none.
    pub fn share(&mut self, id: Option<String>) {
        self.screen = None;
        self.shares += 1;
        self.note_screen(false);
        if let Some(id) = id {
            let (events, number) = (self.events.clone(), self.shares);
            let tell = move |event| events(HardwareEvent::Screen(number, event));
            self.screen = Some(ScreenThread::start(id, self.screen_target.clone(), tell));
        }
    }

    /// Whether news of that share is still of interest.
    pub fn is_share(&self, number: u32) -> bool {
        self.shares == number
    }

    /// Notes that pictures of the screen are coming, or not any more.
    pub fn note_screen(&mut self, works: bool) {
        self.screen_works = works;
        self.divide();
    }

    /// Notes news of a device.
    pub fn note(&mut self, kind: DeviceKind, works: bool) {
        match kind {
            DeviceKind::Camera => self.camera_works = works,
            DeviceKind::Microphone => self.microphone_works = works,
            DeviceKind::Speaker => {}
        }
    }

    /// Microphone on or off; the device stays open.
    pub fn set_microphone(&mut self, on: bool) {
        self.wanted.microphone = on;
        self.microphone_on.store(on, Relaxed);
    }

    /// Camera on or off; off closes the device.
    pub fn set_camera(&mut self, on: bool) {
        if self.wanted.camera != on {
            self.wanted.camera = on;
            self.open_camera();
        }
    }

    /// Switches to another device.
    pub fn select(&mut self, kind: DeviceKind, id: Option<String>) {
        match kind {
            DeviceKind::Camera => {
                self.camera_choice.choose(id);
                self.open_camera();
            }
            DeviceKind::Microphone => {
                self.microphone_id = id;
                self.open_microphone();
            }
            DeviceKind::Speaker => {
                self.speaker_id = id;
                self.open_speaker();
            }
        }
    }

    fn open_camera(&mut self) {
        // The old device closes first: the new one may be the same.
        self.camera = None;
        self.camera_works = true;
        if self.wanted.camera {
            let events = self.events.clone();
            let tell = move |event| events(HardwareEvent::Camera(event));
            self.camera = Some(CameraThread::start(
                self.camera_choice.clone(),
                self.target.clone(),
                self.painter.clone(),
                tell,
            ));
        }
    }

    fn open_microphone(&mut self) {
        self.microphone = None;
        self.microphone_works = true;
        let events = self.events.clone();
        let tell = move |event| events(HardwareEvent::Microphone(event));
        let microphone = MicrophoneThread::start(
            self.microphone_id.clone(),
            self.microphone_on.clone(),
            self.audio_target.clone(),
            tell,
        );
        *self.far_end.lock().unwrap_or_else(PoisonError::into_inner) = Some(microphone.far_end());
        self.microphone = Some(microphone);
    }

    fn open_speaker(&mut self) {
        self.speaker = None;
        let (events, far_end) = (self.events.clone(), self.far_end.clone());
        let tell = move |event| events(HardwareEvent::Speaker(event));
        let played = move |frame: &AudioFrame, at: Instant| {
            if let Some(far_end) = &*far_end.lock().unwrap_or_else(PoisonError::into_inner) {
                // A microphone that has just closed needs no reference any more.
                let _ = far_end.send(Sound::Played { frame: *frame, at });
            }
        };
        self.speaker = Some(SpeakerThread::start(
            self.speaker_id.clone(),
            self.playout.clone(),
            played,
            tell,
        ));
    }
}
