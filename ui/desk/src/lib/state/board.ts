import type { AccountId, BoardRow, DeviceKind, Report } from "$wire";
import { findingText, narrowingShort, standing, type Standing } from "./readiness";

/** An agent's row of the readiness board as it is drawn. */
export interface BoardLine {
  readonly id: AccountId;
  readonly row: BoardRow;
  readonly standing: Standing;
  /** Why it is not more; empty when it is ready. */
  readonly missing: string;
  /** Names of the devices it was given for: camera, microphone, speaker. */
  readonly devices: readonly string[];
}

export type Column = "name" | "standing" | "missing" | "devices" | "path" | "tested";
export interface Order {
  readonly column: Column;
  readonly down: boolean;
}
export type Shown = Standing | "all";

/** The most urgent first. */
const URGENCY: readonly Standing[] = ["not_ready", "audio", "unknown", "video"];
const DEVICE_ORDER: readonly DeviceKind[] = ["camera", "microphone", "speaker"];

export const FIRST_ORDER: Order = { column: "standing", down: false };

/** The filter's choices, in their order on the screen. */
export const CHOICES: readonly { readonly shown: Shown; readonly word: string }[] = [
  { shown: "all", word: "All" },
  { shown: "video", word: "Ready" },
  { shown: "audio", word: "Audio only" },
  { shown: "not_ready", word: "Not ready" },
  { shown: "unknown", word: "Unknown" },
];

/** A standing in the board's words, which are those of its filter. */
export function boardWord(standing: Standing): string {
  return CHOICES.find((choice) => choice.shown === standing)?.word ?? "";
}

export function boardLine(row: BoardRow): BoardLine {
  const at = standing(row.lease);
  const reasons = row.lease?.narrowed_by ?? [];
  const missing = at === "unknown" ? "Never tested" : reasons.map(narrowingShort).join("; ");
  const devices = DEVICE_ORDER.flatMap((kind) =>
    (row.lease?.devices ?? []).filter((device) => device.kind === kind).map((device) => device.name),
  );
  return { id: row.agent, row, standing: at, missing, devices };
}

/** How many agents stand where. */
export function counts(lines: readonly BoardLine[]): Readonly<Record<Shown, number>> {
  const found = { all: lines.length, video: 0, audio: 0, not_ready: 0, unknown: 0 };
  for (const line of lines) found[line.standing] += 1;
  return found;
}

/** What fits the words and the choice, in order. */
export function boardLines(
  rows: readonly BoardRow[],
  search: string,
  shown: Shown,
  order: Order,
): readonly BoardLine[] {
  const lines = rows.map(boardLine).filter((line) => (shown === "all" || line.standing === shown) && fits(line, search));
  const sign = order.down ? -1 : 1;
  return lines.sort((a, b) => sign * compare(a, b, order.column) || a.row.name.localeCompare(b.row.name) || a.id.localeCompare(b.id));
}

/** The order after a click on a column's head: the same again turns it round. */
export function turned(order: Order, column: Column): Order {
  return { column, down: order.column === column && !order.down };
}

function compare(a: BoardLine, b: BoardLine, column: Column): number {
  switch (column) {
    case "name":
      return a.row.name.localeCompare(b.row.name);
    case "standing":
      return (
        URGENCY.indexOf(a.standing) - URGENCY.indexOf(b.standing) ||
        (a.row.lease?.since ?? 0) - (b.row.lease?.since ?? 0)
      );
    case "missing":
      return emptyLast(a.missing, b.missing);
    case "devices":
      return emptyLast(a.devices.join(), b.devices.join());
    case "path":
      return emptyLast(a.row.path, b.row.path);
    case "tested":
      // The oldest first: whose test is about to count no more.
      return (a.row.tested_at ?? 0) - (b.row.tested_at ?? 0);
  }
}

function emptyLast(a: string, b: string): number {
  return Number(a === "") - Number(b === "") || a.localeCompare(b);
}

function fits(line: BoardLine, search: string): boolean {
  const needle = search.trim().toLocaleLowerCase();
  if (needle === "") return true;
  return [line.row.name, line.missing, line.row.path, boardWord(line.standing), ...line.devices].some((text) =>
    text.toLocaleLowerCase().includes(needle),
  );
}

/** Why an agent's desk cannot be asked for a test now; null when it can. */
export function askBlock(row: BoardRow): string | null {
  if (row.testing) return "A test is running on that desk.";
  if (!row.online) return row.desk === null ? "This agent has never signed in." : "That desk is not connected.";
  return null;
}

/** What a report found, in one line. */
export function reportLine(report: Report): string {
  const failed = report.checks.filter(({ outcome }) => outcome === "fail");
  if (failed.length > 0) return failed.map(({ kind, finding }) => findingText(kind, finding)).join("; ");
  const warned = report.checks.filter(({ outcome }) => outcome === "warn");
  if (warned.length > 0) return warned.map(({ kind, finding }) => findingText(kind, finding)).join("; ");
  return "Nothing to say";
}
