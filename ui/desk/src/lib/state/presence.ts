import type { AgentPresence, Chosen, Handed, MyPresence, TakenBack } from "$wire";

/** What an agent can choose, in the order of the menu. */
export const CHOICES: readonly { readonly chosen: Chosen; readonly title: string; readonly note: string }[] = [
  { chosen: "available", title: "Available", note: "Takes new conversations" },
  { chosen: "do_not_disturb", title: "Do not disturb", note: "Goes on with what there is" },
  { chosen: "away", title: "Away", note: "Not at the desk" },
  { chosen: "offline", title: "Appear offline", note: "Signed in, and seen by nobody" },
];

/** The tone of its dot; never the only signal. */
export type Tone = "green" | "amber" | "red" | "grey";

/** A presence in words, short enough for the rail. */
export function presenceText(presence: AgentPresence): { readonly word: string; readonly why: string; readonly tone: Tone } {
  switch (presence.type) {
    case "available":
      return { word: "Available", why: "", tone: "green" };
    case "busy":
      return { word: "Busy", why: "Has work, and room for more", tone: "amber" };
    case "do_not_disturb":
      return { word: "Do not disturb", why: undisturbed(presence.why), tone: "amber" };
    case "inactive":
      return { word: "Inactive", why: "Did not answer the last one", tone: "grey" };
    case "away":
      return { word: "Away", why: "", tone: "grey" };
    case "offline":
      return { word: "Offline", why: "", tone: "grey" };
  }
}

function undisturbed(why: Extract<AgentPresence, { type: "do_not_disturb" }>["why"]): string {
  switch (why) {
    case "chosen":
      return "";
    case "declined":
      return "Turned the last one down";
    case "in_call":
      return "In a video call";
    case "sessions":
      return "As many conversations as one may have";
    case "full":
      return "No capacity left";
  }
}

/** The rail has room for one short word. */
export function railWord(mine: MyPresence | null): string | null {
  if (mine === null) return null;
  if (mine.presence.type === "do_not_disturb") return mine.presence.why === "full" ? "Full" : "Quiet";
  return presenceText(mine.presence).word;
}

/** What came of a transfer, as its notice says it. */
export function handedText(handed: Handed): { readonly what: string; readonly next: string; readonly good: boolean } {
  if (handed.why_not === null) {
    return {
      what: `${handed.to} took over ${handed.customer_name}.`,
      next: "It is not in your inbox any more.",
      good: true,
    };
  }
  return {
    what: `${handed.customer_name} stays with you: ${keptText(handed.to, handed.why_not)}`,
    next: "Choose somebody else, or a queue.",
    good: false,
  };
}

function keptText(to: string, why: TakenBack): string {
  switch (why) {
    case "missed":
      return `${to} did not answer.`;
    case "declined":
      return `${to} turned it down.`;
    case "disconnected":
      return `${to}'s desk lost its connection.`;
    case "absent":
      return `${to} went away.`;
    case "lease_narrowed":
      return `${to}'s desk is not ready for video any more.`;
    case "gives_way":
    case "call_began":
      return `${to} got something else to do.`;
    case "wants_other":
      return "something else is wanted now.";
    case "withdrawn":
      return "it was called off.";
  }
}
