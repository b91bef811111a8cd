import type {
  Channel,
  ConnectorField,
  ConnectorKind,
  ConnectorState,
  ConnectorView,
  DeadLetter,
  FieldShape,
  LetterKind,
  Problem,
  SaveConnector,
} from "$wire";

/** How a connector stands, as one word. */
export type Health = ConnectorState["type"];

const KINDS: Readonly<Record<string, string>> = {
  "twilio-messaging": "Twilio Messaging",
  "twilio-conversations": "Twilio Conversations and Flex",
  whatsapp: "WhatsApp Business",
  genesys: "Genesys Cloud Open Messaging",
  acs: "Azure Communication Services",
  bot: "Bot Framework",
  "direct-line": "Direct Line",
  "webex-messaging": "Webex messaging",
  "webex-connect": "Webex Connect",
  "webex-instant-connect": "Webex Instant Connect",
  webhook: "Signed webhook",
};

/** What a platform is called; a kind that this desk does not know yet goes by its own name. */
export function kindName(kind: string): string {
  return KINDS[kind] ?? kind;
}

const CHANNELS: Readonly<Record<string, Channel>> = {
  "twilio-messaging": "sms",
  "twilio-conversations": "twilio",
  whatsapp: "whats_app",
  genesys: "genesys",
  acs: "azure",
  bot: "bot",
  "direct-line": "bot",
  "webex-messaging": "webex",
  "webex-connect": "webex",
  "webex-instant-connect": "webex",
};

/** The channel whose sign stands for a platform. */
export function kindChannel(kind: string): Channel {
  return CHANNELS[kind] ?? "webhook";
}

/** Makes rooms elsewhere, and carries no conversations. */
export function makesRooms(kind: string): boolean {
  return kind === "webex-instant-connect";
}

/** Platforms that are called and never call. */
export function callsUs(kind: string): boolean {
  return kind !== "direct-line" && !makesRooms(kind);
}

/** What being off means, in one line. */
export function offMeans(kind: string): string {
  return makesRooms(kind) ? "Nobody can open a Webex room" : "No traffic in either direction";
}

export function healthWord(health: Health): string {
  return { enabled: "Enabled", disabled: "Disabled", failing: "Failing" }[health];
}

const SECRET = "Put a valid secret where the settings say, save them again, then test the connection.";
const NEXT_STEPS: Readonly<Record<string, string>> = {
  unreachable: "Check the address in the settings, and that this server may reach it through the firewall.",
  no_answer: "Look at the platform's status page. What waits is sent when it answers again.",
  answer_too_large: "Correct the address in the settings.",
  bad_address: "Correct the address in the settings.",
  sign_in_failed: SECRET,
  answer_incomplete: "Correct the address in the settings, then test the connection.",
  sms_not_sent: "Check the organisation's id in the settings, and that it may send SMS at Webex.",
  "401": SECRET,
  "403": SECRET,
  busy: "Nothing has to be done: what waits is sent more slowly.",
  window_closed: "Name an approved template in the settings, or wait until the customer writes.",
  invite_over: "Send the customer a new link.",
};

/** What somebody can do about a fault, by the code that names it. */
export function nextStep(code: string): string {
  if (/^5\d\d$/u.test(code)) return "Look at the platform's status page. What waits is sent when it works again.";
  return NEXT_STEPS[code] ?? `Look up ${code} in the platform's documentation, correct what it names, then test the connection.`;
}

const LETTERS: Readonly<Record<LetterKind, string>> = {
  message: "Message",
  invite: "Video link",
  context: "Context variables",
  handoff: "News for the bot",
  receipt: "Receipt",
};

export function letterWord(kind: LetterKind): string {
  return LETTERS[kind];
}

/** Letters of one connector, or all of them. */
export function lettersOf(letters: readonly DeadLetter[], connector: string | null): readonly DeadLetter[] {
  return connector === null ? letters : letters.filter((letter) => letter.connector === connector);
}

/** A name is part of an address. */
export function isConnectorName(name: string): boolean {
  return /^[A-Za-z0-9_-]{1,60}$/u.test(name);
}

/** Fields that take several values, one in a line. */
export function severalLines(shape: FieldShape): boolean {
  return shape === "texts" || shape === "secrets";
}

/** What a form starts with. A value that is hidden has to be entered again. */
export function entered(connector: ConnectorView | null): Record<string, string> {
  const values: Record<string, string> = {};
  for (const { name, value } of connector?.settings ?? []) {
    if (value === "(hidden)") continue;
    values[name] = values[name] === undefined ? value : `${values[name]}\n${value}`;
  }
  return values;
}

/** What was entered, as the server takes it: only fields of this kind, and none that is empty. */
export function asSettings(kind: ConnectorKind, values: Readonly<Record<string, string>>): SaveConnector {
  const settings: Record<string, string[]> = {};
  for (const { name, shape } of kind.fields) {
    const text = values[name] ?? "";
    const lines = (severalLines(shape) ? text.split("\n") : [text]).map((line) => line.trim()).filter((line) => line !== "");
    if (lines.length > 0) settings[name] = lines;
  }
  return { kind: kind.name, settings };
}

/** What stands in an empty field: its default, or how its value looks. */
export function placeholder({ shape, default: otherwise }: ConnectorField): string {
  if (otherwise !== null) return otherwise;
  if (shape === "secret" || shape === "secrets") return "env:NAME or keyring:NAME";
  return shape === "address" ? "https://" : "";
}

/** The field that a refusal names. */
export function faultyField(problem: Problem): string | null {
  return /`(\w+)`/u.exec(problem.message)?.[1] ?? /^(\w+) is missing\.$/u.exec(problem.message)?.[1] ?? null;
}
