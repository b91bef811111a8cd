/** The clear pages: what happened, what to do, and one button where there is something to press. */

import type { Problem } from "../../../shared/wire";
import { append, button, h } from "../dom";
import type { Child } from "../dom";
import { icon } from "../icons";
import type { IconName } from "../icons";
import { say } from "../say";
import { problemWords } from "../words";

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
  const again = button("primary", say("tryAgain"), retry);
  switch (problem.code) {
    case "invite_expired":
      return {
        icon: "clock",
        title: say("expiredTitle"),
        text: say("expiredText"),
        actions: elsewhere,
      };
    case "invite_revoked":
      return {
        icon: "ban",
        title: say("revokedTitle"),
        text: say("revokedText"),
        actions: elsewhere,
      };
    case "invite_in_use":
      return {
        icon: "smartphone",
        title: say("inUseTitle"),
        text: say("inUseText"),
        actions: elsewhere,
      };
    case "invite_unknown":
    case "not_found":
      return {
        icon: "link",
        title: say("unknownTitle"),
        text: say("unknownText"),
        actions: elsewhere,
      };
    case "room_ended":
    case "escalation_ended":
      return {
        icon: "phoneOff",
        title: say("overTitle"),
        text: say("overText"),
        actions: elsewhere,
      };
    case "server_unreachable":
      return { icon: "wifiOff", title: say("offlineTitle"), text: say("offlineText"), actions: [again] };
    case "media_timeout":
      return {
        icon: "videoOff",
        title: say("blockedTitle"),
        text: say("blockedText"),
        actions: elsewhere,
      };
    case "media_failed":
      return {
        icon: "videoOff",
        title: say("failedTitle"),
        text: problemWords(problem),
        actions: [again, ...elsewhere],
      };
    case "rate_limited":
      return {
        icon: "clock",
        title: say("attemptsTitle"),
        text: say("attemptsText"),
        actions: [again],
      };
    default:
      return {
        icon: "circleAlert",
        title: say("notStartedTitle"),
        text: problemWords(problem),
        actions: [again, ...elsewhere],
      };
  }
}

/** A link to take along, for the browsers that cannot make a call. */
export function copyLink(url: string): HTMLElement {
  const field = h("input", { class: "field", readonly: true, value: url, "aria-label": say("linkToCall") });
  const label = h("span", {}, say("copyLink"));
  const copy = button("primary", [icon("copy"), label], async () => {
    try {
      await navigator.clipboard.writeText(url);
    } catch {
      field.select();
      document.execCommand("copy");
    }
    label.textContent = say("copied");
  });
  copy.setAttribute("aria-live", "polite");
  return h("div", { class: "copy-link" }, field, copy);
}
