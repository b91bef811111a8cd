//! Echo cancellation, noise suppression and gain in the microphone's path (sonora, a port of WebRTC's).

use super::{AudioFrame, FRAME, RATE};
use sonora::{
    AudioProcessing, Config, StreamConfig,
    config::{
        AdaptiveDigital, EchoCanceller, GainController2, HighPassFilter, NoiseSuppression, NoiseSuppressionLevel,
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
            echo_canceller: Some(EchoCanceller::default()),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// White noise from a linear congruential generator (Numerical Recipes' constants).
    fn noise(state: &mut u32) -> f32 {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*state >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    fn power(frames: &[AudioFrame]) -> f32 {
        frames.iter().flatten().map(|sample| sample * sample).sum::<f32>() / (frames.len() * FRAME) as f32
    }

    #[test]
    fn an_echo_goes_away() {
        let mut processing = MicrophoneProcessing::new();
        let (mut seed, mut delayed) = (1, std::collections::VecDeque::from(vec![0.0f32; 2_400]));
        let (mut heard, mut sent) = (Vec::new(), Vec::new());
        for _ in 0..600 {
            let far: AudioFrame = std::array::from_fn(|_| 0.2 * noise(&mut seed));
            delayed.extend(far);
            let echo: AudioFrame = std::array::from_fn(|_| 0.4 * delayed.pop_front().expect("as many as pushed"));
            processing.far_end(&far);
            sent.push(processing.near_end(&echo));
            heard.push(echo);
        }
        let loss_db = 10.0 * (power(&heard[400..]) / power(&sent[400..]).max(1e-12)).log10();
        assert!(loss_db > 20.0, "echo return loss enhancement is {loss_db:.1} dB");
    }
}
