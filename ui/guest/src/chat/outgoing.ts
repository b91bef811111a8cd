/** Messages on their way: shown at once with their true state, sent in order, kept over a reload. */

import type { Problem } from "../../../shared/wire";
import { Failure, OFFLINE } from "../api";
import { Backoff } from "../backoff";
import type { Slot } from "../store";
import type { Chosen } from "./cards";

export interface Outgoing {
  client_id: string;
  text: string;
  /** What a bot offered, and was chosen; nothing for what was written. */
  chosen?: Chosen;
  at: number;
  state:
    | { type: "sending" }
    | { type: "waiting" }
    /** Acknowledged by the server; its echo has not come yet. */
    | { type: "sent" }
    | { type: "refused"; problem: Problem };
}

/** Sends one message; the same client id twice must not make two messages. */
export type Post = (message: Outgoing) => Promise<void>;

export class Outbox {
  private messages: Outgoing[];
  private busy = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly backoff = new Backoff(500, 8_000);

  constructor(
    private readonly post: Post,
    private readonly kept: Slot<Outgoing[]>,
    private readonly changed: () => void,
  ) {
    // What was acknowledged comes back with the history.
    this.messages = (kept.read() ?? [])
      .filter(({ state }) => state.type !== "sent")
      .map((message) => (message.state.type === "refused" ? message : { ...message, state: { type: "waiting" } }));
  }

  all(): readonly Outgoing[] {
    return this.messages;
  }

  get pending(): boolean {
    return this.messages.some(({ state }) => state.type !== "sent" && state.type !== "refused");
  }

  add(text: string, chosen?: Chosen): void {
    const message: Outgoing = { client_id: uuid(), text, at: Date.now(), state: { type: "sending" } };
    this.messages.push(chosen ? { ...message, chosen } : message);
    this.save();
    void this.flush();
  }

  /** The server's copy arrived, or the person gave the message up. */
  remove(client_id: string): void {
    const left = this.messages.filter((message) => message.client_id !== client_id);
    if (left.length === this.messages.length) return;
    this.messages = left;
    this.save();
  }

  retry(client_id: string): void {
    for (const message of this.messages) {
      if (message.client_id === client_id) message.state = { type: "waiting" };
    }
    void this.flush();
  }

  async flush(): Promise<void> {
    clearTimeout(this.timer);
    if (this.busy) return;
    this.busy = true;
    try {
      for (let next = this.next(); next; next = this.next()) {
        next.state = { type: "sending" };
        this.save();
        await this.post(next);
        next.state = { type: "sent" };
        this.backoff.reset();
        this.save();
      }
    } catch (error) {
      this.failed(error instanceof Failure ? error : new Failure(OFFLINE, 0));
    } finally {
      this.busy = false;
    }
  }

  private failed(failure: Failure): void {
    const message = this.next();
    if (message && !failure.passing) message.state = { type: "refused", problem: failure.problem };
    else if (message) message.state = { type: "waiting" };
    this.save();
    this.timer = setTimeout(() => void this.flush(), failure.passing ? this.backoff.next() : 0);
  }

  private next(): Outgoing | undefined {
    return this.messages.find(({ state }) => state.type === "sending" || state.type === "waiting");
  }

  private save(): void {
    this.kept.write(this.messages);
    this.changed();
  }
}

/** `crypto.randomUUID` exists on secure pages only. */
export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
