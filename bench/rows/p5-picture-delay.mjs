// P5: the age of the customer's picture on the agent's screen, and how far apart sound and picture are.
import { pictureAges } from '../lib/steady.mjs';
import { p50, p95, ratio, round } from '../lib/statistics.mjs';

const goal = 'p50 <= 0.8 x C, p95 <= 150 ms';

export default {
  id: 'P5',
  order: 5,
  title: 'picture delay, and sound against picture',
  goal,
  deadline_s: 400,
  async run(world) {
    const results = await pictureAges(world);
    const of = (side) => {
      const mine = results.filter((result) => result.side === side);
      const ages = mine.flatMap(({ ages }) => ages);
      const clicks = mine.flatMap(({ clicks }) => clicks);
      const offset = p50(clicks) === null ? null : p50(ages) - p50(clicks);
      return { frames: ages.length, p50: p50(ages), p95: p95(ages), clicks: clicks.length, sound_ms: p50(clicks), picture_after_sound_ms: offset };
    };
    const [ours, c] = [of('ours'), of('c')];
    const delay = ({ p50, p95, frames }) => `${round(p50) ?? '–'} (${round(p95) ?? '–'}) ms, ${frames} frames`;
    const apart = ({ sound_ms, picture_after_sound_ms: after }) => `${round(after) ?? '–'} ms (sound ${round(sound_ms) ?? '–'})`;
    const share = ratio(ours.p50, c.p50);
    return {
      lines: [
        { row: 'P5', what: 'picture delay, customer\'s camera -> agent\'s screen', ours: delay(ours), c: delay(c), ratio: share, goal, met: share !== null && share <= 0.8 && ours.p95 <= 150 },
        {
          row: 'P5', what: 'picture after sound', ours: apart(ours), c: apart(c), goal: 'within 100 ms',
          met: ours.picture_after_sound_ms !== null && Math.abs(ours.picture_after_sound_ms) <= 100,
        },
      ],
      measured: { ours, c, samples: results },
    };
  },
};
