/** The clear pages: what happened, what to do, and one button where there is something to press. */

import type { Problem } from "../../../shared/wire";
import { append, button, h } from "../dom";
import type { Child } from "../dom";
import { icon } from "../icons";
import type { IconName } from "../icons";

export interface Notice {
  icon: IconName;
  title: string;
  text: string;
  tone?: "plain" | "good";
  actions?: Child[];
}

export function noticePage(notice: Notice): HTMLElement {
  const page = h(
    "section",
    { class: "notice" },
    h("div", { class: `notice-mark ${notice.tone ?? "plain"}` }, icon(notice.icon, 28)),
    h("h1", { tabindex: -1 }, notice.title),
    h("p", {}, notice.text),
  );
  if (notice.actions?.length) {
    const row = h("div", { class: "notice-actions" });
    append(row, notice.actions);
    page.append(row);
  }
  return page;
}

/** The page for an invite or a call that cannot go on. `retry` is offered only where it can help. */
export function problemNotice(problem: Problem, retry: () => void, elsewhere: Child[]): Notice {
  const again = button("primary", "Try again", retry);
  switch (problem.code) {
    case "invite_expired":
      return {
        icon: "clock",
        title: "This link has expired",
        text: "Links work for a short time only. Ask for a new one in the chat where you got it.",
        actions: elsewhere,
      };
    case "invite_revoked":
      return {
        icon: "ban",
        title: "This link was taken back",
        text: "The person who invited you withdrew it. Ask for a new one in the chat if you still want to talk.",
        actions: elsewhere,
      };
    case "invite_in_use":
      return {
        icon: "smartphone",
        title: "This link is in use on another device",
        text: "Go on there, or ask for a new link in the chat. For your safety a link works in one browser only.",
        actions: elsewhere,
      };
    case "invite_unknown":
    case "not_found":
      return {
        icon: "link",
        title: "This link is not complete",
        text: "We don't know it. Open it again from the message you got, or ask for a new one in the chat.",
        actions: elsewhere,
      };
    case "room_ended":
    case "escalation_ended":
      return {
        icon: "phoneOff",
        title: "This call is over",
        text: "Ask for a new call in the chat if there is more to talk about.",
        actions: elsewhere,
      };
    case "server_unreachable":
      return { icon: "wifiOff", title: "You seem to be offline", text: problem.next_step, actions: [again] };
    case "media_timeout":
      return {
        icon: "videoOff",
        title: "Picture and sound did not come through",
        text: "Your network may block video calls. Go on in the chat, where you can also ask for another try. A call may work over another network, such as mobile data instead of Wi-Fi.",
        actions: elsewhere,
      };
    case "media_failed":
      return {
        icon: "videoOff",
        title: "The call did not come through",
        text: `${problem.message} ${problem.next_step}`,
        actions: [again, ...elsewhere],
      };
    case "rate_limited":
      return {
        icon: "clock",
        title: "Too many attempts",
        text: "Wait a minute, then try again.",
        actions: [again],
      };
    default:
      return {
        icon: "circleAlert",
        title: "The call could not start",
        text: `${problem.message} ${problem.next_step}`.trim(),
        actions: [again, ...elsewhere],
      };
  }
}

/** A link to take along, for the browsers that cannot make a call. */
export function copyLink(url: string): HTMLElement {
  const field = h("input", { class: "field", readonly: true, value: url, "aria-label": "Link to this call" });
  const label = h("span", {}, "Copy link");
  const copy = button("primary", [icon("copy"), label], async () => {
    try {
      await navigator.clipboard.writeText(url);
    } catch {
      field.select();
      document.execCommand("copy");
    }
    label.textContent = "Copied";
  });
  copy.setAttribute("aria-live", "polite");
  return h("div", { class: "copy-link" }, field, copy);
}
