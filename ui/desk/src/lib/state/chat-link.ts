import type { Conversation } from "$wire";

/** Whether the conversation goes on better in the web chat: it is elsewhere, and a link can be written there. */
export function sendsChatLinks(conversation: Conversation): boolean {
  const { channel, state } = conversation;
  return state === "active" && channel !== "web_chat" && channel !== "self_test";
}
