// Child processes that never outlive the test: each is started in its own group and ended with it.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { createServer } from 'node:net';

const running = new Set();

// A test that dies must not leave a display, a sound server or a browser behind.
process.on('exit', () => {
  for (const child of running) signalGroup(child, 'SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

/** Starts a program; standard error, and standard output unless it is read here, go to `log`. */
export function start(command, args, { env = {}, log, stdio, cwd } = {}) {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    cwd,
    stdio: stdio ?? ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);
  child.exited = new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
    child.once('error', (error) => {
      running.delete(child);
      resolve({ error });
    });
  });
  if (log) {
    mkdirSync(dirname(log), { recursive: true });
    const file = createWriteStream(log, { flags: 'a' });
    child.stdout?.pipe(file, { end: false });
    child.stderr?.pipe(file, { end: false });
  }
  return child;
}

/** Asks the whole group to end, then insists. */
export async function stop(child, signal = 'SIGTERM', patience = 3000) {
  if (child.exitCode !== null || child.signalCode !== null) return signalGroup(child, 'SIGKILL');
  signalGroup(child, signal);
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, patience)));
  await Promise.race([child.exited, late]);
  clearTimeout(timer);
  // What the leader started may still run.
  signalGroup(child, 'SIGKILL');
  await child.exited;
}

function signalGroup(child, signal) {
  if (!child.pid) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}

/** The first line of standard output for which `accept` returns something. */
export function firstLine(child, what, accept, within = 20_000) {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => finish(new Error(`${what}: nothing within ${within} ms; said: ${text}`)), within);
    const finish = (error, value) => {
      clearTimeout(timer);
      child.stdout.off('data', read);
      error ? reject(error) : resolve(value);
    };
    const read = (chunk) => {
      text += chunk;
      for (const line of text.split('\n')) {
        const value = accept(line);
        if (value) return finish(null, value);
      }
    };
    child.stdout.on('data', read);
    child.exited.then(({ code, signal, error }) =>
      finish(new Error(`${what}: ended (${error?.message ?? code ?? signal}); said: ${text}`)),
    );
  });
}

/**
 * A port that was free a moment ago, below those that the system itself gives out: a relay or a browser would take one of
 * them in between.
 */
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

const given = new Set();

const isFree = (port) =>
  new Promise((answer) => {
    const probe = createServer().listen(port, '127.0.0.1', () => probe.close(() => answer(true)));
    probe.once('error', () => answer(false));
  });
