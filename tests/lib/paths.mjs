// Where things are, relative to this repository and the build's target directory.
import { homedir, tmpdir } from 'node:os';
import { mkdtempSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), '.cache', 'sightline', 'target');

/** A program of this workspace, as `make test` and `make demo` build it; the benchmark asks for the release build. */
export const binary = (name, profile = process.env.SIGHTLINE_PROFILE ?? 'debug') => join(target, profile, name);

/** A fresh folder outside the repository; removed by the machine, not by us, so that a failure can be looked at. */
export const temporaryFolder = (subject) => mkdtempSync(join(tmpdir(), `sightline-${subject}-`));

/** Screenshots and logs of a run. */
export const output = (...parts) => join(repository, 'target', ...parts);
