// `make bench`: every row of the goals' performance table, side by side. See README.md.
//
// This outer process only makes a world that vanishes as a whole: namespaces for processes, mounts and network, which
// the kernel takes down with everything in them when bench/inside.mjs ends, or this process does, in whatever way.
import { spawn } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../tests/lib/paths.mjs';

if (process.getuid() !== 0) {
  console.error('The benchmark makes networks of its own and must be root for that: sudo make bench');
  process.exit(2);
}

const work = '/run/sightline-bench';
mkdirSync(work, { recursive: true });
const inside = spawn(
  'setpriv',
  [
    '--pdeathsig', 'KILL',
    'unshare', '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc',
    process.execPath, join(repository, 'bench', 'inside.mjs'), ...process.argv.slice(2),
  ],
  { stdio: 'inherit', env: { ...process.env, BENCH_WORK: work } },
);

let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    stopped = true;
    inside.kill('SIGKILL');
  });
}
inside.once('exit', (code) => {
  try {
    rmdirSync(work);
  } catch {
    // Another run uses it.
  }
  process.exit(stopped ? 130 : (code ?? 1));
});
