// P6: processor time of a two-way 720p30 call, the whole process tree of each.
import { mean, ratio, round } from '../lib/statistics.mjs';
import { steadyCalls, unequal } from '../lib/steady.mjs';

const goal = '<= 0.6 x C';

export default {
  id: 'P6',
  order: 6,
  title: 'processor time in a call',
  goal,
  deadline_s: 600,
  async run(world) {
    const results = await steadyCalls(world);
    const cores = (side) => mean(results.filter((result) => result.side === side).map(({ cpu }) => cpu.cores));
    const [ours, c] = [cores('ours'), cores('c')];
    const why = unequal(results);
    const share = ratio(ours, c);
    const said = (value, side) => `${round(value, 3)} cores, ${round(mean(results.filter((result) => result.side === side).map(({ picture }) => picture.agent_shows_fps)), 1)} fps shown`;
    return {
      lines: [{
        row: 'P6', what: `processor, two-way 720p30${why ? ` (not equal: ${why})` : ''}`, ours: said(ours, 'ours'), c: said(c, 'c'), ratio: share, goal,
        met: why ? null : share <= 0.6,
      }],
      measured: { unequal: why, calls: results },
    };
  },
};
