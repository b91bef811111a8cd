// Asks the connectors themselves: a line of JSON for a line of JSON.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { binary } from '../lib/paths.mjs';

/** The example `connect` of crates/connect: any kind of connector, by its settings. */
export const connect = () => program('connect');

/** The example `bots`: what the connectors of bots and of Azure say beside their calls. */
export const bots = () => program('bots');

/** Starts an example; `ask` answers what it answers, `close` ends it. */
function program(name) {
  const child = spawn(binary(`examples/${name}`), { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = [];
  let failure;
  const fail = (error) => {
    failure = error;
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  child.on('error', fail);
  child.on('exit', () => fail(new Error(`${name} has ended; cargo build -p sightline-connect --examples`)));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { resolve, reject } = waiting.shift();
    const answer = JSON.parse(line);
    if (answer.error) reject(new Error(answer.error));
    else resolve(answer);
  });

  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure);
        waiting.push({ resolve, reject });
        child.stdin.write(`${JSON.stringify(question)}\n`);
      }),
    close: () => child.stdin.end(),
  };
}
