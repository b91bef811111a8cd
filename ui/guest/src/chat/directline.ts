/**
 * A minimal Direct Line 3.0 client: one conversation, a stream that comes back by itself from the last watermark,
 * and a token that is renewed before it ends. The conversation begins with the first message, not with the page.
 */

import type {
  Activity, ActivitySet, ContextValue, ConversationStarted, WebChatStart,
} from "../../../shared/wire";
import { Failure, request } from "../api";
import { Backoff } from "../backoff";
import { slot } from "../store";
import { SELF } from "./thread";

export type Link = "idle" | "connecting" | "online" | "offline";

export interface LineListener {
  activities(activities: Activity[]): void;
  link(link: Link): void;
  /** The stored conversation is gone; the next message begins another. */
  over(): void;
}

interface Stored {
  id: string;
  token: string;
  name: string | null;
}

const KEEP_ALIVE_MS = 20_000;

export class DirectLine {
  private readonly kept = slot<Stored>("conversation");
  private conversation: Stored | null;
  private starting: Promise<Stored> | null = null;
  private socket: WebSocket | null = null;
  private watermark: string | null = null;
  private retry: number | undefined;
  private renewal: number | undefined;
  private keepAlive: number | undefined;
  private lastTyping = 0;
  private readonly backoff = new Backoff();

  constructor(
    private readonly context: Record<string, ContextValue>,
    private readonly listener: LineListener,
  ) {
    this.conversation = this.kept.read();
    window.addEventListener("online", () => this.reconnect());
    window.addEventListener("offline", () => this.lost());
  }

  get begun(): boolean {
    return this.conversation !== null;
  }

  /** Goes on with the conversation of this tab, if there is one. */
  resume(): void {
    if (this.conversation) void this.connect();
  }

  async send(text: string, client_id: string, name: string | null): Promise<void> {
    const conversation = await this.begin(name);
    const activity: Activity = {
      type: "message",
      from: author(conversation),
      text,
      locale: navigator.language,
      channelData: { clientActivityID: client_id },
    };
    try {
      await this.post(conversation, activity);
    } catch (error) {
      if (!(error instanceof Failure) || !isOver(error)) throw error;
      // The agent closed it meanwhile: the message opens a new one instead of being lost.
      this.forget();
      await this.post(await this.begin(name), activity);
    }
  }

  typing(): void {
    const now = Date.now();
    if (!this.conversation || now - this.lastTyping < 3_000) return;
    this.lastTyping = now;
    this.post(this.conversation, { type: "typing", from: author(this.conversation) }).catch(() => {
      // Nobody misses a typing mark.
    });
  }

  private post(conversation: Stored, activity: Activity): Promise<unknown> {
    const id = encodeURIComponent(conversation.id);
    return request(`/v3/directline/conversations/${id}/activities`, {
      method: "POST",
      token: conversation.token,
      body: activity,
    });
  }

  private begin(name: string | null): Promise<Stored> {
    if (this.conversation) return Promise.resolve(this.conversation);
    this.starting ??= this.create(name).finally(() => (this.starting = null));
    return this.starting;
  }

  private async create(name: string | null): Promise<Stored> {
    const start: WebChatStart = name ? { name, context: this.context } : { context: this.context };
    const { token } = await request<ConversationStarted>("/v1/webchat/tokens", { method: "POST", body: start });
    const begun = await request<ConversationStarted>("/v3/directline/conversations", {
      method: "POST",
      token,
      body: { user: { id: SELF, ...(name ? { name } : {}) }, locale: navigator.language },
    });
    const conversation = { id: begun.conversationId, token: begun.token || token, name };
    this.conversation = conversation;
    this.watermark = null;
    this.kept.write(conversation);
    this.renewLater(begun.expires_in);
    if (begun.streamUrl) this.stream(begun.streamUrl);
    else void this.connect();
    return conversation;
  }

  private async connect(): Promise<void> {
    window.clearTimeout(this.retry);
    const { conversation } = this;
    if (!conversation || this.socket) return;
    this.listener.link("connecting");
    const path = `/v3/directline/conversations/${encodeURIComponent(conversation.id)}`;
    try {
      if (this.watermark === null) {
        const history = await request<ActivitySet>(`${path}/activities`, { token: conversation.token });
        this.receive(history);
        await this.renew();
      }
      const token = this.conversation?.token ?? conversation.token;
      const again = await request<ConversationStarted>(`${path}?watermark=${this.watermark ?? ""}`, { token });
      if (again.streamUrl && !this.socket) this.stream(again.streamUrl);
    } catch (error) {
      if (error instanceof Failure && isOver(error)) {
        this.forget();
        this.listener.over();
      } else {
        this.lost();
      }
    }
  }

  private stream(url: string): void {
    // The path and ticket are the server's; the host is ours, whatever a proxy in between calls it.
    const given = new URL(url, location.origin);
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${given.pathname}${given.search}`);
    this.socket = socket;
    socket.onopen = () => {
      this.backoff.reset();
      this.listener.link("online");
      window.clearInterval(this.keepAlive);
      this.keepAlive = window.setInterval(() => {
        if (socket.readyState === WebSocket.OPEN) socket.send("");
      }, KEEP_ALIVE_MS);
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket || typeof data !== "string" || data === "") return;
      try {
        this.receive(JSON.parse(data) as ActivitySet);
      } catch {
        // Not ours to read; the next reconnect catches up.
      }
    };
    socket.onclose = () => {
      if (socket === this.socket) this.lost();
    };
  }

  private receive(set: ActivitySet): void {
    if (set.watermark !== undefined && set.watermark !== "") this.watermark = set.watermark;
    if (Array.isArray(set.activities) && set.activities.length > 0) this.listener.activities(set.activities);
  }

  private lost(): void {
    this.drop();
    if (!this.conversation) return;
    this.listener.link("offline");
    window.clearTimeout(this.retry);
    this.retry = window.setTimeout(() => void this.connect(), this.backoff.next());
  }

  private reconnect(): void {
    this.backoff.reset();
    this.drop();
    void this.connect();
  }

  private drop(): void {
    window.clearInterval(this.keepAlive);
    const { socket } = this;
    this.socket = null;
    socket?.close();
  }

  private forget(): void {
    window.clearTimeout(this.retry);
    window.clearTimeout(this.renewal);
    this.drop();
    this.conversation = null;
    this.watermark = null;
    this.kept.clear();
    this.listener.link("idle");
  }

  private renewLater(seconds: number): void {
    window.clearTimeout(this.renewal);
    const wait = Math.min(Math.max(seconds, 60) * 600, 2 ** 31 - 1);
    this.renewal = window.setTimeout(() => {
      this.renew().catch(() => this.renewLater(100));
    }, wait);
  }

  private async renew(): Promise<void> {
    if (!this.conversation) return;
    const renewed = await request<ConversationStarted>("/v3/directline/tokens/refresh", {
      method: "POST",
      token: this.conversation.token,
    });
    if (!this.conversation) return;
    this.conversation = { ...this.conversation, token: renewed.token };
    this.kept.write(this.conversation);
    this.renewLater(renewed.expires_in);
  }
}

function author(conversation: Stored): Activity["from"] {
  return { id: SELF, role: "user", ...(conversation.name ? { name: conversation.name } : {}) };
}

function isOver(failure: Failure): boolean {
  return (
    failure.code === "conversation_closed" || failure.status === 401 || failure.status === 403 ||
    failure.status === 404
  );
}
