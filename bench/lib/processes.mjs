// Processor time and memory of whole process trees, from /proc.
import { readFileSync, readdirSync } from 'node:fs';

const ticksPerSecond = 100;

/** Everything that runs: parent, name, ticks used. */
function running() {
  const found = new Map();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      found.set(Number(entry), { parent: Number(fields[1]), name, ticks: Number(fields[11]) + Number(fields[12]) });
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

/** The process and all below it. */
export function tree(root, all = running()) {
  const below = (pid) => pid === root || (all.has(pid) && below(all.get(pid).parent));
  return new Map([...all].filter(([pid]) => below(pid)));
}

/** The Chromium that was started with this switch. */
export function withSwitch(wanted) {
  for (const pid of tree(process.pid).keys()) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (words.includes(wanted) && !words.some((word) => word.startsWith('--type='))) return pid;
    } catch {
      // As above.
    }
  }
  throw new Error(`no process was started with ${wanted}`);
}

/** Counts from now; the returned function says how many cores each program of the tree used on average. */
export function countCpu(root) {
  const before = tree(root);
  const began = process.hrtime.bigint();
  return () => {
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    const by = {};
    for (const [pid, { name, ticks }] of tree(root)) {
      const used = (ticks - (before.get(pid)?.ticks ?? 0)) / ticksPerSecond / seconds;
      by[name] = (by[name] ?? 0) + used;
    }
    return { seconds, cores: Object.values(by).reduce((sum, used) => sum + used, 0), by };
  };
}

/** Proportional set size of the tree, in MB, by program. */
export function memory(root) {
  const by = {};
  for (const [pid, { name }] of tree(root)) {
    try {
      const kb = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
      by[name] = (by[name] ?? 0) + Number(kb ?? 0) / 1024;
    } catch {
      // As above.
    }
  }
  return { mb: Object.values(by).reduce((sum, mb) => sum + mb, 0), by };
}
