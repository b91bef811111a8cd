/** After the call, whoever ended it: thumbs, what was wrong, and a free line. Skipping is always possible. */

import "../styles/survey.css";
import type { Issue, Survey, Verdict } from "../../../shared/wire";
import { button, h, setText } from "../dom";
import { icon } from "../icons";
import { say } from "../say";
import { ISSUES } from "../words";

const MOST_CHARS = 1_000;

export interface SurveyActions {
  send(survey: Survey): Promise<void>;
  skip(): void;
}

export function surveyPage(what: string, actions: SurveyActions): HTMLElement {
  let verdict: Verdict | null = null;
  const chosen = new Set<Issue>();
  const up = thumb("up", say("good"));
  const down = thumb("down", say("notGood"));
  const comment = h("textarea", { class: "field", rows: 3, maxlength: MOST_CHARS, id: "survey-comment" });
  const issues = h(
    "fieldset",
    { class: "issues" },
    h("legend", {}, say("whatWasWrong")),
    ...ISSUES.map((issue) => {
      const box = h("input", { type: "checkbox", class: "visually-hidden" });
      box.addEventListener("change", () => (box.checked ? chosen.add(issue) : chosen.delete(issue)));
      return h("label", { class: "chip" }, box, h("span", {}, say(`issue_${issue}`)));
    }),
  );
  const error = h("p", { class: "inline-problem", role: "alert", hidden: true });
  const send = button("primary large", say("sendFeedback"), async () => {
    if (!verdict) return;
    send.disabled = true;
    try {
      await actions.send({ verdict, issues: [...chosen], comment: comment.value.trim() });
    } catch {
      send.disabled = false;
      error.hidden = false;
      setText(error, say("feedbackNotSent"));
    }
  });
  const more = h(
    "div",
    { class: "survey-more", hidden: true },
    issues,
    h("label", { for: "survey-comment" }, say("comment")),
    comment,
    error,
    send,
  );

  function thumb(value: Verdict, label: string): HTMLButtonElement {
    return h(
      "button",
      {
        type: "button",
        class: `thumb ${value}`,
        "aria-pressed": "false",
        click: () => {
          verdict = value;
          up.setAttribute("aria-pressed", String(value === "up"));
          down.setAttribute("aria-pressed", String(value === "down"));
          more.hidden = false;
          issues.hidden = value === "up";
          if (value === "up") {
            chosen.clear();
            for (const box of issues.querySelectorAll("input")) box.checked = false;
          }
        },
      },
      icon(value === "up" ? "thumbsUp" : "thumbsDown", 26),
      h("span", {}, label),
    );
  }

  return h(
    "section",
    { class: "survey" },
    h("p", { class: "quiet" }, what),
    h("h1", { tabindex: -1 }, say("surveyTitle")),
    h("div", { class: "thumbs", role: "group", "aria-label": say("surveyTitle") }, up, down),
    more,
    button("plain large", say("skip"), actions.skip),
  );
}
