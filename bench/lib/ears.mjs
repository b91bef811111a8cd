// When a click comes out of the agent's speaker. The customer's microphone clicks at every full second.

const rate = 48_000;
/** A click is this loud at least, and this long after the one before. */
const LOUD = 1500;
const QUIET_S = 0.5;

/** Listens for `lasting` ms; how long after its second each click was heard, in ms. */
export async function ears(sound, lasting) {
  const { samples, began } = await sound.record(lasting / 1000);
  const clicks = [];
  let last = -Infinity;
  for (let n = 0; n < samples.length; n++) {
    if (Math.abs(samples[n]) < LOUD) continue;
    if (n - last > QUIET_S * rate) clicks.push((began + (n / rate) * 1000) % 1000);
    last = n;
  }
  return clicks;
}
