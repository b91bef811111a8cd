/** The sentences that more than one view says. */

import type { EndReason, Issue } from "../../shared/wire";

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

/** How this customer writes dates and times; as the browser does until somebody says otherwise. */
let locale: string[] = [];

/** A tag that the browser does not know changes nothing. */
export function writeAs(tag: unknown): void {
  if (typeof tag !== "string") return;
  try {
    locale = Intl.getCanonicalLocales(tag);
  } catch {
    // Not a language tag.
  }
}

export function dayAndMonth(day: Date): string {
  return day.toLocaleDateString(locale, { weekday: "long", day: "numeric", month: "long" });
}

export function timeOfDay(at: number): string {
  return new Date(at).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
}

export function timeLeft(ms: number): string {
  if (ms <= 0) return "This invitation has expired.";
  const minutes = Math.ceil(ms / 60_000);
  return minutes <= 1 ? "Open for one more minute." : `Open for ${minutes} more minutes.`;
}

export function endWords(reason: EndReason, agent: string): string {
  switch (reason) {
    case "agent_hung_up":
    case "wrapped_up":
      return `${agent} ended the call.`;
    case "customer_left":
      return "You left the call.";
    case "customer_declined":
      return "You declined the call.";
    case "cancelled":
      return `${agent} took the invitation back.`;
    case "invite_expired":
      return "The invitation expired before the call began.";
    case "customer_lost":
      return "Your connection was gone for too long, so the call ended.";
    case "agent_lost":
      return `${agent}'s connection was lost, so the call ended.`;
    case "media_failed":
      return "Picture and sound did not come through, so the call ended.";
  }
}

export const ISSUES: readonly (readonly [Issue, string])[] = [
  ["could_not_hear", "I couldn't hear them"],
  ["not_heard", "They couldn't hear me"],
  ["could_not_see", "I couldn't see them"],
  ["not_seen", "They couldn't see me"],
  ["low_quality", "The picture was poor"],
  ["choppy", "It was choppy"],
  ["out_of_sync", "Sound and picture were out of step"],
  ["other", "Something else"],
];

/** A file's size as people say it. */
export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  if (count < 1024 * 1024) return `${Math.round(count / 1024)} KB`;
  return `${(count / (1024 * 1024)).toFixed(1)} MB`;
}
