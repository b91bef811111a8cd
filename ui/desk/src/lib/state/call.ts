import type {
  Attempt,
  CallSummary,
  CallView,
  Conversation,
  ConversationId,
  EndReason,
  EscalationView,
  Issue,
  LinkView,
} from "$wire";
import { duration, time } from "../format";
import { callRuns, type DeskModel } from "./model";
import { leaseBlock } from "./readiness";

/** Where somebody can do something about it. */
export type Jump =
  | { readonly type: "conversation"; readonly conversation: ConversationId; readonly label: string }
  | { readonly type: "self_test"; readonly label: string };

/** Why the button cannot be used, and where to go instead. */
export interface Block {
  readonly reason: string;
  readonly jump: Jump | null;
}

/** Null when video can be started in `conversation`. */
export function startVideoBlock(model: DeskModel, conversation: Conversation | null): Block | null {
  if (model.session.type !== "signed_in") return block("Sign in first.");
  if (conversation === null) return block("Choose a conversation first.");
  if (callRuns(model.call) && model.call.conversation === conversation.id) {
    return block("Video is already on the stage.");
  }
  if (conversation.state === "open") return block("Accept the conversation first.");
  if (conversation.state !== "active") return block("The conversation is not active any more.");
  if (conversation.owner !== model.session.account.id) {
    return block("The conversation belongs to a colleague.");
  }
  if (callRuns(model.call)) {
    return {
      reason: `You are on video with ${model.call.customer_name}.`,
      jump: { type: "conversation", conversation: model.call.conversation, label: "Go to the call" },
    };
  }
  const link = linkBlock(model.session.link);
  if (link !== null) return block(link);
  const lease = leaseBlock(model.test);
  return lease === null ? null : { reason: lease, jump: { type: "self_test", label: "Open the self-test" } };
}

function linkBlock(link: LinkView): string | null {
  switch (link.type) {
    case "online":
      return null;
    case "offline":
      return "The server cannot be reached. Video starts when it is back.";
    case "displaced":
      return "You are working on another desk. Continue here first.";
  }
}

function block(reason: string): Block {
  return { reason, jump: null };
}

/** A word for the header and the context panel. */
export function phaseLabel(call: CallView): string {
  switch (call.phase.type) {
    case "preparing":
      return "Preparing";
    case "waiting":
      return "Waiting for the customer";
    case "connecting":
      return "Connecting";
    case "live":
      return "Live";
    case "ended":
      return "Ended";
  }
}

/** What the stage says while the customer has joined and nothing has come through. */
export function attemptWords(attempt: Attempt, customer: string): { title: string; text: string } {
  switch (attempt) {
    case "direct":
      return { title: `Connecting to ${customer}`, text: `${customer} has joined.` };
    case "again":
      return { title: "Trying another way", text: "The first connection did not come up." };
    case "relay":
      return { title: "Trying a way around", text: `The direct way to ${customer} seems blocked; this one goes over a relay.` };
    case "sound_only":
      return { title: "Trying with sound only", text: "Video does not get through. Without sound the call goes back to the chat." };
  }
}

/** Who ended the call and why, as a sentence. */
export function endReason(reason: EndReason, customer: string): string {
  switch (reason) {
    case "agent_hung_up":
      return "You ended the call.";
    case "customer_left":
      return `${customer} left the call.`;
    case "customer_declined":
      return `${customer} declined the video call.`;
    case "cancelled":
      return "You took the invite back.";
    case "invite_expired":
      return "The link expired before it was used.";
    case "customer_lost":
      return `${customer}'s connection was lost and did not come back.`;
    case "agent_lost":
      return "Your connection was lost and did not come back.";
    case "media_failed":
      return "Picture and sound did not come through.";
    case "wrapped_up":
      return "You ended the call and wrapped up.";
  }
}

/** What to do after it, where there is something better than wrapping up. */
export function endNextStep(reason: EndReason): string | null {
  switch (reason) {
    case "invite_expired":
    case "customer_lost":
    case "agent_lost":
      return "Start video again to send a new link.";
    case "media_failed":
      return "A firewall may be in the way. Go on in the chat, or start video again to send a new link.";
    case "customer_declined":
      return "Go on in the chat, or ask before you send another link.";
    case "agent_hung_up":
    case "customer_left":
    case "cancelled":
    case "wrapped_up":
      return null;
  }
}

/** A call that is over in one line: how long it was and what it was like most of the time. */
export function callLine(liveMs: number, quality: CallSummary | null): string {
  const known = quality !== null && quality.typical !== "unknown";
  return `${duration(liveMs)} on video${known ? `, ${quality.typical} quality` : ""}.`;
}

/** Its worst moment, where there was one to speak of. */
export function worstLine(quality: CallSummary | null): string | null {
  if (quality === null || (quality.worst !== "fair" && quality.worst !== "poor")) return null;
  const mark = quality.worst === "fair" ? "Fair" : "Poor";
  const reason = quality.worst_reason === "" ? "." : `: ${quality.worst_reason}`;
  return `${mark} at ${time(quality.worst_at)}${reason}`;
}

/** The survey's reasons in the customer's words. */
export const ISSUE_LABELS: Readonly<Record<Issue, string>> = {
  could_not_hear: "Could not hear the agent",
  not_heard: "Was not heard",
  low_quality: "Poor picture",
  choppy: "Picture or sound was choppy",
  could_not_see: "Could not see the agent",
  out_of_sync: "Sound and picture apart",
  not_seen: "Was not seen",
  other: "Something else",
};

/** What the card of an invite says about it. */
export interface InviteStatus {
  readonly tone: "open" | "live" | "over";
  readonly label: string;
}

/** State of the invite card of `escalation` while the newest one is `current`; `opened`: its page is before somebody. */
export function inviteStatus(
  escalation: string,
  expiresAt: number,
  current: EscalationView | null,
  now: number,
  opened = false,
): InviteStatus {
  if (current === null || current.id !== escalation) return { tone: "over", label: "Over" };
  switch (current.state.type) {
    case "invited":
      // A resend may have moved the end; the newest word counts.
      return Math.max(expiresAt, current.expires_at) > now
        ? { tone: "open", label: opened ? "Opened" : "Not opened yet" }
        : { tone: "over", label: "Expired" };
    case "joining":
      return { tone: "live", label: "Joining" };
    case "live":
      return { tone: "live", label: "In the call" };
    case "ended":
      return { tone: "over", label: inviteEnd(current.state.reason) };
  }
}

function inviteEnd(reason: EndReason): string {
  switch (reason) {
    case "invite_expired":
      return "Expired";
    case "cancelled":
      return "Taken back";
    case "customer_declined":
      return "Declined";
    case "agent_hung_up":
    case "customer_left":
    case "customer_lost":
    case "agent_lost":
    case "media_failed":
    case "wrapped_up":
      return "Call ended";
  }
}
