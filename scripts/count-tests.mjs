// Adds up what every test runner reported and prints the one closing line of `make test`.
// node scripts/count-tests.mjs <folder of logs> <number of failed steps>
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, failedSteps] = [process.argv[2], Number(process.argv[3] ?? 0)];

/** Each runner's closing line; a group that a runner does not print counts as none. */
const closingLines = [
  /^test result: \S+ (?<passed>\d+) passed; (?<failed>\d+) failed; (?<skipped>\d+) ignored/, // cargo test
  /^(?:ℹ|#) (?:pass (?<passed>\d+)|fail (?<failed>\d+)|skipped (?<skipped>\d+))$/, // node --test
  /^\s*Tests\s+(?:(?<failed>\d+) failed[ |]*)?(?:(?<passed>\d+) passed)?(?:[ |]*(?<skipped>\d+) skipped)?.*\(\d+\)/, // vitest
];

/** Why a test failed, on one line and last, where a log that was cut still has it: what node and cargo say of it. */
const reasons = [
  /^test at (?<where>\S+)\n✖ (?<name>.+) \([\d.]+ms\)\n\s+(?<why>.+)/gm,
  /^thread '(?<name>[^']+)'.* panicked at (?<where>\S+):\n(?<why>.+)/gm,
];

const total = { passed: 0, failed: 0, skipped: 0 };
const failures = new Set();
for (const name of readdirSync(folder)) {
  const text = readFileSync(join(folder, name), 'utf8').replace(/\x1b\[[0-9;]*m/g, '');
  for (const pattern of reasons) {
    for (const { groups } of text.matchAll(pattern)) failures.add(`${groups.name} (${groups.where}): ${groups.why}`);
  }
  for (const line of text.split('\n')) {
    for (const pattern of closingLines) {
      const groups = line.match(pattern)?.groups ?? {};
      for (const key of Object.keys(total)) total[key] += Number(groups[key] ?? 0);
    }
  }
}

// A step that broke without a failed test (a build, a type check) still fails the run.
total.failed = Math.max(total.failed, failedSteps);
const skipped = total.skipped ? `, ${total.skipped} skipped` : '';
if (total.failed > 0) for (const failure of failures) console.log(`why: ${failure}`);
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
