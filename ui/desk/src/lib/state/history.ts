import type { CallView, Quality } from "$wire";

/** The figures of one second. */
export interface Second {
  /** Unix time in seconds. */
  readonly at: number;
  readonly quality: Quality;
}

/** As much of a call as the plots show. */
export const SHOWN_SECONDS = 300;

/** The seconds of the call after one more of its events; another call starts anew. */
export function addSecond(
  seconds: readonly Second[],
  before: CallView | null,
  call: CallView | null,
  now: number,
): readonly Second[] {
  const same = before !== null && call !== null && before.conversation === call.conversation;
  const kept = same && before.phase.type !== "ended" ? seconds : call?.phase.type === "ended" ? seconds : [];
  if (call?.quality == null || call.quality === before?.quality || call.phase.type === "ended") return kept;
  const at = Math.round(now / 1000);
  // Two within one second: the newer one counts.
  const earlier = kept.filter((second) => second.at < at);
  return [...earlier, { at, quality: call.quality }].slice(-SHOWN_SECONDS);
}

/** One line of a plot. */
export interface Line {
  readonly name: string;
  readonly value: (quality: Quality) => number | null;
}

/** One plot: what it shows, in which unit. */
export interface Plot {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
}

/** What the panel plots over the call. */
export const PLOTS: readonly Plot[] = [
  {
    title: "Bit rate",
    unit: "Mbit/s",
    lines: [
      { name: "received", value: (q) => q.bitrate_in / 1e6 },
      { name: "sent", value: (q) => q.bitrate_out / 1e6 },
    ],
  },
  {
    title: "Lost packets",
    unit: "%",
    lines: [
      { name: "received", value: (q) => 100 * q.loss_in },
      { name: "sent", value: (q) => 100 * q.loss_out },
    ],
  },
  {
    title: "Pictures",
    unit: "fps",
    lines: [
      { name: "received", value: (q) => q.fps_in },
      { name: "sent", value: (q) => q.fps_out },
    ],
  },
  {
    title: "Processor",
    unit: "%",
    lines: [
      { name: "in use", value: (q) => (q.processors === null ? null : 100 * q.processors) },
      { name: "pictures", value: (q) => 100 * q.busy },
    ],
  },
  { title: "Round trip", unit: "ms", lines: [{ name: "now", value: (q) => q.rtt_ms }] },
  {
    title: "Sound",
    unit: "ms",
    lines: [
      { name: "delay", value: (q) => q.playout_delay_ms },
      { name: "jitter", value: (q) => q.jitter_ms },
    ],
  },
];

/** The plot's data as the plotting library wants it: times, then one column a line. */
export function columns(plot: Plot, seconds: readonly Second[]): [number[], ...(number | null)[][]] {
  return [
    seconds.map(({ at }) => at),
    ...plot.lines.map((line) => seconds.map(({ quality }) => line.value(quality))),
  ];
}
