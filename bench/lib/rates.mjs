// How a flow uses a line whose capacity changes: from the forwarder's report of every 100 ms. Pure.
import { percentile } from './statistics.mjs';

/** Within this of what there is counts as reached. */
const NEAR = 0.2;
/** Reached means it stays there this long, so that passing through does not count. */
const STAYS_S = 3;

/**
 * `reports` are [{ at_s, bytes, queue_ms: { p95 } }] of one direction; `steps` [{ at_s, bps }] the capacity; `most`
 * what the source can use at all. Each step ends where the next begins, the last at `end_s`.
 */
export function judgeSteps(reports, steps, end_s, most = Infinity) {
  const bits = (from, to) => reports.filter(({ at_s }) => at_s > from && at_s <= to).reduce((sum, { bytes }) => sum + bytes * 8, 0);
  const found = steps.map((step, index) => {
    const until = steps[index + 1]?.at_s ?? end_s;
    const target = Math.min(step.bps, most);
    const down = index > 0 && step.bps < steps[index - 1].bps;
    const near = (second) => Math.abs(bits(second, second + 1) / target - 1) <= NEAR;
    let settled_s = null;
    for (let second = step.at_s; second + STAYS_S <= until && settled_s === null; second += 0.5) {
      if ([0, 1, 2].every((offset) => near(second + offset))) settled_s = second - step.at_s;
    }
    const allowed_s = down ? 5 : 10;
    // Use is judged where the flow has had its time to get there.
    const from = step.at_s + allowed_s;
    const use = bits(from, until) / (until - from) / target;
    return { at_s: step.at_s, capacity_bps: step.bps, settled_s, allowed_s, use };
  });
  const queue = reports.filter(({ bytes }) => bytes > 0).map(({ queue_ms }) => queue_ms.p95);
  return {
    steps: found,
    queue_ms: { p50: percentile(queue, 0.5), p95: percentile(queue, 0.95) },
    settles: found.every(({ settled_s, allowed_s }) => settled_s !== null && settled_s <= allowed_s),
    used: found.every(({ use }) => use >= 0.8),
  };
}
