// P10: RFC 8867's cases 5.1, 5.3, 5.6 and 5.8 with the real parts: the desk and a browser, and two browsers.
import { longTcp, play } from '../lib/capacity.mjs';
import { withDeadline } from '../lib/deadline.mjs';
import { judgeSteps } from '../lib/rates.mjs';
import { p95, round } from '../lib/statistics.mjs';

const goal = '+-20 % in 5 s down / 10 s up, use >= 80 %, queue p95 <= 200 ms';
const MBIT = 1_000_000;
const steps = (...pairs) => pairs.map(([at_s, mbit]) => ({ at_s, bps: mbit * MBIT }));
/** RFC 8867, 5.1.2 and 5.3.2. */
const single = steps([0, 1], [40, 2.5], [60, 0.6], [80, 1]);
const forward = steps([0, 2], [20, 1], [40, 0.5], [60, 2]);
const backward = steps([0, 2], [35, 0.8], [70, 2]);
/** The cap that both sides have, with sound. */
const MOST = 2.5 * MBIT;

export default {
  id: 'P10',
  order: 10,
  title: 'congestion (RFC 8867)',
  goal,
  deadline_s: 1500,
  async run(world) {
    await world.clear();
    const lines = [];
    const measured = {};
    const keep = (name, made) => {
      measured[name] = made.measured;
      lines.push(made.line);
      world.progress(`${made.line.what}: ${made.line.ours}${made.line.c ? `; C ${made.line.c}` : ''}`);
    };
    const { quick, parts } = world.options;
    const runs = {
      '5.1 desk to browser': () => oneWay(world, 'a_to_b', 'desk -> browser', quick ? ['ours'] : ['ours', 'c']),
      '5.1 browser to desk': () => oneWay(world, 'b_to_a', 'browser -> desk', ['ours']),
      '5.3': () => bothWays(world),
      '5.6': () => besideTcp(world),
      '5.8': () => pauseAndResume(world),
    };
    const names = Object.keys(runs).filter((name) => !parts.length || parts.some((part) => name.startsWith(part)));
    for (const name of quick && !parts.length ? names.slice(0, 1) : names) {
      try {
        keep(name, await runs[name]());
      } catch (error) {
        // The other cases are still worth having.
        const failed = error.message.split('\n')[0];
        keep(name, { measured: { failed }, line: { row: 'P10', what: name, ours: `failed: ${failed}`, goal, met: false } });
        await withDeadline(world.clear(), 60_000, 'clearing up').catch(() => {});
        await world.network.set({});
      }
    }
    return { lines, measured };
  },
};

const callers = { ours: (world) => world.sightline(), c: (world) => world.peer() };

/** A call of `side` during which `during` runs. */
async function inCall(world, side, during) {
  await world.network.set({ rtt: 100 });
  const caller = await callers[side](world);
  const call = await caller.call({ within: 30_000 });
  try {
    return await withDeadline(during(call, caller), 200_000, `the run of ${side}`);
  } finally {
    await world.network.set({});
    await withDeadline(call.end(), 20_000, 'the end of the call').catch((error) => world.progress(error.message));
  }
}

async function oneWay(world, direction, name, sides) {
  const found = {};
  for (const side of sides) {
    const reports = await inCall(world, side, () => play(world.network, { seconds: 100, [direction]: single }));
    found[side] = { ...judgeSteps(reports[direction], single, 100, MOST), reports: reports[direction] };
  }
  return { measured: found, line: { row: 'P10', what: `5.1 one flow, ${name}`, ours: said(found.ours), c: said(found.c), goal, met: good(found.ours) } };
}

async function bothWays(world) {
  const found = {};
  for (const side of ['ours', 'c']) {
    const reports = await inCall(world, side, () => play(world.network, { seconds: 100, a_to_b: forward, b_to_a: backward }));
    found[side] = {
      forward: { ...judgeSteps(reports.a_to_b, forward, 100, MOST), reports: reports.a_to_b },
      backward: { ...judgeSteps(reports.b_to_a, backward, 100, MOST), reports: reports.b_to_a },
    };
  }
  const both = (side) => `there ${said(found[side].forward)}; back ${said(found[side].backward)}`;
  return {
    measured: found,
    line: { row: 'P10', what: '5.3 congested feedback, both ways', ours: both('ours'), c: both('c'), goal: 'measured', met: good(found.ours.forward) && good(found.ours.backward) },
  };
}

/** 2 Mbit/s shared with one long TCP transfer from the start; the media flow joins at 5 s, here: is there before. */
async function besideTcp(world) {
  const found = {};
  for (const side of ['ours', 'c']) {
    const tcp = await longTcp(world.network);
    try {
      let before = 0;
      let after = 0;
      const seconds = 120;
      const settled = 20;
      const reports = await inCall(world, side, () =>
        play(world.network, {
          seconds,
          a_to_b: steps([0, 2]),
          actions: [{ at_s: settled, act: () => (before = tcp.bytes()) }, { at_s: seconds - 0.5, act: () => (after = tcp.bytes()) }],
        }));
      const bits = reports.a_to_b.filter(({ at_s }) => at_s > settled && at_s <= seconds - 0.5).reduce((sum, { bytes }) => sum + bytes * 8, 0);
      const span = seconds - 0.5 - settled;
      const tcp_bps = ((after - before) * 8) / span;
      found[side] = {
        // Headers of TCP are 40 of 1,500 bytes.
        media_bps: bits / span - tcp_bps * 1.03,
        tcp_bps,
        queue_ms_p95: p95(reports.a_to_b.map(({ queue_ms }) => queue_ms.p95)),
        reports: reports.a_to_b,
      };
    } finally {
      await tcp.close();
    }
  }
  const share = ({ media_bps, tcp_bps, queue_ms_p95 }) => `media ${round(media_bps / MBIT, 2)}, TCP ${round(tcp_bps / MBIT, 2)} Mbit/s, queue p95 ${round(queue_ms_p95)} ms`;
  return { measured: found, line: { row: 'P10', what: '5.6 beside a long TCP flow, 2 Mbit/s', ours: share(found.ours), c: share(found.c), goal: 'measured', met: null } };
}

/** 3.5 Mbit/s shared by three flows; the first pauses from 40 to 60 s. */
async function pauseAndResume(world) {
  const capacity = 3.5 * MBIT;
  const fair = capacity / 3;
  const found = {};
  const peer = await world.peer();
  for (const side of ['ours', 'c']) {
    const others = [await peer.call(), await peer.call()];
    try {
      const rates = [];
      const reports = await inCall(world, side, async (call, caller) => {
        const actions = Array.from({ length: 120 }, (_, second) => ({ at_s: second, act: async () => {
          const stats = await call.stats('customer');
          rates.push({ at_s: second, bytes: stats?.in.bytes ?? null });
        } }));
        actions.push({ at_s: 40, act: () => caller.camera(call, false) }, { at_s: 60, act: () => caller.camera(call, true) });
        return play(world.network, { seconds: 120, a_to_b: steps([0, 3.5]), actions });
      });
      const rate = (from, to) => ((rates[to]?.bytes - rates[from]?.bytes) * 8) / (to - from);
      let resumed_s = null;
      for (let second = 60; second + 3 < rates.length && resumed_s === null; second++) {
        if (rate(second, second + 3) >= fair * 0.8) resumed_s = second - 60;
      }
      const bits = (from, to) => reports.a_to_b.filter(({ at_s }) => at_s > from && at_s <= to).reduce((sum, { bytes }) => sum + bytes * 8, 0) / (to - from);
      found[side] = {
        before_bps: rate(20, 40), resumed_s, after_bps: rate(80, 119), used_while_paused: bits(50, 60) / capacity,
        queue_ms_p95: p95(reports.a_to_b.map(({ queue_ms }) => queue_ms.p95)), rates, reports: reports.a_to_b,
      };
    } finally {
      for (const other of others) await other.end();
    }
  }
  const words = ({ before_bps, after_bps, resumed_s, queue_ms_p95 }) =>
    `${round(before_bps / MBIT, 2)} Mbit/s before, ${round(after_bps / MBIT, 2)} after (fair 1.17), back in ${resumed_s ?? '> 60'} s, queue p95 ${round(queue_ms_p95)} ms`;
  return { measured: found, line: { row: 'P10', what: '5.8 pause and resume beside two C flows, 3.5 Mbit/s', ours: words(found.ours), c: words(found.c), goal: 'measured', met: null } };
}

const good = ({ settles, used, queue_ms }) => settles && used && queue_ms.p95 <= 200;

function said(judged) {
  if (!judged) return undefined;
  const list = (pick) => judged.steps.map(pick).join('/');
  return `settles in ${list(({ settled_s }) => settled_s ?? '∞')} s, use ${list(({ use }) => round(use * 100))} %, queue p95 ${round(judged.queue_ms.p95)} ms`;
}
