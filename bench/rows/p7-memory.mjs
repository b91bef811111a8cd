// P7: memory in the same call, and how long the window takes to be usable.
import { mean, p50, p95, ratio, round } from '../lib/statistics.mjs';
import { steadyCalls } from '../lib/steady.mjs';
import { startTimes } from '../lib/start-up.mjs';

const goal = '<= 0.6 x C';

export default {
  id: 'P7',
  order: 7,
  title: 'memory in a call, and starting',
  goal,
  deadline_s: 700,
  async run(world) {
    const results = await steadyCalls(world);
    const mb = (side) => mean(results.filter((result) => result.side === side).map(({ memory }) => memory.mb));
    const share = ratio(mb('ours'), mb('c'));
    const starts = await startTimes(world);
    const shown = starts.map(({ shown_ms }) => shown_ms);
    const failed = starts.filter((start) => start.failed).length;
    return {
      lines: [
        { row: 'P7', what: 'memory (PSS) in the call', ours: `${round(mb('ours'))} MB`, c: `${round(mb('c'))} MB`, ratio: share, goal, met: share !== null && share <= 0.6 },
        {
          row: 'P7', what: 'start -> usable window, restarted', ours: `${round(p50(shown)) ?? '–'} (${round(p95(shown)) ?? '–'}) ms${failed ? `; ${failed} failed` : ''}`,
          goal: '<= 1000 ms', met: failed === 0 && p50(shown) !== null && p50(shown) <= 1000,
        },
      ],
      measured: { calls: results, starts },
    };
  },
};
