/** What the page knows about its own call, readable from outside: support and tests look here. */

import type { Problem } from "../../shared/wire";

export type CallPhase =
  | "idle" | "preview" | "joining" | "waiting" | "connecting" | "live" | "ended" | "problem";

interface Figures {
  /** The tap on Join, Unix milliseconds. */
  accept_at: number | null;
  /** The first frame of the other side on the screen, Unix milliseconds. */
  first_frame_at: number | null;
  /** Frames of the other side that reached the screen. */
  frames_presented: number;
  /** Everything that went wrong, oldest first. */
  problems: { at: number; code: string; detail: string }[];
}

export const figures: Figures = { accept_at: null, first_frame_at: null, frames_presented: 0, problems: [] };

export function unixMs(moment = performance.now()): number {
  return performance.timeOrigin + moment;
}

export function setPhase(phase: CallPhase): void {
  document.documentElement.dataset["callState"] = phase;
}

export function note(problem: Problem | { code: string }, detail = ""): void {
  figures.problems.push({ at: unixMs(), code: problem.code, detail });
  if (figures.problems.length > 50) figures.problems.shift();
}

export function expose(): void {
  setPhase("idle");
  const view = {};
  for (const name of Object.keys(figures) as (keyof Figures)[]) {
    Object.defineProperty(view, name, { get: () => structuredClone(figures[name]), enumerable: true });
  }
  Object.defineProperty(window, "sightline", { value: Object.freeze(view) });
}
