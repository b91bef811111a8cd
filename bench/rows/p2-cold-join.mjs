// P2: the link opened in a fresh browser, tap on Join -> first remote frame at both ends; against C and J.
import { conditions, inTurn } from '../lib/joins.mjs';
import { ms } from '../lib/words.mjs';
import { ratio } from '../lib/statistics.mjs';

const goal = '<= 0.8 x C and <= 0.5 x J at RTT 100';

const needs = [
  { condition: conditions.rtt100, sides: ['ours', 'c', 'j'] },
  { condition: conditions.near, sides: ['ours', 'c'] },
];

export default {
  id: 'P2',
  order: 2,
  title: 'cold join',
  goal,
  needs,
  deadline_s: 2400,
  async run(world) {
    const [far, near] = await inTurn(world, needs);
    const line = ({ ours, c, j }, judged) => {
      const [toC, toJ] = [ratio(ours.both.p50, c.both.p50), j ? ratio(ours.both.p50, j.both.p50) : null];
      return {
        row: 'P2',
        what: `cold join, ${ours.condition}`,
        ours: ms(ours),
        c: ms(c),
        j: j && ms(j),
        ratio: [`${toC ?? '–'} C`, ...(j ? [`${toJ ?? '–'} J`] : [])].join(', '),
        goal: judged ? goal : '–',
        met: judged ? toC !== null && toC <= 0.8 && toJ !== null && toJ <= 0.5 : null,
      };
    };
    return { lines: [line(far, true), line(near, false)], measured: { far, near } };
  },
};
