// Waiting for a condition of another process, always with a deadline that says what did not happen.

/** Resolves with the first truthy result of `probe`; a probe that throws counts as "not yet". */
export async function until(what, probe, { within = 10_000, every = 50 } = {}) {
  const deadline = Date.now() + within;
  let last;
  for (;;) {
    try {
      const result = await probe();
      if (result) return result;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`${what}: not within ${within} ms${last ? ` (last: ${last.message.split('\n')[0]})` : ''}`);
    }
    await pause(every);
  }
}

/** Fails when `probe` stops holding at any time during `lasting` ms. */
export async function throughout(what, probe, { lasting, every = 100 }) {
  const end = Date.now() + lasting;
  while (Date.now() < end) {
    if (!(await probe())) throw new Error(`${what}: stopped holding`);
    await pause(every);
  }
}

/** The pace of a polling loop, never a guess at how long something takes. */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor(sorted.length / 2)] : null;
};
