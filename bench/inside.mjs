// The benchmark itself, in the namespaces that run.mjs made.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { output } from '../tests/lib/paths.mjs';
import { parseOptions, usage } from './lib/options.mjs';

const options = parseOptions(process.argv.slice(2), process.env);
if (typeof options === 'string') {
  console.error(`${options}\n\n${usage}`);
  process.exit(2);
}
process.env.SIGHTLINE_PROFILE = options.profile;

// Everything temporary lies here and is gone with the namespace.
execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'sightline-bench', process.env.BENCH_WORK]);
process.env.TMPDIR = process.env.BENCH_WORK;
execFileSync('ip', ['link', 'set', 'lo', 'up']);

const { readConditions } = await import('./lib/conditions.mjs');
const { withDeadline } = await import('./lib/deadline.mjs');
const { markdownTable, textTable } = await import('./lib/table.mjs');
const { startWorld } = await import('./lib/world.mjs');

const folder = output('bench');
mkdirSync(folder, { recursive: true });
const progress = (text) => console.log(`${new Date().toISOString().slice(11, 19)}  ${text}`);
const conditions = readConditions(options);
progress(JSON.stringify(conditions));

const rows = await Promise.all(
  readdirSync(new URL('./rows/', import.meta.url))
    .filter((file) => file.endsWith('.mjs'))
    .map(async (file) => (await import(`./rows/${file}`)).default),
);
rows.sort((a, b) => a.order - b.order);
const known = rows.map(({ id }) => id);
const unknown = options.cases.filter((id) => !known.includes(id));
if (unknown.length) {
  console.error(`There is no row ${unknown.join(', ')}; there are ${known.join(', ')}.`);
  process.exit(2);
}
const chosen = options.cases.length ? rows.filter(({ id }) => options.cases.includes(id)) : rows;

let broken = 0;
const lines = [];
const world = await withDeadline(startWorld(options, chosen.flatMap(({ needs = [] }) => needs), progress), 120_000, 'the start of network and display');
for (const row of chosen) {
  const began = Date.now();
  progress(`== ${row.id}: ${row.title}`);
  let result;
  try {
    result = await withDeadline(row.run(world, options), row.deadline_s * 1000, row.id);
  } catch (error) {
    broken += 1;
    progress(`${row.id} could not run: ${error.stack}`);
    result = { lines: [{ row: row.id, what: `could not run: ${error.message.split('\n')[0]}`, goal: row.goal, met: false }] };
    // What it was doing must not go on beneath the next row.
    await withDeadline(world.clear(), 60_000, 'clearing up').catch(() => {});
    await world.network.set({});
  }
  lines.push(...result.lines);
  const took_s = Math.round((Date.now() - began) / 1000);
  writeFileSync(join(folder, `${row.id}.json`), `${JSON.stringify({ row: row.id, title: row.title, goal: row.goal, conditions, took_s, ...result }, null, 1)}\n`);
  progress(`== ${row.id} took ${took_s} s`);
}
const head = `${conditions.date}, commit ${conditions.commit}, ${conditions.build} build, ${conditions.cores} cores, kernel ${conditions.kernel}, Chromium ${conditions.chromium}, n = ${conditions.n}, load ${conditions.load_at_start[0]}`;
writeFileSync(join(folder, 'table.md'), `${head}\n\n${markdownTable(lines)}\n`);
console.log(`\n${head}\n\n${textTable(lines)}\n\nSamples: target/bench/*.json; this table: target/bench/table.md`);
// The namespaces take everything else down.
process.exit(broken ? 1 : 0);
