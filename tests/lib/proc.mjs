// What Linux knows about processes: who started whom, and what they hold.
import { readdirSync, readFileSync } from 'node:fs';

/** A process and everything below it, as it is now. */
export function tree(root) {
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const pid = Number(name);
    const parent = parentOf(pid);
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const below = (pid) => [pid, ...(children.get(pid) ?? []).flatMap(below)];
  return below(root);
}

function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before it may contain spaces and brackets.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null; // It ended while we looked.
  }
}

/** A process's short name; null when it has ended. */
export function nameOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return null;
  }
}

/** What these processes hold together: memory by its proportional share in kB, threads, open files. */
export function held(pids) {
  const total = { pss_kb: 0, threads: 0, fds: 0 };
  for (const pid of pids) {
    try {
      total.pss_kb += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);
      total.threads += readdirSync(`/proc/${pid}/task`).length;
      total.fds += readdirSync(`/proc/${pid}/fd`).length;
    } catch {
      // As above.
    }
  }
  return total;
}

/** Stops processes in mid-step, as a closed lid does, until the returned function is called. */
export function suspend(pids) {
  const signal = (name) => {
    for (const pid of pids) {
      try {
        process.kill(pid, name);
      } catch {
        // It has ended: there is nothing to stop or to wake.
      }
    }
  };
  signal('SIGSTOP');
  return () => signal('SIGCONT');
}
