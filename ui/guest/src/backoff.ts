/** Waiting longer after each failure, with jitter so that a restarted server is not hit by everyone at once. */

/** Back within 5 s of a server that is back. */
const MOST_MS = 4_000;

export class Backoff {
  private failures = 0;

  constructor(
    private readonly firstMs = 300,
    private readonly mostMs = MOST_MS,
    private readonly random: () => number = Math.random,
  ) {}

  next(): number {
    const full = Math.min(this.mostMs, this.firstMs * 2 ** this.failures);
    this.failures += 1;
    return Math.round(full * (0.5 + this.random() / 2));
  }

  reset(): void {
    this.failures = 0;
  }
}
