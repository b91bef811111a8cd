// What a failed test leaves behind: the screen, and the last lines of each part's log.
import { afterEach } from 'node:test';
import { mkdirSync, readFileSync } from 'node:fs';
import { output } from './paths.mjs';

/** Call once in a file of tests; `parts` returns what there is at that moment. */
export function keepEvidence(parts) {
  afterEach((context) => {
    if (context.passed !== false) return;
    const { display, server, desk } = parts();
    const folder = output('e2e');
    mkdirSync(folder, { recursive: true });
    const name = context.name.replace(/[^a-z0-9]+/gi, '-').slice(0, 60);
    if (display) {
      display.save(`${folder}/${name}.png`);
      console.log(`screen: target/e2e/${name}.png`);
    }
    for (const [part, log] of [['server', server?.log], ['desk', desk?.log]]) {
      if (log) console.log(`${part}'s last lines:\n${tail(log)}`);
    }
  });
}

function tail(path) {
  try {
    return readFileSync(path, 'utf8').replace(/\x1b\[[0-9;]*m/g, '').trimEnd().split('\n').slice(-12).join('\n');
  } catch (error) {
    return `(${error.message})`;
  }
}
