import type { AssignmentView, Narrowing, Pause, TakenBack } from "$wire";
import { narrowingText } from "./readiness";

export type Asked = Extract<AssignmentView, { type: "asked" }>;
export type Ended = Extract<AssignmentView, { type: "taken_back" }>;

/** What is left of the time to answer: whole seconds, rounded up, and the share of it. */
export function timeLeft(asked: Asked, now: number): { readonly seconds: number; readonly share: number } {
  const left = Math.max(0, asked.until - now);
  return { seconds: Math.ceil(left / 1000), share: Math.min(1, left / Math.max(1, asked.asked_ms)) };
}

/** Why the agent is not asked any more, and what becomes of the customer. */
export function endedText(ended: Ended): string {
  const why = whyText(ended.why, ended.narrowing);
  // Nobody waits any more, so there is nothing to be said of it.
  if (ended.why === "withdrawn") return why;
  return `${why} ${ended.elsewhere ? "It went to a colleague." : "It waits for the next one who is free."}`;
}

function whyText(why: TakenBack, narrowing: Narrowing | null): string {
  switch (why) {
    case "missed":
      return "You did not answer in time.";
    case "declined":
      return "You turned it down.";
    case "disconnected":
      return "This desk lost its connection.";
    case "absent":
      return "You were away.";
    case "lease_narrowed":
      return narrowing === null ? "This desk is not ready for video any more." : narrowedText(narrowing);
    case "gives_way":
      return "A supervisor chose another conversation for you.";
    case "call_began":
      return "Your customer joined the video call.";
    case "wants_other":
      return "The customer wants something else now.";
    case "withdrawn":
      return "Nobody waits there any more.";
  }
}

function narrowedText(narrowing: Narrowing): string {
  if (narrowing.type === "unplugged") return `Your ${narrowing.kind} was unplugged.`;
  return narrowingText(narrowing).what;
}

/** Why nothing is assigned to this agent. */
export function pauseText(why: Pause): string {
  return why === "missed" ? "You did not answer the last one." : "You turned the last one down.";
}
