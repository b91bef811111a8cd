import type { Conversation, ConversationId, DeskEvent, Message, PreviousConversation } from "$wire";
import { ANA, ME, conversation } from "./people";

const MINUTE = 60_000;

/** What was closed before Ana opened the link. */
export const BEFORE = "ana-whatsapp";

export const previous = (verified = true): PreviousConversation => ({
  type: "known",
  id: BEFORE,
  channel: "whats_app",
  opened_at: Date.now() - 34 * MINUTE,
  closed_at: Date.now() - 3 * MINUTE,
  customer_name: "Ana Moreno",
  verified,
});

/** Ana, back by the link that Maria has sent her. */
export function returned(more: Partial<Conversation> = {}): Conversation {
  return conversation(ANA, "Ana Moreno", "", 0.4, {
    last_seq: 0,
    context: {
      AgentId: ME.id,
      EmailAddressContextVariable: ME.email,
      PreviousConversationId: BEFORE,
      VideoCall: true,
    },
    hidden_variables: ["VideoCall"],
    previous: previous(),
    came_by: "link",
    trusted: true,
    asked_for: ME.id,
    ...more,
  });
}

/** The page that the controller reads: two pages in all. */
export function earlierPage(of: ConversationId, id: ConversationId, before: number | null): DeskEvent {
  const all = messages(id);
  const shown = before === null ? all.slice(-6) : all.filter(({ seq }) => seq < before);
  return {
    type: "earlier",
    conversation: of,
    earlier: { id, messages: shown, more: before === null, owner_name: ME.name, previous: null },
  };
}

function messages(id: ConversationId): Message[] {
  const start = Date.now() - 34 * MINUTE;
  const customer = { type: "customer" } as const;
  const agent = { type: "agent", account: ME.id, name: ME.name } as const;
  const lines: [Message["author"], string, number][] = [
    [customer, "Hello, is this the support for the X2?", 0],
    [agent, "Hi Ana, it is. What can I do for you?", 2],
    [customer, "The light on my router stays red, whatever I do.", 3],
    [agent, "Which socket does the white cable go into?", 5],
    [customer, "I can't tell, there are three that look the same", 9],
    [customer, "I could show you", 9.4],
    [agent, "Please open this link, then we can see each other: http://127.0.0.1:7420/c/8nJxQ2vWm4T0bKfYc1hRsA", 28],
    [customer, "One moment, I get my glasses", 29],
  ];
  return lines.map(([author, text, minutes], index) => ({
    id: `${id}-${index}`,
    conversation: id,
    seq: index + 1,
    author,
    body: { type: "text", text },
    at: start + minutes * MINUTE,
  }));
}
