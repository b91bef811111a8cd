// R6: how much of the sound is made up because nothing came in time, under loss and on a thin line; both ends.
import { pause } from '../../tests/lib/wait.mjs';
import { withDeadline } from '../lib/deadline.mjs';
import { round } from '../lib/statistics.mjs';

const goal = "concealed share <= C's";

const cells = [
  { name: '10 % loss', network: { loss: 0.1 } },
  { name: '20 % loss', quick: true, network: { loss: 0.2 } },
  { name: '30 % loss', network: { loss: 0.3 } },
  { name: '10 % loss in bursts of 5', quick: true, network: { loss: 0.1, burst: 5 } },
  { name: '100 kbit/s', quick: true, network: { rate_bps: 100_000, queue_ms: 300 } },
];

export default {
  id: 'R6',
  order: 20,
  title: 'sound under loss and on a thin line',
  goal,
  deadline_s: 900,
  async run(world) {
    await world.clear();
    const [settle, lasting] = world.options.quick ? [4_000, 8_000] : [6_000, 15_000];
    const callers = { ours: await world.sightline(), c: await world.peer() };
    const lines = [];
    const measured = {};
    for (const [index, cell] of cells.entries()) {
      if (world.options.quick && !cell.quick) continue;
      const found = (measured[cell.name] = {});
      for (const [side, caller] of Object.entries(callers)) {
        // The call is set up on a good line: R6 is about a call that is there.
        await world.network.set({ rtt: 100 });
        let call;
        try {
          call = await withDeadline(caller.call(), 40_000, `${side}'s call`);
          await world.network.set({ rtt: 100, ...cell.network, seed: 500 + index });
          await pause(settle);
          const before = await call.sound();
          await pause(lasting);
          const after = await call.sound();
          found[side] = Object.fromEntries(['agent', 'customer'].map((end) => {
            const [played, concealed] = ['samples', 'concealed'].map((what) => after[end][what] - before[end][what]);
            return [end, { played, concealed, share: played > 0 ? concealed / played : null }];
          }));
        } catch (error) {
          found[side] = { failed: error.message.split('\n')[0], agent: { share: null }, customer: { share: null } };
        } finally {
          await world.network.set({});
          await withDeadline(call?.end(), 20_000, 'the end of the call').catch((error) => world.progress(error.message));
        }
        world.progress(`${cell.name} ${side}: ${said(found[side])}`);
      }
      const better = ['agent', 'customer'].every((end) => found.ours[end].share !== null && found.c[end].share !== null && found.ours[end].share <= found.c[end].share);
      lines.push({ row: 'R6', what: `sound made up, ${cell.name}`, ours: said(found.ours), c: said(found.c), goal, met: better });
    }
    return { lines, measured };
  },
};

const said = ({ agent, customer, failed }) => failed ? `failed: ${failed}` : `agent hears ${percent(agent.share)}, customer ${percent(customer.share)}`;
const percent = (share) => (share === null ? 'nothing' : `${round(share * 100, 1)} %`);
