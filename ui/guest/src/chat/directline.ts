/**
 * A minimal Direct Line 3.0 client: one conversation, a stream that comes back by itself from the last watermark,
 * and a token that is renewed before it ends. The conversation begins with the first message, not with the page.
 */

import type {
  Activity, ActivitySet, ChatEntry, ConversationStarted, WebChatStart,
} from "../../../shared/wire";
import { Failure, request } from "../api";
import { browserKey } from "../browser-key";
import { Backoff } from "../backoff";
import { slot } from "../store";
import { answering } from "./cards";
import type { Outgoing } from "./outgoing";
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
  /** The link that it began with; another one in the same tab begins another chat. */
  entry?: string;
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
  private entered = false;
  private readonly backoff = new Backoff();

  constructor(
    private readonly context: WebChatStart["context"],
    private readonly listener: LineListener,
    private readonly entry: ChatEntry | null = null,
  ) {
    const kept = this.kept.read();
    this.conversation = entry === null || kept?.entry === nameOf(entry) ? kept : null;
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

  /** Begins before anything is written, as a link into the chat wants it. Tried again until it succeeds. */
  async open(name: string | null): Promise<void> {
    if (this.conversation) return;
    this.listener.link("connecting");
    try {
      await this.begin(name);
    } catch {
      this.listener.link("offline");
      window.clearTimeout(this.retry);
      this.retry = window.setTimeout(() => void this.open(name), this.backoff.next());
    }
  }

  async send({ text, client_id, chosen }: Outgoing, name: string | null): Promise<void> {
    const conversation = await this.begin(name);
    const said = chosen ? answering(chosen) : { text, channelData: {} };
    const activity: Activity = {
      type: "message",
      from: author(conversation),
      locale: navigator.language,
      ...said,
      channelData: { ...said.channelData, clientActivityID: client_id },
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

  /** Sends files, in one message. They do not wait for a network that is not there. */
  async upload(files: readonly File[], client_id: string, name: string | null): Promise<void> {
    const conversation = await this.begin(name);
    const form = new FormData();
    const activity: Activity = {
      type: "message",
      from: author(conversation),
      channelData: { clientActivityID: client_id },
    };
    form.append("activity", new Blob([JSON.stringify(activity)], { type: "application/vnd.microsoft.activity" }));
    for (const file of files) form.append("file", file, file.name);
    const id = encodeURIComponent(conversation.id);
    const path = `/v3/directline/conversations/${id}/upload?userId=${SELF}`;
    await request(path, { method: "POST", token: conversation.token, body: form });
  }

  /** Asks for a video call; the conversation begins with that where there is none yet. */
  async requestVideo(name: string | null): Promise<void> {
    const conversation = await this.begin(name);
    await this.post(conversation, { type: "event", name: "video.request", from: author(conversation) });
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
    const start: WebChatStart = { context: this.context };
    if (name) start.name = name;
    // Later chats of this page continue the one that the link began.
    if (this.entry && !this.entered) Object.assign(start, { entry: this.entry, browser_key: browserKey() });
    const { token } = await request<ConversationStarted>("/v1/webchat/tokens", { method: "POST", body: start });
    const begun = await request<ConversationStarted>("/v3/directline/conversations", {
      method: "POST",
      token,
      body: { user: { id: SELF, ...(name ? { name } : {}) }, locale: navigator.language },
    });
    const conversation: Stored = { id: begun.conversationId, token: begun.token || token, name };
    if (this.entry) conversation.entry = nameOf(this.entry);
    this.entered = true;
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

function nameOf(entry: ChatEntry): string {
  return entry.type === "code" ? entry.code : entry.query;
}

function isOver(failure: Failure): boolean {
  return (
    failure.code === "conversation_closed" || failure.status === 401 || failure.status === 403 ||
    failure.status === 404
  );
}
