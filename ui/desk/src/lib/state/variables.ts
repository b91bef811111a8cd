import type { ContextValue, Conversation } from "$wire";
import { languageName } from "../format";

type Context = Conversation["context"];

/** As a person reads it. */
export function valueText(value: ContextValue): string {
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}

/** What a person typed; "007" and "+34 600" stay text, because they would not come back the same. */
export function parseValue(text: string): ContextValue {
  const trimmed = text.trim();
  if (trimmed === "yes" || trimmed === "true") return true;
  if (trimmed === "no" || trimmed === "false") return false;
  const number = Number(trimmed);
  if (trimmed !== "" && Number.isFinite(number) && String(number) === trimmed) return number;
  return text;
}

/** A context variable as it is drawn. */
export interface Variable {
  /** Case-sensitive, as it is stored. */
  readonly key: string;
  readonly value: ContextValue;
  /** What it is called on the screen: the key itself, unless it is one that bots agree on. */
  readonly label: string;
  readonly text: string;
}

/** Variables of a bot's hand-off that have a name of their own, in the order in which they help. */
const FROM_BOT: Readonly<Record<string, string>> = {
  va_AgentMessage: "Suggestion",
  va_LastPhrases: "Last words",
  va_LastPhrase: "Last words",
  va_LastTopic: "Last topic",
  va_Topics: "Topics",
  va_Phrases: "All words",
  va_Language: "Language",
  customerLocale: "Locale",
  surveyConsent: "Survey",
  va_CustomerPhoneNumber: "Phone",
  va_BotName: "Bot",
  va_BotId: "Bot's id",
  va_ConversationId: "Bot's chat",
  va_Scope: "Scope",
};
const BOT_ORDER = Object.keys(FROM_BOT);

/** What the bot knows, and everything else; each once, and without what is `hidden`. */
export function grouped(
  context: Context,
  hidden: readonly string[] = [],
): { readonly bot: readonly Variable[]; readonly rest: readonly Variable[] } {
  const all = Object.entries(context).flatMap(([key, value]): Variable[] =>
    value === undefined || hidden.includes(key) ? [] : [{ key, value, label: FROM_BOT[key] ?? key, text: readable(key, value) }],
  );
  const rank = ({ key }: Variable) => (key in FROM_BOT ? BOT_ORDER.indexOf(key) : BOT_ORDER.length);
  const bot = all
    .filter(({ key }) => key.startsWith("va_") || key in FROM_BOT)
    // Both spellings are in use, and one is made of the other.
    .filter(({ key, value }) => key !== "va_LastPhrase" || context["va_LastPhrases"] !== value)
    .sort((a, b) => rank(a) - rank(b) || a.key.localeCompare(b.key));
  return { bot, rest: all.filter(({ key }) => !key.startsWith("va_") && !(key in FROM_BOT)) };
}

/** Whether the customer is asked after a call, as the server decides it: bots that have not declared the variable send text. */
export function isAsked(context: Context): boolean {
  const consent = context["surveyConsent"];
  if (typeof consent === "string") return !/^(false|no)$/iu.test(consent.trim());
  return consent === undefined || Boolean(consent);
}

function readable(key: string, value: ContextValue): string {
  if (key === "surveyConsent") {
    return isAsked({ surveyConsent: value }) ? "Agrees to be asked after the call" : "Does not want to be asked";
  }
  const isCode = typeof value === "string" && value.trim() !== "";
  if (isCode && (key === "va_Language" || key === "customerLocale")) {
    const name = languageName(value);
    return name === value ? value : `${name}, ${value.trim()}`;
  }
  return valueText(value);
}

/** What the bot suggests to say, or nothing. */
export function suggestion(context: Context): string | null {
  const text = context["va_AgentMessage"];
  return typeof text === "string" && text.trim() !== "" ? text.trim() : null;
}
