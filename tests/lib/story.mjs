// A story told in steps: each has a name, holds or does not, and leaves pictures behind.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export class Story {
  constructor(folder) {
    this.folder = folder;
    this.steps = [];
    this.failed = false;
    mkdirSync(folder, { recursive: true });
    // The journeys' folders in it are of other runs.
    for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isFile()) rmSync(join(folder, entry.name));
  }

  /** Plays a step; after one that failed the rest is only listed, since each builds on the one before. */
  async step(name, play, look = async () => {}) {
    if (this.failed) {
      this.steps.push({ name, ok: false });
      return;
    }
    const number = String(this.steps.length + 1).padStart(2, '0');
    const began = Date.now();
    try {
      await play();
      this.steps.push({ name, ok: true });
      console.log(`${number}  ok      ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
    } catch (error) {
      this.failed = true;
      this.steps.push({ name, ok: false });
      console.log(`${number}  FAILED  ${name}: ${error.message}`);
      writeFileSync(join(this.folder, 'failure.txt'), `${name}\n${error.stack}\n`);
    }
    const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 60);
    await look(join(this.folder, `${number}-${slug}`)).catch((error) => console.log(`    no picture: ${error.message}`));
  }
}
