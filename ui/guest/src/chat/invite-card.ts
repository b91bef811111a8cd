/** The invitation inside the chat: who asks, how long it holds, and Join. */

import { button, h, setText } from "../dom";
import { icon } from "../icons";
import { say } from "../say";
import { timeLeft } from "../words";
import type { Invite } from "./thread";

export interface InviteCard {
  element: HTMLElement;
  /** `over` once answered, ended or replaced by a newer one. */
  update(now: number, state: InviteUse): void;
}

export type InviteUse = "open" | "answering" | "joined" | "over";

export function inviteCard(invite: Invite, join: () => void): InviteCard {
  const title = h("p", { class: "invite-title" }, say("invitation", { agent: invite.agent_name }));
  const note = h("p", { class: "invite-note" });
  const joinButton = button("primary", say("join"), join);
  const element = h(
    "div",
    { class: "invite", role: "group", "aria-label": say("invitationLabel") },
    h("div", { class: "invite-mark" }, icon("video", 22)),
    h("div", { class: "invite-words" }, title, note),
    joinButton,
  );
  return {
    element,
    update(now, use) {
      const left = invite.expires_at - now;
      const expired = use === "open" && left <= 0;
      element.classList.toggle("over", use === "over" || expired);
      joinButton.hidden = use !== "open" || expired;
      setText(note, noteFor(use, left));
    },
  };
}

function noteFor(use: InviteUse, left: number): string {
  switch (use) {
    case "open":
      return timeLeft(left);
    case "answering":
      return say("invitationOpen");
    case "joined":
      return say("invitationJoined");
    case "over":
      return say("invitationOver");
  }
}
