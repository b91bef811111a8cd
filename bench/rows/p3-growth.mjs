// P3: how many round trips a cold join takes, as its growth from RTT 100 to 200. Nothing of ours is prepared while the
// page is read (`ours_cold`): otherwise a longer way leaves more of it done before the tap.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { output } from '../../tests/lib/paths.mjs';
import { stepNames } from '../lib/capture.mjs';
import { conditions, inTurn } from '../lib/joins.mjs';
import { p50, round } from '../lib/statistics.mjs';

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
    if (world.options.capture) writeFileSync(join(output('bench'), 'P3-steps.md'), stepTable(near, far));
    const ours = growth('ours_cold', 'both');
    return {
      lines: [{ row: 'P3', what: 'cold join, growth RTT 100 -> 200', ours: value('ours_cold'), c: value('c'), goal, met: ours !== null && ours <= 3.3 }],
      measured: { near, far },
    };
  },
};

/** When each step's first packet was sent, in the middle of the samples, and by how many round trips that grows. */
function stepTable(near, far) {
  const rows = ['| step | ours RTT 100 | RTT 200 | growth | C RTT 100 | RTT 200 | growth |', '|---|---|---|---|---|---|---|'];
  const ends = { 'agent sees': 'agent_ms', 'customer sees': 'customer_ms' };
  const middle = ({ samples }, value) => p50(samples.filter(({ failed }) => !failed).map(value));
  for (const name of [...stepNames, ...Object.keys(ends)]) {
    const value = (sample) => (ends[name] ? sample[ends[name]] : sample.steps[name]);
    const cells = ['ours_cold', 'c'].flatMap((side) => {
      const [from, to] = [middle(near[side], value), middle(far[side], value)];
      const growth = from === null || to === null ? null : round((to - from) / (far[side].true_rtt_ms - near[side].true_rtt_ms), 2);
      return [round(from), round(to), growth];
    });
    rows.push(`| ${name} | ${cells.map((cell) => cell ?? '–').join(' | ')} |`);
  }
  return `${rows.join('\n')}\n`;
}
