/** The words that more than one view says: names, times, sizes, reasons. */

import type { EndReason, Issue, Problem } from "../../shared/wire";
import { say, sayIfKnown, speaks, writtenAs } from "./say";

export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const first = [...(words[0] ?? "?")][0] ?? "?";
  const last = words.length > 1 ? ([...(words[words.length - 1] ?? "")][0] ?? "") : "";
  return (first + last).toUpperCase();
}

export function firstName(name: string): string {
  return name.trim().split(/\s+/)[0] || name;
}

export function dayAndMonth(day: Date): string {
  return day.toLocaleDateString(writtenAs(), { weekday: "long", day: "numeric", month: "long" });
}

export function timeOfDay(at: number): string {
  return new Date(at).toLocaleTimeString(writtenAs(), { hour: "2-digit", minute: "2-digit" });
}

export function timeLeft(ms: number): string {
  if (ms <= 0) return say("invitationExpired");
  const minutes = Math.ceil(ms / 60_000);
  return minutes <= 1 ? say("openOneMinute") : say("openMinutes", { minutes });
}

export function endWords(reason: EndReason, agent: string): string {
  return sayIfKnown(`ended_${reason}`, { agent }) ?? say("callEnded");
}

/** What went wrong: in English as the server says it, which may name a file; in another language by the code. */
export function problemWords({ code, message, next_step }: Problem): string {
  if (speaks("en") && message) return `${message} ${next_step}`.trim();
  return sayIfKnown(`problem_${code}`) ?? say("problem_internal");
}

export const ISSUES: readonly Issue[] = [
  "could_not_hear", "not_heard", "could_not_see", "not_seen", "low_quality", "choppy", "out_of_sync", "other",
];

/** A file's size as people say it. */
export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const [unit, amount] = count < 1024 * 1024 ? ["kilobyte", count / 1024] as const : ["megabyte", count / (1024 * 1024)] as const;
  return amount.toLocaleString(writtenAs(), { style: "unit", unit, maximumFractionDigits: unit === "kilobyte" ? 0 : 1 });
}
