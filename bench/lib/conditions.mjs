// Under which conditions a run was made; kept with its samples.
import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { repository } from '../../tests/lib/paths.mjs';

const first = (program, ...args) => {
  try {
    return execFileSync(program, args, { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim().split('\n')[0];
  } catch {
    return null;
  }
};

export function readConditions(options) {
  const changed = first('git', 'status', '--porcelain', '--untracked-files=no');
  return {
    date: new Date().toISOString(),
    commit: `${first('git', 'rev-parse', '--short=12', 'HEAD')}${changed ? ' with changes' : ''}`,
    build: process.env.SIGHTLINE_PROFILE,
    kernel: release(),
    processor: cpus()[0]?.model,
    cores: cpus().length,
    memory_mb: Math.round(totalmem() / 2 ** 20),
    load_at_start: loadavg().map((value) => Number(value.toFixed(2))),
    chromium: first('dpkg-query', '-W', '-f', '${Version}', 'chromium'),
    webkitgtk: first('dpkg-query', '-W', '-f', '${Version}', 'libwebkit2gtk-4.1-0'),
    janus: first('dpkg-query', '-W', '-f', '${Version}', 'janus'),
    node: process.version,
    n: options.n,
    quick: options.quick,
  };
}
