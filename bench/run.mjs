// `make bench`: every row of the goals' performance table, side by side. See README.md.
//
// This outer process only makes a world that vanishes as a whole: namespaces for processes, mounts and network, which
// the kernel takes down with everything in them when bench/inside.mjs ends, or this process does, in whatever way.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../tests/lib/paths.mjs';

if (process.getuid() !== 0) {
  console.error('The benchmark makes networks of its own and must be root for that: sudo make bench');
  process.exit(2);
}

// One for each run: removing a folder also takes what another run has mounted on it.
const work = mkdtempSync('/run/sightline-bench-');
const inside = spawn(
  'setpriv',
  [
    '--pdeathsig', 'KILL',
    'unshare', '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc',
    process.execPath, join(repository, 'bench', 'inside.mjs'), ...process.argv.slice(2),
  ],
  { stdio: 'inherit', env: { ...process.env, BENCH_WORK: work } },
);

/** The first process inside. Once it has ended nothing inside is left, and only then does its parent end. */
function first() {
  const children = readFileSync(`/proc/${inside.pid}/task/${inside.pid}/children`, 'utf8').trim();
  return children ? Number(children.split(' ')[0]) : null;
}

let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    stopped = true;
    process.kill(first() ?? inside.pid, 'SIGKILL');
  });
}
inside.once('exit', (code) => {
  try {
    rmdirSync(work);
  } catch {
    // Somebody has put something there.
  }
  process.exit(stopped ? 130 : (code ?? 1));
});
