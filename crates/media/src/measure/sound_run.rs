//! A microphone, opened and listened to for a while.

use super::{
    OPENING,
    apart::Next,
    sound::Listening,
    sound_io::{Heard, listen},
};
use sightline_call::readiness::figures::{SoundMeasured, SoundTrouble};
use std::time::{Duration, Instant};

/// A device that delivers nothing for so long has stopped.
const STOPPED: Duration = Duration::from_secs(1);

/// Opens the microphone of that id (`None`: the system's default) and listens for `time` from its first sound on, for
/// which it gets 3 s more. `on_level` hears the newest level, 0 to 1, whenever sound comes. When this returns the
/// microphone is closed.
pub fn microphone(id: Option<&str>, mut on_level: impl FnMut(f64), time: Duration) -> SoundMeasured {
    let mut end = Instant::now() + OPENING;
    let run = listen(id);
    let (mut found, mut listening, mut trouble) = (None, None, None);
    let mut last = None::<Instant>;
    while Instant::now() < end {
        match run.next(end) {
            Next::Word(Heard::Found(device)) => found = Some(device),
            Next::Word(Heard::Begins { channels, rate }) => listening = Some(Listening::new(channels, rate)),
            Next::Word(Heard::Samples(samples, at)) => {
                if last.replace(at).is_none() {
                    end = at + time;
                }
                if let Some(listening) = &mut listening {
                    listening.hear(&samples);
                    on_level(listening.meter());
                }
            }
            Next::Word(Heard::Failed(failed)) => {
                trouble = Some(failed);
                break;
            }
            Next::Late | Next::Over => break,
        }
    }
    if last.is_some_and(|last| last.elapsed() > STOPPED) {
        let detail = "its sound stopped in between".into();
        trouble = trouble.or(Some(SoundTrouble::Broken { detail }));
    }
    drop(run);
    let (device, system_muted) = found.map_or((None, None), |found| (Some(found.identity), found.muted));
    let Some(sounds) = listening.and_then(|listening| listening.figures()) else {
        return SoundMeasured {
            system_muted,
            ..SoundMeasured::failed(device, trouble.unwrap_or(SoundTrouble::Stuck))
        };
    };
    SoundMeasured {
        device,
        before: None,
        opened: trouble.map_or(Ok(()), Err),
        system_muted,
        peak_dbfs: sounds.peak_dbfs,
        level_dbfs: sounds.level_dbfs,
        floor_dbfs: sounds.floor_dbfs,
        clipped: sounds.clipped,
        silent_channels: sounds.silent_channels,
        channels: sounds.channels,
        exact_zero: sounds.exact_zero,
    }
}
