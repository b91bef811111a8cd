//! Echo cancellation, noise suppression and gain in the microphone's path (sonora, a port of WebRTC's).

#[cfg(test)]
mod tests;

use super::{AudioFrame, FRAME, RATE};
use sonora::{
    AudioProcessing, Config, StreamConfig,
    config::{
        AdaptiveDigital, EchoCanceller, GainController2, HighPassFilter, NoiseSuppression, NoiseSuppressionLevel,
        TransparentModeType,
    },
};

/// Cleans what the microphone hears of what the speaker plays.
pub struct MicrophoneProcessing {
    inner: AudioProcessing,
}

impl MicrophoneProcessing {
    /// For one microphone and one speaker.
    pub fn new() -> Self {
        let config = Config {
            high_pass_filter: Some(HighPassFilter::default()),
            echo_canceller: Some(EchoCanceller {
                // A headset has no echo. The other classifier takes 6 s of the customer's voice to see that, and cuts
                // the agent off until then whenever both talk.
                transparent_mode: TransparentModeType::Hmm,
                ..Default::default()
            }),
            noise_suppression: Some(NoiseSuppression {
                level: NoiseSuppressionLevel::Moderate,
                ..Default::default()
            }),
            gain_controller2: Some(GainController2 {
                // A headset needs a little help; 50 dB would lift the neighbour's voice too.
                adaptive_digital: Some(AdaptiveDigital {
                    max_gain_db: 24.0,
                    initial_gain_db: 6.0,
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..Default::default()
        };
        let stream = StreamConfig::new(RATE, 1);
        let inner = AudioProcessing::builder()
            .config(config)
            .capture_config(stream)
            .render_config(stream)
            .build();
        Self { inner }
    }

    /// What the speaker plays, before or as it is heard.
    pub fn far_end(&mut self, frame: &AudioFrame) {
        let mut unused = [0.0; FRAME];
        let done = self.inner.process_render_f32(&[frame], &mut [&mut unused]);
        debug_assert!(done.is_ok(), "10 ms of 48 kHz mono fit");
    }

    /// What the microphone hears, cleaned.
    pub fn near_end(&mut self, frame: &AudioFrame) -> AudioFrame {
        let mut out = [0.0; FRAME];
        let done = self.inner.process_capture_f32(&[frame], &mut [&mut out]);
        debug_assert!(done.is_ok(), "10 ms of 48 kHz mono fit");
        out
    }
}

impl Default for MicrophoneProcessing {
    fn default() -> Self {
        Self::new()
    }
}
