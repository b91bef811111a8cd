import type { Conversation, Message } from "$wire";

export const ME = {
  id: "a1",
  email: "maria@example.test",
  name: "Maria Keller",
  role: "agent",
} as const;

const MINUTE = 60_000;

/** A conversation with everything filled in, newest word `minutes` ago. */
export function conversation(
  id: string,
  name: string,
  text: string,
  minutes: number,
  more: Partial<Conversation> = {},
): Conversation {
  const now = Date.now();
  return {
    id,
    channel: "web_chat",
    state: "open",
    customer_name: name,
    customer_present: true,
    owner: null,
    owner_name: null,
    participants: [],
    opened_at: now - minutes * MINUTE - 4_000,
    state_since: now - minutes * MINUTE,
    last_seq: 1,
    delivered_seq: 0,
    read_seq: 0,
    last_text: text,
    last_at: now - minutes * MINUTE,
    context: { page: "/support/router-x2", language: "en" },
    notes: "",
    disposition: null,
    escalation: null,
    previous: null,
    came_by: null,
    trusted: false,
    asked_for: null,
    agent_files: (more.channel ?? "web_chat") === "web_chat" ? "carried" : "not_carried",
    meetings: false,
    hidden_variables: [],
    undelivered: [],
    ...more,
  };
}

/** The same, owned by the signed-in agent. */
export function mine(
  id: string,
  name: string,
  text: string,
  minutes: number,
  more: Partial<Conversation> = {},
): Conversation {
  return conversation(id, name, text, minutes, {
    state: "active",
    owner: ME.id,
    owner_name: ME.name,
    read_seq: 1,
    ...more,
  });
}

const NAMES = [
  "Luis Ortega",
  "Chinonso Okonkwo-Featherstonehaugh",
  "Maximiliana Wolfeschlegelsteinhausenbergerdorff",
  "Customer 4821",
  "Yui Tanaka",
  "Åsa Lindström",
  "Ömer Yıldız",
  "Priya Raghunathan",
  "李 小龙",
  "Fatima Al-Mansouri",
];

const LINES = [
  "it blinks red and then nothing happens, I have tried everything in the booklet already",
  "ok",
  "Is anyone there?",
  "I was charged twice for the same order and the second one is not even mine",
  "thank you!",
  "The cable does not fit the socket on the wall, can I send you a picture of it somehow?",
];

/** Many conversations, with names and lines that test the layout. */
export function crowd(count: number): Conversation[] {
  return Array.from({ length: count }, (_, index) => {
    const name = NAMES[index % NAMES.length] ?? "Customer";
    const line = LINES[index % LINES.length] ?? "";
    const id = `crowd-${index}`;
    if (index < 14) return conversation(id, name, line, index * 3 + 1, { last_seq: (index % 4) + 1 });
    return mine(id, name, line, index * 2 - 20, {
      last_seq: index % 3 === 0 ? 4 : 1,
      state: index % 7 === 0 ? "wrap_up" : "active",
      channel: index % 5 === 0 ? "phone" : "web_chat",
    });
  });
}

export const ANA = "ana";

/** Ana's router: the conversation of most scenarios. */
export function ana(more: Partial<Conversation> = {}): Conversation {
  return mine(ANA, "Ana Moreno", "It is on the wall behind the television", 1, {
    opened_at: Date.now() - 13 * MINUTE,
    state_since: Date.now() - 11 * MINUTE,
    last_seq: 9,
    delivered_seq: 8,
    read_seq: 9,
    context: {
      order: "SO-20418",
      product: "Router X2",
      page: "https://shop.example.test/support/router-x2/installation?step=4",
      visits: 3,
      premium: true,
    },
    notes: "Light on the box stays red. Already restarted twice.",
    ...more,
  });
}

/** What Ana and Maria have written. */
export function anaThread(): Message[] {
  const start = Date.now() - 13 * MINUTE;
  const customer = { type: "customer" } as const;
  const agent = { type: "agent", account: ME.id, name: ME.name } as const;
  const lines: [Message["author"], string, number][] = [
    [customer, "Hello, my new router does not come online.", 0],
    [customer, "The light on the box stays red.", 0.2],
    [{ type: "system" }, "Maria Keller joined the conversation.", 2],
    [agent, "Hi Ana, I'm Maria. Let's get you online.", 2.3],
    [agent, "Could you tell me which socket the white cable goes into? It should be the one marked “DSL”, next to the power switch.", 2.6],
    [customer, "I am not sure. There are three that look the same, and the labels are so small that I can't read them without my glasses", 5],
    [agent, "No problem. Is the wall socket near you?", 6],
    [customer, "It is on the wall behind the television", 12],
  ];
  return lines.map(([author, text, minutes], index) => ({
    id: `m${index}`,
    conversation: ANA,
    seq: index + 1,
    author,
    body: author.type === "system" ? { type: "event", text } : { type: "text", text },
    at: start + minutes * MINUTE,
  }));
}

/** What a bot and Ana said before anybody else was there. */
export function botThread(): Message[] {
  const bot = { type: "bot", name: "Hearth Helper" } as const;
  const customer = { type: "customer" } as const;
  const lines: [Message["author"], string][] = [
    [bot, "Hi, I am Hearth's virtual helper. What can I do for you?"],
    [customer, "hello"],
    [customer, "my router does not work"],
    [bot, "I am sorry to hear that. Which router do you have: Router X1, Router X2, or another one?"],
    [customer, "X2 I think"],
    [bot, "Thank you. Is the light on the box green, amber or red?"],
    [customer, "red"],
    [
      bot,
      "Please try this:\n1. Unplug the power cable.\n2. Wait for half a minute.\n3. Plug it in again, and wait until the light stops blinking.\n4. Tell me what you see.",
    ],
    [customer, "still red, I have done that twice"],
    [bot, "Is anything else plugged into the same socket on the wall?"],
    [customer, "I don't know, I can't see it, can I talk to a person please"],
    [bot, "Of course. I will find somebody for you, and tell them what we have tried."],
    [{ type: "system" }, "The bot handed the conversation over"],
  ];
  return lines.map(([author, text], index) => ({
    id: `bot-${index}`,
    conversation: ANA,
    seq: index + 1,
    author,
    body: author.type === "system" ? { type: "event", text } : { type: "text", text },
    at: Date.now() - 13 * MINUTE + index * 20_000,
  }));
}

/** The same, as her conversation looks to the agent. */
export function handedOver(more: Partial<Conversation> = {}): Conversation {
  const count = botThread().length;
  return ana({
    channel: "whats_app",
    customer_present: false,
    last_text: "Of course. I will find somebody for you, and tell them what we have tried.",
    last_seq: count,
    read_seq: count,
    delivered_seq: 0,
    notes: "",
    context: {
      order: "SO-20418",
      va_AgentMessage: "Hi Ana, I can see that the light stays red after two restarts. Shall we look at the socket together by video?",
      va_LastPhrases: "can I talk to a person please",
      va_LastPhrase: "can I talk to a person please",
      va_LastTopic: "Router offline",
      va_Topics: "Greeting, Router offline, Escalate",
      va_BotName: "Hearth Helper",
      va_Language: "en-gb",
      va_ConversationId: "6b0e0b8e-3f0e-4a38-8d4f-0f4c8f4f2a11",
      customerLocale: "es-ES",
      surveyConsent: false,
    },
    ...more,
  });
}
