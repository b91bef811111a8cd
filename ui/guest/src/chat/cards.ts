/**
 * What a bot offers beside its words: cards, and answers to choose from (Bot Framework, "Activity schema": hero card,
 * suggested actions, card action). The server has bounded them; what is no action here is left out.
 */

import type { Activity, CardAction } from "../../../shared/wire";
import { say } from "../say";

export interface Card {
  title: string;
  subtitle: string;
  text: string;
  actions: Action[];
}

export type Action = { title: string } & (
  | { type: "open"; url: string }
  /** Sent as if it had been written. */
  | { type: "say"; text: string }
  | { type: "choose"; chosen: Chosen }
);

/** An answer that says more to the bot than to the reader. */
export interface Chosen {
  text: string;
  value: unknown;
  /** In place of the text for whoever reads the conversation. */
  title: string;
  /** Whether the customer's own chat shows it. */
  seen: boolean;
}

const HERO = "application/vnd.microsoft.card.hero";

export function cardsOf({ attachments }: Activity): Card[] {
  return (attachments ?? []).flatMap(({ contentType, content }) => {
    if (contentType !== HERO || typeof content !== "object" || content === null) return [];
    const { title, subtitle, text, buttons, notShown } = content as Record<string, unknown>;
    const written = (value: unknown) => (typeof value === "string" ? value : "");
    return [{
      title: written(title),
      subtitle: written(subtitle),
      text: typeof notShown === "string" ? say("cardNotShown", { kind: notShown }) : written(text),
      actions: actionsIn(buttons),
    }];
  });
}

export function choicesOf({ suggestedActions }: Activity): Action[] {
  return actionsIn(suggestedActions?.actions);
}

function actionsIn(list: unknown): Action[] {
  return (Array.isArray(list) ? (list as CardAction[]) : []).flatMap((action) => actionOf(action) ?? []);
}

export function actionOf({ type, title, value, text, displayText }: CardAction): Action | null {
  switch (type) {
    case "imBack":
      return typeof value === "string" && value !== "" ? { type: "say", title, text: value } : null;
    case "postBack": {
      const [words, data] = typeof value === "string" ? [value, undefined] : ["", value];
      return { type: "choose", title, chosen: { text: words, value: data, title, seen: false } };
    }
    case "messageBack":
      return {
        type: "choose",
        title,
        chosen: { text: text ?? "", value, title: displayText || title, seen: Boolean(displayText) },
      };
    case "openUrl":
      return typeof value === "string" && URL.canParse(value) && new URL(value).protocol === "https:"
        ? { type: "open", title, url: value }
        : null;
  }
}

/** The part of an activity that tells a bot what was chosen. */
export function answering({ text, value, title, seen }: Chosen): Pick<Activity, "value"> & { text?: string; channelData: object } {
  return {
    ...(text ? { text } : {}),
    ...(value === undefined || value === null ? {} : { value }),
    channelData: { title, ...(seen ? { messageBack: { displayText: title } } : { postBack: true }) },
  };
}
