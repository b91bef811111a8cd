// P4: a cold join while 5 % of all UDP packets are lost, both ways.
import { conditions, inTurn } from '../lib/joins.mjs';
import { ratio } from '../lib/statistics.mjs';
import { ms } from '../lib/words.mjs';

const goal = 'p95 <= 1.6 x the loss-free median';

const needs = [
  { condition: conditions.rtt100, sides: ['ours', 'c'] },
  { condition: conditions.lossy, sides: ['ours', 'c'] },
];

export default {
  id: 'P4',
  order: 4,
  title: 'cold join with 5 % UDP loss',
  goal,
  needs,
  deadline_s: 2400,
  async run(world) {
    const [clean, lossy] = await inTurn(world, needs);
    const growth = (side) => ratio(lossy[side].both.p95, clean[side].both.p50);
    const ours = growth('ours');
    return {
      lines: [{
        row: 'P4',
        what: 'cold join, RTT 100, 5 % UDP loss: p95 / loss-free median',
        ours: `${ours ?? '–'} (${ms(lossy.ours)})`,
        c: `${growth('c') ?? '–'} (${ms(lossy.c)})`,
        goal,
        met: ours !== null && ours <= 1.6 && lossy.ours.failed === 0,
      }],
      measured: { clean, lossy },
    };
  },
};
