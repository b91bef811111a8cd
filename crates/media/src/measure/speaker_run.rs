//! A speaker that plays, and a microphone that listens whether it is heard.

use super::{
    OPENING,
    apart::{Apart, Next},
    chirp::{self, Chirp, Trace},
    sound::Listening,
    sound_io::{Found, Heard, Played, listen, play},
};
use crate::audio::{RATE, timeline::Timeline};
use sightline_call::readiness::figures::{EchoMeasured, SoundTrouble, SpeakerMeasured};
use std::time::{Duration, Instant};

/// Silence before the first sweep: what a sound system swallows when it begins.
const LEAD: Duration = Duration::from_millis(200);
/// A microphone gets this part of the time to open before the speaker begins.
const EARS_FIRST: u32 = 3;
/// A sweep is looked for from so long before it was played: clocks of devices tremble.
const MARGIN: Duration = Duration::from_millis(20);
/// Callbacks are read this often.
const LOOK: Duration = Duration::from_millis(20);
/// A speaker that takes sound for so long goes on with it.
const HOLDS: Duration = Duration::from_millis(500);
/// More sweeps say nothing new.
const MOST_ROUNDS: u32 = 4;
/// A tone that was not found did not stand above the floor; how far below it was nobody knows, in dB.
const NOT_FOUND_DB: f64 = -1.0;

/// Plays sweeps out of `speaker` and listens to `microphone` (`None`: the system's defaults) until `time` is over,
/// or less when a few of them are heard; 3 s are enough for one, 5 s for two. `progress` hears how much of the time
/// is over, 0 to 1. When this returns both are closed.
pub fn speaker_and_echo(
    speaker: Option<&str>,
    microphone: Option<&str>,
    time: Duration,
    mut progress: impl FnMut(f64),
) -> (SpeakerMeasured, EchoMeasured) {
    let start = Instant::now();
    let end = start + time;
    let mut over = || progress((start.elapsed().as_secs_f64() / time.as_secs_f64()).min(1.0));
    let mut ears = Ears::new(microphone);
    let first = start + time / EARS_FIRST;
    while !ears.hear() && ears.works() && Instant::now() < first {
        ears.wait(first);
        over();
    }
    let left = end.saturating_duration_since(Instant::now() + LEAD);
    let rounds = (left.as_millis() / round().as_millis()).clamp(1, u128::from(MOST_ROUNDS)) as u32;
    let mut mouth = Mouth::new(speaker, move |rate| sweeps(rate, rounds));
    let whole = LEAD + round() * rounds;
    while Instant::now() < end && mouth.trouble.is_none() && !mouth.played(whole) {
        if ears.works() {
            ears.wait(end.min(Instant::now() + LOOK));
            mouth.look();
        } else {
            mouth.wait(end.min(Instant::now() + LOOK));
        }
        over();
    }
    mouth.look();
    let (mouth, ears) = (mouth.close(), ears.close());

    let traces = (0..rounds).filter_map(|number| {
        let played = mouth.line.time_of(samples(LEAD + round() * number))?;
        ears.trace(played)
    });
    let traces: Vec<Trace> = traces.collect();
    let best = best(&traces);
    let echo = best.filter(|trace| trace.certain);
    let over_floor = best.zip(ears.floor_dbfs()).map(|(trace, floor)| {
        let over = ears.chirp_dbfs() + trace.gain_db - floor;
        if trace.certain { over } else { over.min(NOT_FOUND_DB) }
    });
    let speaker = mouth.measured(over_floor);
    let measured = EchoMeasured {
        speaker: speaker.device.clone(),
        microphone: over_floor.and(ears.found).map(|found| found.identity),
        delay_ms: echo.map(|trace| trace.delay.saturating_sub(MARGIN).as_secs_f64() * 1e3),
        gain_db: echo.map(|trace| trace.gain_db),
    };
    (speaker, measured)
}

/// Plays a chime out of `speaker` again and again until `time` is over, for a person to hear. Whether they did stands
/// nowhere in the answer: ask them.
pub fn tone(speaker: Option<&str>, time: Duration, mut progress: impl FnMut(f64)) -> SpeakerMeasured {
    let start = Instant::now();
    let end = start + time;
    let mut mouth = Mouth::new(speaker, move |rate| chime(rate, time));
    while Instant::now() < end && mouth.trouble.is_none() {
        mouth.wait(end.min(Instant::now() + LOOK));
        progress((start.elapsed().as_secs_f64() / time.as_secs_f64()).min(1.0));
    }
    mouth.close().measured(None)
}

/// Plays nothing out of `speaker` until it has taken some of it: whether it can be used is found out without anybody
/// hearing it. Takes half a second with a speaker that works, 3 s with one that hangs.
pub fn opens(speaker: Option<&str>) -> SpeakerMeasured {
    let mut end = Instant::now() + OPENING;
    let mut mouth = Mouth::new(speaker, |_| Vec::new());
    let mut taking = false;
    while Instant::now() < end && mouth.trouble.is_none() {
        mouth.wait(end.min(Instant::now() + LOOK));
        if mouth.spoken.takes && !taking {
            taking = true;
            end = Instant::now() + HOLDS;
        }
    }
    mouth.close().measured(None)
}

/// A sweep, and the silence in which its echo may come.
fn round() -> Duration {
    chirp::LENGTH + chirp::LONGEST
}

/// A time as a count of samples at the engine's rate, which all devices' samples are counted at here.
fn samples(time: Duration) -> u64 {
    (time.as_secs_f64() * f64::from(RATE)) as u64
}

/// The same of a device's own samples.
fn at_our_rate(count: u64, rate: u32) -> u64 {
    count * u64::from(RATE) / u64::from(rate.max(1))
}

fn sweeps(rate: u32, rounds: u32) -> Vec<f32> {
    let chirp = Chirp::new(rate);
    let place = |time: Duration| (time.as_secs_f64() * f64::from(rate)) as usize;
    let mut sound = vec![0.0; place(LEAD + round() * rounds)];
    for number in 0..rounds {
        let from = place(LEAD + round() * number);
        for (sound, &sample) in sound[from..].iter_mut().zip(chirp.samples()) {
            *sound = sample;
        }
    }
    sound
}

/// Two notes a fourth apart, each second, fading as a bell does.
fn chime(rate: u32, time: Duration) -> Vec<f32> {
    let notes = [(0.0, 587.33), (0.25, 783.99)];
    let note = |at: f64, hertz: f64| {
        let attack = (at / 0.005).clamp(0.0, 1.0);
        0.25 * attack * (-5.0 * at).exp() * (at * hertz * std::f64::consts::TAU).sin()
    };
    (0..(time.as_secs_f64() * f64::from(rate)) as u64)
        .map(|n| {
            let at = (n % u64::from(rate)) as f64 / f64::from(rate);
            let begun = notes.iter().filter(|(from, _)| at >= *from);
            begun.map(|(from, hertz)| note(at - from, *hertz)).sum::<f64>() as f32
        })
        .collect()
}

/// The middle one of those that are certain; without one the lowest bound.
fn best(traces: &[Trace]) -> Option<Trace> {
    let mut certain: Vec<&Trace> = traces.iter().filter(|trace| trace.certain).collect();
    certain.sort_by_key(|trace| trace.delay);
    let middle = certain.get(certain.len() / 2).copied();
    let lowest = || traces.iter().min_by(|a, b| a.gain_db.total_cmp(&b.gain_db));
    middle.or_else(lowest).copied()
}

/// The microphone.
struct Ears {
    run: Apart<Heard>,
    heard: Recording,
    trouble: Option<SoundTrouble>,
}

/// What it heard.
struct Recording {
    found: Option<Found>,
    rate: u32,
    channels: usize,
    /// One channel, at its own rate.
    samples: Vec<f32>,
    listening: Option<Listening>,
    /// When which sample was handed over, counted at the engine's rate.
    line: Timeline,
}

impl Ears {
    fn new(id: Option<&str>) -> Self {
        Self {
            run: listen(id),
            heard: Recording {
                found: None,
                rate: RATE,
                channels: 1,
                samples: Vec::new(),
                listening: None,
                line: Timeline::default(),
            },
            trouble: None,
        }
    }

    fn works(&self) -> bool {
        self.trouble.is_none()
    }

    /// Whether sound has come.
    fn hear(&self) -> bool {
        !self.heard.samples.is_empty()
    }

    /// Takes what comes until then, one word at least.
    fn wait(&mut self, until: Instant) {
        // What comes after the first trouble is only its end.
        let mut until = until;
        while self.works() {
            match self.run.next(until) {
                Next::Word(Heard::Found(found)) => self.heard.found = Some(found),
                Next::Word(Heard::Begins { channels, rate }) => {
                    self.heard.rate = rate;
                    self.heard.channels = usize::from(channels.max(1));
                    self.heard.listening = Some(Listening::new(channels, rate));
                }
                Next::Word(Heard::Samples(samples, at)) => self.heard.take(&samples, at),
                Next::Word(Heard::Failed(trouble)) => return self.trouble = Some(trouble),
                Next::Late => return,
                Next::Over => return self.trouble = Some(SoundTrouble::Stuck),
            }
            // The rest of what is there already.
            until = Instant::now();
        }
    }

    /// Lets go of the device.
    fn close(self) -> Recording {
        self.heard
    }
}

impl Recording {
    fn take(&mut self, interleaved: &[f32], at: Instant) {
        if let Some(listening) = &mut self.listening {
            listening.hear(interleaved);
        }
        let count = self.channels as f32;
        let mono = interleaved
            .chunks_exact(self.channels)
            .map(|frame| frame.iter().sum::<f32>() / count);
        self.samples
            .extend(mono.map(|sample| if sample.is_finite() { sample } else { 0.0 }));
        // That it begins anew after a pause is no news here.
        self.line.note(at_our_rate(self.samples.len() as u64, self.rate), at);
    }

    /// Looks for the sweep that was handed to the speaker at `played`.
    fn trace(&self, played: Instant) -> Option<Trace> {
        let ratio = f64::from(self.rate) / f64::from(RATE);
        let from = Some(self.line.sample_at(played.checked_sub(MARGIN)?)? * ratio);
        // Played before it listened.
        let from = from.filter(|from| *from >= 0.0)? as usize;
        let length = (MARGIN + round()).as_secs_f64() * f64::from(self.rate);
        let to = (from + length as usize).min(self.samples.len());
        Chirp::new(self.rate).look(self.samples.get(from..to)?)
    }

    fn chirp_dbfs(&self) -> f64 {
        Chirp::new(self.rate).level_dbfs()
    }

    fn floor_dbfs(&self) -> Option<f64> {
        Some(self.listening.as_ref()?.figures()?.floor_dbfs)
    }
}

/// The speaker.
struct Mouth {
    run: Apart<Played>,
    spoken: Spoken,
    trouble: Option<SoundTrouble>,
}

/// What it took.
struct Spoken {
    found: Option<Found>,
    rate: u32,
    takes: bool,
    /// When which sample was handed over, counted at the engine's rate.
    line: Timeline,
    trouble: Option<SoundTrouble>,
}

impl Mouth {
    fn new(id: Option<&str>, sound: impl FnOnce(u32) -> Vec<f32> + Send + 'static) -> Self {
        Self {
            run: play(id, sound),
            spoken: Spoken {
                found: None,
                rate: RATE,
                takes: false,
                line: Timeline::default(),
                trouble: None,
            },
            trouble: None,
        }
    }

    /// Takes what is there.
    fn look(&mut self) {
        self.wait(Instant::now());
    }

    /// Takes what comes until then, one word at least.
    fn wait(&mut self, until: Instant) {
        // What comes after the first trouble is only its end.
        let mut until = until;
        while self.trouble.is_none() {
            match self.run.next(until) {
                Next::Word(Played::Found(found)) => self.spoken.found = Some(found),
                Next::Word(Played::Begins { rate }) => self.spoken.rate = rate,
                Next::Word(Played::Took(from, at)) => {
                    self.spoken.takes = true;
                    self.spoken.line.note(at_our_rate(from, self.spoken.rate), at);
                }
                Next::Word(Played::Failed(trouble)) => return self.trouble = Some(trouble),
                Next::Late => return,
                Next::Over => return self.trouble = Some(SoundTrouble::Stuck),
            }
            until = Instant::now();
        }
    }

    /// Whether so much of it has been handed over.
    fn played(&self, whole: Duration) -> bool {
        self.spoken
            .line
            .time_of(samples(whole))
            .is_some_and(|at| Instant::now() >= at + MARGIN)
    }

    /// Lets go of the device.
    fn close(self) -> Spoken {
        Spoken {
            trouble: self.trouble,
            ..self.spoken
        }
    }
}

impl Spoken {
    fn measured(&self, heard_by_microphone: Option<f64>) -> SpeakerMeasured {
        let stuck = (!self.takes).then_some(SoundTrouble::Stuck);
        SpeakerMeasured {
            device: self.found.as_ref().map(|found| found.identity.clone()),
            before: None,
            opened: self.trouble.clone().or(stuck).map_or(Ok(()), Err),
            system_muted: self.found.as_ref().and_then(|found| found.muted),
            heard_by_person: None,
            heard_by_microphone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sweep_stands_where_it_is_looked_for() {
        for rate in [16_000, 44_100, 48_000] {
            let sound = sweeps(rate, 2);
            let chirp = Chirp::new(rate);
            let place = |time: Duration| (time.as_secs_f64() * f64::from(rate)) as usize;
            for number in 0..2 {
                let from = place(LEAD + round() * number);
                let heard = &sound[from..sound.len().min(from + place(round()))];
                let trace = chirp.find(heard).expect("a sweep");
                assert!(
                    trace.delay < Duration::from_millis(1) && trace.gain_db.abs() < 0.1,
                    "{trace:?}"
                );
            }
        }
    }

    #[test]
    fn the_chime_is_heard_each_second_and_never_clips() {
        let sound = chime(48_000, Duration::from_secs(2));
        assert_eq!(sound.len(), 96_000);
        assert!(sound.iter().all(|sample| sample.abs() < 0.5));
        for second in sound.chunks(48_000) {
            assert!(second[..24_000].iter().any(|sample| *sample > 0.1));
        }
    }

    #[test]
    fn one_that_is_certain_counts_more_than_one_that_is_not() {
        let trace = |ms, gain_db, certain| Trace {
            delay: Duration::from_millis(ms),
            gain_db,
            certain,
        };
        let (sure, later, unsure) = (trace(50, -20.0, true), trace(60, -21.0, true), trace(9, -50.0, false));
        assert_eq!(best(&[unsure, sure]), Some(sure));
        assert_eq!(
            best(&[later, trace(55, -20.0, true), sure]).map(|best| best.delay.as_millis()),
            Some(55)
        );
        assert_eq!(best(&[trace(8, -40.0, false), unsure]), Some(unsure));
        assert_eq!(best(&[]), None);
    }
}
