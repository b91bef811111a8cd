// Tones: made as samples, found by their share of the sound's energy.

export const rate = 48_000;

/** Signed 16-bit mono samples of a sine, in whole periods so that repeats join without a click. */
export function sine(frequency, seconds = 1, level = 0.3) {
  const samples = new Int16Array(Math.round(rate * seconds));
  for (let n = 0; n < samples.length; n++) {
    samples[n] = Math.round(32767 * level * Math.sin((2 * Math.PI * frequency * n) / rate));
  }
  return Buffer.from(samples.buffer);
}

/**
 * How much of the sound is this tone, 0 to 1: Goertzel's power in short windows against all power there. Windows of
 * 20 ms resolve 50 Hz, so a tone that a codec or a resampler bent a little is still found. Silence counts as 0.
 */
export function share(samples, frequency) {
  const size = rate / 50;
  let tone = 0;
  let all = 0;
  for (let begin = 0; begin + size <= samples.length; begin += size) {
    const window = samples.subarray(begin, begin + size);
    tone += goertzel(window, frequency);
    for (const sample of window) all += sample * sample;
  }
  const loudness = Math.sqrt(all / Math.max(1, samples.length));
  return loudness < 20 ? 0 : tone / all;
}

function goertzel(window, frequency) {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequency) / rate);
  let [before, last] = [0, 0];
  for (const sample of window) [before, last] = [last, sample + coefficient * last - before];
  const power = before * before + last * last - coefficient * before * last;
  return (2 * power) / window.length;
}
