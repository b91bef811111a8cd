// P3: how many round trips a cold join takes, as its growth from RTT 100 to 200. Nothing of ours is prepared while the
// page is read (`ours_cold`): otherwise a longer way leaves more of it done before the tap.
import { conditions, inTurn } from '../lib/joins.mjs';
import { round } from '../lib/statistics.mjs';

const goal = '<= 3.3 RTT';

const needs = [
  { condition: conditions.rtt100, sides: ['ours_cold', 'c'] },
  { condition: conditions.rtt200, sides: ['ours_cold', 'c'] },
];

export default {
  id: 'P3',
  order: 3,
  title: 'growth from RTT 100 to 200',
  goal,
  needs,
  deadline_s: 2400,
  async run(world) {
    const [near, far] = await inTurn(world, needs);
    const growth = (side, end) => {
      const [from, to] = [near[side], far[side]];
      if (from[end].p50 === null || to[end].p50 === null) return null;
      return round((to[end].p50 - from[end].p50) / (to.true_rtt_ms - from.true_rtt_ms), 2);
    };
    const value = (side) => `${growth(side, 'both')} RTT (agent ${growth(side, 'agent')}, customer ${growth(side, 'customer')})`;
    const ours = growth('ours_cold', 'both');
    return {
      lines: [{ row: 'P3', what: 'cold join, growth RTT 100 -> 200', ours: value('ours_cold'), c: value('c'), goal, met: ours !== null && ours <= 3.3 }],
      measured: { near, far },
    };
  },
};
