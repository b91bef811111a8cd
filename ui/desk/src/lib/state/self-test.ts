import type { Check, CheckKind, Extent, Figure, Outcome, Readiness, SelfTestView, Unit } from "$wire";
import { bitrate, duration } from "../format";
import { CHECK_TITLES, OUTCOME_WORDS, STANDING_WORDS, testRuns } from "./readiness";

export type SectionId = "camera" | "microphone" | "speaker" | "network" | "call" | "computer";

/** One part of the page, in the order of the signal. */
export interface Section {
  readonly id: SectionId;
  readonly title: string;
  readonly kinds: readonly CheckKind[];
}

export const SECTIONS: readonly Section[] = [
  { id: "camera", title: "Camera", kinds: ["camera", "encoder"] },
  { id: "microphone", title: "Microphone", kinds: ["microphone"] },
  { id: "speaker", title: "Speaker", kinds: ["speaker", "echo"] },
  {
    id: "network",
    title: "Network",
    kinds: ["backend", "line", "stun", "relay_udp", "relay_tcp", "relay_tls"],
  },
  { id: "call", title: "The call", kinds: ["call", "relayed_call"] },
  { id: "computer", title: "This computer", kinds: ["permissions", "clock", "storage", "keyring", "version"] },
];

/** The three ways to the relay: one lamp each. */
export const LAMPS = [
  { kind: "relay_udp", name: "UDP" },
  { kind: "relay_tcp", name: "TCP" },
  { kind: "relay_tls", name: "TLS" },
] as const satisfies readonly { kind: CheckKind; name: string }[];

export const EXTENT_WORDS: Readonly<Record<Extent, string>> = {
  full: "Whole test",
  quick: "Devices",
  single: "One check",
};

/** Where one check stands on the screen. */
export type CheckState = Outcome | "running" | "waiting" | "unknown";

export function checkOf(test: SelfTestView | null, kind: CheckKind): Check | null {
  return test?.checks.find((check) => check.kind === kind) ?? null;
}

export function checkState(test: SelfTestView | null, kind: CheckKind): CheckState {
  if (test?.running.includes(kind)) return "running";
  const check = checkOf(test, kind);
  if (check !== null) return check.outcome;
  return test?.extent === "full" && testRuns(test) ? "waiting" : "unknown";
}

/** A word for a state; colour and icon say the same. */
export function stateWord(state: CheckState): string {
  switch (state) {
    case "running":
      return "Testing";
    case "waiting":
      return "Comes later";
    case "unknown":
      return "Not tested";
    case "pass":
    case "skipped":
    case "warn":
    case "fail":
      return OUTCOME_WORDS[state].word;
  }
}

/** A lamp's word: what the way to the relay is, not how the check went. */
export function lampWord(state: CheckState, check: Check | null): string {
  if (state === "pass" || state === "warn") return "Open";
  if (state === "fail") return check?.finding === "relay_refused" ? "Refused" : "Blocked";
  if (state === "skipped") return "None here";
  return stateWord(state);
}

/** What a row says while it is closed. */
export function checkLine(state: CheckState, check: Check | null): string {
  switch (state) {
    case "running":
      return "Testing now…";
    case "waiting":
      return "Comes later in this test.";
    case "unknown":
      return "Not tested yet.";
    case "pass":
    case "skipped":
    case "warn":
    case "fail":
      return check?.sentence ?? "";
  }
}

/** How far a whole test is: checks done, and all of them. Null for the short ones, which are over in seconds. */
export function progress(test: SelfTestView): { readonly done: number; readonly all: number } | null {
  if (!testRuns(test) || test.extent !== "full") return null;
  const done = test.checks.filter(({ kind }) => !test.running.includes(kind)).length;
  return { done, all: Object.keys(CHECK_TITLES).length };
}

/** Whether the camera's picture is to be had now: while it is looked at, and in the test call. */
export function cameraShown(test: SelfTestView | null): boolean {
  return test !== null && test.running.some((kind) => kind === "camera" || isCall(kind));
}

/** Whether the far end's picture is to be had now. */
export function callShown(test: SelfTestView | null): boolean {
  return test !== null && test.running.some(isCall);
}

function isCall(kind: CheckKind): boolean {
  return kind === "call" || kind === "relayed_call";
}

/** 1280 px, 29.8 fps, −41 dBFS: as people who must act on it write it. */
export function figureText({ value, unit }: Figure): string {
  if (unit === "bits_per_second") return bitrate(value);
  if (unit === "bytes") return bytes(value);
  if (unit === "ms" && Math.abs(value) >= 10_000) return duration(value);
  if (unit === "mos") return `${value.toFixed(1)} of 4.5`;
  if (unit === "count") return short(value);
  if (unit === "days") return `${Math.floor(value)} ${Math.floor(value) === 1 ? "day" : "days"}`;
  return `${short(value)} ${UNIT_SIGNS[unit]}`;
}

const UNIT_SIGNS: Readonly<Record<Exclude<Unit, "bits_per_second" | "bytes" | "mos" | "days" | "count">, string>> = {
  ms: "ms",
  dbfs: "dBFS",
  db: "dB",
  fps: "fps",
  px: "px",
  percent: "%",
};

/** Whole from ten on, one place below, and never "-0". */
function short(value: number): string {
  const text = Math.abs(value) >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
  return Number(text) === 0 ? "0" : text.replace("-", "−");
}

function bytes(value: number): string {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  const step = Math.min(units.length - 1, value < 1000 ? 0 : Math.floor(Math.log10(value) / 3));
  return `${short(value / 1000 ** step)} ${units[step] ?? ""}`;
}

/** Figures as rows of a list: a picture's two sides are one size, and codes are said in words. */
export function figureRows(figures: readonly Figure[]): readonly { readonly name: string; readonly text: string }[] {
  const value = (name: string) => figures.find((figure) => figure.name === name)?.value;
  const [width, height] = [value("width"), value("height")];
  const sized = width !== undefined && height !== undefined;
  return figures.flatMap((figure) => {
    if (sized && figure.name === "height") return [];
    if (sized && figure.name === "width") return [{ name: "Picture", text: `${width} × ${height}` }];
    if (figure.name === "relayed") return [{ name: "Way", text: figure.value >= 0.5 ? "over a relay" : "direct" }];
    if (figure.name === "transport") return [{ name: "Transport", text: TRANSPORTS[Math.round(figure.value)] ?? "unknown" }];
    return [{ name: figureName(figure.name), text: figureText(figure) }];
  });
}

/** As the call's figure `transport` counts them. */
const TRANSPORTS: readonly string[] = ["UDP", "TCP", "TLS"];

/** `first_frame` -> "First frame". */
function figureName(name: string): string {
  const words = name.replaceAll("_", " ").replace(/ (ms|dbfs|db|bps)$/u, "");
  const known = words.replace(/\b(rtt|mos|fps)\b/gu, (word) => word.toUpperCase());
  return known.charAt(0).toUpperCase() + known.slice(1);
}

/** What a report is told from, whether it has just been made or was read from the server. */
export interface Told {
  readonly readiness: Readiness | null;
  readonly finished_at: number | null;
  readonly checks: readonly Check[];
  readonly app_version?: string;
  readonly system?: string;
}

/** The report as plain text, for a ticket or a colleague. */
export function reportText(report: Told): string {
  const head = [
    "Sightline self-test",
    report.finished_at === null ? "" : new Date(report.finished_at).toLocaleString(),
    [report.system, report.app_version].filter((text) => text !== undefined && text !== "").join(", "),
  ].filter((line) => line !== "");
  const lines = report.checks.flatMap(checkLines);
  return [...head, STANDING_WORDS[report.readiness ?? "unknown"].title, "", ...lines, ""].join("\n");
}

function checkLines(check: Check): string[] {
  const { word } = OUTCOME_WORDS[check.outcome];
  const code = check.finding === null ? "" : ` [${check.finding}]`;
  const what = [check.sentence, check.remedy].filter((text) => text !== "").join(" ");
  const figures = figureRows(check.figures).map(({ name, text }) => `${name} ${text}`).join(", ");
  const details = [check.device?.name ?? "", figures].filter((text) => text !== "");
  return [`${word}: ${CHECK_TITLES[check.kind]}${code}${what === "" ? "" : ` - ${what}`}`, ...details.map((text) => `  ${text}`)];
}
