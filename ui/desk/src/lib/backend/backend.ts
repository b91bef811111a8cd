import type { ConversationId, DeskCommand, DeskEvent, Problem } from "$wire";

/** The one way between the window and the controller. */
export interface Backend {
  /** Rejects with a {@link Problem}. */
  send(command: DeskCommand): Promise<void>;
  /** Hands a file over; resolves once it is kept on this computer, from where it is sent. Rejects with a {@link Problem}. */
  sendFile(conversation: ConversationId, file: File): Promise<void>;
  /** Calls `handler` for every event until the window closes. */
  listen(handler: (event: DeskEvent) => void): Promise<void>;
}

/** Whether `value` is a problem of the contract, not an exception of the host. */
export function isProblem(value: unknown): value is Problem {
  return (
    typeof value === "object" &&
    value !== null &&
    "code" in value &&
    "message" in value &&
    "next_step" in value
  );
}

/** What a rejected command says; anything that is not a problem is a fault of the app itself. */
export function toProblem(value: unknown): Problem {
  if (isProblem(value)) return value;
  return {
    code: "internal",
    message: "The app could not do that.",
    next_step: "Try again; restart the app if it stays.",
  };
}
