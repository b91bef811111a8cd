import type { ConnectorKind, ConnectorView, DeadLetter, DeskCommand, DeskEvent, Problem, SaveConnector } from "$wire";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ROOMS = "webex_instant_connect";

const connector = (name: string, kind: string, more: Partial<ConnectorView> = {}): ConnectorView => ({
  name,
  kind,
  state: { type: "enabled" },
  hook: `https://desk.example.test/v1/hooks/${name}`,
  settings: [],
  waiting: 0,
  dead: 0,
  conversations: 0,
  heard_at: Date.now() - 2 * MINUTE,
  sent_at: Date.now() - 5 * MINUTE,
  ...more,
});

/** One of each state, a name that is too long, and one that was never used. */
export function connectors(): ConnectorView[] {
  return [
    connector("whatsapp-spain", "whatsapp", {
      state: {
        type: "failing",
        code: "401",
        sentence: "The platform refuses our sign-in (401).",
        since: Date.now() - 12 * MINUTE,
      },
      settings: [
        { name: "phone_number_id", value: "109876543210987" },
        { name: "access_token", value: "env:WHATSAPP_TOKEN", secret: "set" },
        { name: "app_secret", value: "keyring:sightline/whatsapp-app-secret", secret: "missing" },
        { name: "verify_token", value: "env:WHATSAPP_VERIFY", secret: "set" },
        { name: "template_name", value: "video_invite" },
        { name: "graph_base", value: "https://graph.facebook.com" },
      ],
      waiting: 14,
      dead: 2,
      conversations: 3,
    }),
    connector("sms", "twilio-messaging", {
      conversations: 3,
      settings: [
        { name: "account_sid", value: "AC0123456789abcdef0123456789abcdef" },
        { name: "auth_token", value: "env:TWILIO_AUTH_TOKEN", secret: "set" },
        { name: "from", value: "+15550100" },
      ],
    }),
    connector("flex", "twilio-conversations", { dead: 1, conversations: 1, heard_at: Date.now() - 3 * HOUR }),
    connector("genesys-emea-contact-centre-for-returns-and-warranty", "genesys", { waiting: 2 }),
    connector("acs", "acs", { state: { type: "disabled" }, heard_at: Date.now() - 40 * HOUR, sent_at: null, waiting: 1 }),
    connector("copilot", "direct-line"),
    connector("shop", "webhook", { heard_at: null, sent_at: null }),
    connector(ROOMS, "webex-instant-connect", {
      hook: "",
      heard_at: null,
      sent_at: Date.now() - 26 * MINUTE,
      settings: [
        { name: "bot_token", value: "env:WEBEX_BOT_TOKEN", secret: "set" },
        { name: "org_id", value: "00000000-0000-4000-8000-000000000001" },
        { name: "sms_country", value: "us" },
      ],
    }),
  ];
}

/** The newest first. */
export function letters(): DeadLetter[] {
  const letter = (id: string, more: Partial<DeadLetter>): DeadLetter => ({
    id,
    connector: "whatsapp-spain",
    conversation: "w1",
    customer_name: "Luis Ortega",
    kind: "message",
    text: "",
    error: "",
    attempts: 1,
    created_at: Date.now() - 26 * HOUR,
    given_up_at: Date.now() - 2 * HOUR,
    ...more,
  });
  return [
    letter("l1", {
      text: "Thank you for waiting. I have looked at your order, and the second charge was ours: it is on its way back to you and should be with your bank within five days.",
      error: "The platform has a fault (503).",
      attempts: 41,
    }),
    letter("l2", {
      kind: "invite",
      customer_name: "8:acs:1b5cc06b-f352-4571-b1e6-d9b259b7c776_00000007-d5ae-2b1c-f883-084822000f3f",
      text: "Maria from Hearth Support would like to see you by video.",
      error: "The link had expired before the platform took it.",
      attempts: 7,
      given_up_at: Date.now() - 20 * MINUTE,
    }),
    letter("l3", {
      connector: "flex",
      customer_name: "Chinonso Okonkwo-Featherstonehaugh",
      conversation: "b",
      kind: "context",
      text: "videoRoom, videoRoomSid, videoUrl",
      error: "The platform refuses (20404).",
      given_up_at: Date.now() - 4_000,
    }),
  ];
}

const ROOM_MADE =
  "The broker answered and knows us. It made a room for this test, which has no short link, was shown to nobody and expires in a minute.";

const refused = (problem: Problem): Promise<never> => Promise.reject(problem);

/** Some of the kinds that the server knows. */
const KINDS: readonly ConnectorKind[] = [
  {
    name: "webhook",
    only: null,
    what: "Your own system: signed in both directions.",
    fields: [
      { name: "url", what: "Where your system is called.", shape: "address", needed: true, default: null },
      { name: "secret", what: "What both sides sign with.", shape: "secrets", needed: true, default: null },
      { name: "calls_per_second", what: "How often the platform is called at most; 20 without it.", shape: "number", needed: false, default: null },
      { name: "invites_by", what: "Of a phone system: the connector whose SMS carries links to its callers.", shape: "text", needed: false, default: null },
    ],
  },
  {
    name: "whatsapp",
    only: null,
    what: "WhatsApp by Meta's Cloud API.",
    fields: [
      { name: "phone_number_id", what: "The id of our number.", shape: "text", needed: true, default: null },
      { name: "access_token", what: "The token of a system user.", shape: "secret", needed: true, default: null },
      { name: "app_secret", what: "The app's secret, which webhooks are signed with.", shape: "secrets", needed: true, default: null },
      { name: "graph_base", what: "Where messages are sent.", shape: "address", needed: false, default: "https://graph.facebook.com" },
    ],
  },
  {
    name: "webex-instant-connect",
    only: ROOMS,
    what: "Rooms of Webex Instant Connect, with a link for the agent and one for the customer.",
    fields: [
      { name: "bot_token", what: "The token of a Webex bot.", shape: "secret", needed: true, default: null },
      { name: "org_id", what: "The organisation's id; invites by SMS need it.", shape: "text", needed: false, default: null },
      { name: "sms_country", what: "Two letters of the country whose numbers are invited by SMS; without it numbers carry their country code.", shape: "text", needed: false, default: null },
      { name: "broker_base", what: "Where rooms are asked for.", shape: "address", needed: false, default: "https://mtg-broker-a.wbx2.com" },
    ],
  },
];

function inUse({ conversations }: ConnectorView): Promise<void> {
  return refused({
    code: "connector_in_use",
    message: `${conversations} conversations are using this connector.`,
    next_step: "Close or transfer them first.",
    conversations: ["ana", "w1", "b"].slice(0, conversations),
  });
}

/** Answers the commands of admins as the controller does. */
export class MockConnectors {
  #connectors: ConnectorView[] = [];
  #letters: DeadLetter[] = [];

  constructor(readonly emit: (event: DeskEvent) => void) {}

  /** A deployment with platforms, or without any. */
  begin(scenario: string): void {
    if (scenario === "connectors-none") return;
    this.#connectors = connectors();
    this.#letters = scenario === "letters-none" ? [] : letters();
  }

  /** The answer, or null where the command was another's. */
  send(command: DeskCommand): Promise<void> | null {
    switch (command.type) {
      case "read_connectors":
        return this.#show();
      case "read_dead_letters":
        this.emit({ type: "dead_letters", letters: [...this.#letters] });
        return Promise.resolve();
      case "test_connector":
        return this.#test(command.connector);
      case "switch_connector":
        return this.#switch(command.connector, command.on);
      case "read_connector_kinds":
        this.emit({ type: "connector_kinds", kinds: [...KINDS] });
        return Promise.resolve();
      case "save_connector":
        return this.#save(command.connector, command.settings);
      case "remove_connector":
        return this.#remove(command.connector);
      case "resend_letter":
      case "discard_letter":
        this.#letters = this.#letters.filter(({ id }) => id !== command.letter);
        return Promise.resolve();
      case "read_conversations":
        return Promise.resolve();
      default:
        return null;
    }
  }

  /** The server knows more that can be wrong; here it is an address without TLS. */
  #save(name: string, { kind, settings }: SaveConnector): Promise<void> {
    if (settings["url"]?.some((url) => !url.startsWith("https://"))) {
      return refused({
        code: "settings_refused",
        message: "`url` has to be an address that begins with https://.",
        next_step: "Correct what is named, and save again.",
      });
    }
    const pairs = Object.entries(settings).flatMap(([field, values]) => (values ?? []).map((value) => ({ name: field, value })));
    const known = this.#connectors.find((one) => one.name === name) ?? connector(name, kind, { heard_at: null, sent_at: null });
    const others = this.#connectors.filter((one) => one.name !== name);
    this.#connectors = [...others, { ...known, settings: pairs }].sort((a, b) => a.name.localeCompare(b.name));
    return this.#show();
  }

  #remove(name: string): Promise<void> {
    const found = this.#connectors.find((one) => one.name === name);
    if (found !== undefined && found.conversations > 0) return inUse(found);
    this.#connectors = this.#connectors.filter((one) => one !== found);
    return this.#show();
  }

  #show(): Promise<void> {
    this.emit({ type: "connectors", connectors: [...this.#connectors] });
    return Promise.resolve();
  }

  async #test(name: string): Promise<void> {
    await new Promise((done) => setTimeout(done, 400));
    const failing = this.#connectors.find((one) => one.name === name)?.state;
    const test =
      failing?.type === "failing"
        ? { works: false, sentence: failing.sentence, took_ms: 212 }
        : { works: true, sentence: name === ROOMS ? ROOM_MADE : "The platform answered and knows us.", took_ms: 148 };
    this.emit({ type: "connector_tested", connector: name, test, at: Date.now() });
  }

  #switch(name: string, on: boolean): Promise<void> {
    const found = this.#connectors.find((one) => one.name === name);
    if (found !== undefined && !on && found.conversations > 0) {
      return inUse(found);
    }
    const state = on ? ({ type: "enabled" } as const) : ({ type: "disabled" } as const);
    this.#connectors = this.#connectors.map((one) => (one.name === name ? { ...one, state } : one));
    return this.#show();
  }
}
