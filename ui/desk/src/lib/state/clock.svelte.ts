/** The wall clock of the screen: one timer for every counter on it. */
class Clock {
  now = $state(Date.now());

  /** Ticks until the returned function is called. */
  start(): () => void {
    const timer = setInterval(() => (this.now = Date.now()), 1000);
    return () => clearInterval(timer);
  }

  /** For something that must be right at once, e.g. a countdown that has just begun. */
  touch(): void {
    this.now = Date.now();
  }
}

export const clock = new Clock();
