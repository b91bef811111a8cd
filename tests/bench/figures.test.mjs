// What the benchmark makes of its samples.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { parseOptions } from '../../bench/lib/options.mjs';
import { judgeSteps } from '../../bench/lib/rates.mjs';
import { percentile, summary } from '../../bench/lib/statistics.mjs';
import { markdownTable } from '../../bench/lib/table.mjs';

test('percentiles are samples that were taken, and failures are none', () => {
  const values = [5, 1, 4, undefined, 2, 3];
  assert.deepEqual([percentile(values, 0.5), percentile(values, 0.95), percentile([], 0.5)], [3, 5, null]);
  assert.equal(summary(values).n, 5);
});

/** A flow of these rates, one per second, as the forwarder reports it. */
const flow = (rates, queue = 10) =>
  rates.flatMap((bps, second) =>
    Array.from({ length: 10 }, (_, n) => ({ at_s: second + (n + 1) / 10, bytes: bps / 80, queue_ms: { p95: queue } })));

const steps = [{ at_s: 0, bps: 1e6 }, { at_s: 20, bps: 2e6 }, { at_s: 40, bps: 5e5 }];

test('a flow that follows the capacity settles and uses it', () => {
  const rates = Array.from({ length: 60 }, (_, s) => (s < 4 ? 3e5 : s < 24 ? 9.5e5 : s < 42 ? 1.9e6 : 4.8e5));
  const judged = judgeSteps(flow(rates), steps, 60);
  assert.deepEqual(judged.steps.map(({ settled_s }) => settled_s), [4, 4, 2]);
  assert.ok(judged.settles && judged.used);
  assert.equal(judged.queue_ms.p95, 10);
});

test('one that passes through the right rate without staying has not settled', () => {
  const rates = Array.from({ length: 60 }, (_, s) => (s < 20 ? (s % 3 ? 9e5 : 2e5) : s < 40 ? 6e5 : 5e5));
  const judged = judgeSteps(flow(rates), steps, 60);
  assert.equal(judged.steps[0].settled_s, null);
  assert.equal(judged.settles, false);
  assert.equal(judged.used, false);
});

test('a source that cannot use more is not asked to', () => {
  const judged = judgeSteps(flow(Array(60).fill(1e6)), [{ at_s: 0, bps: 5e6 }], 60, 1e6);
  assert.ok(judged.settles && judged.used);
});

test('options come from flags and from the environment, and nonsense is answered', () => {
  assert.deepEqual(parseOptions(['--n', '5'], { CASE: 'p1, p2' }), { cases: ['P1', 'P2'], parts: [], quick: false, n: 5, profile: 'release', capture: false });
  assert.deepEqual(parseOptions([], { QUICK: '1' }).n, 8);
  assert.equal(typeof parseOptions(['--nn'], {}), 'string');
  assert.equal(typeof parseOptions(['--n', 'x'], {}), 'string');
});

test('a cell without a figure is a dash, and an unjudged line is neither met nor missed', () => {
  const table = markdownTable([{ row: 'P1', what: 'x', ours: '1 ms', goal: '–', met: null }, { row: 'P2', what: 'y', met: false }]);
  assert.match(table, /\| P1 \| x \| 1 ms \| – \| – \| – \| – \| – \|/);
  assert.match(table, /\| P2 .* NO \|/);
});
