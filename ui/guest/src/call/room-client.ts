/**
 * The signalling socket: hello, heartbeat, silence, and coming back with the resume token. It may drop at any
 * time without harm to the picture; whatever matters is said again after the next welcome.
 */

import type { ErrorCode, Problem, RoomEvent, RoomRequest } from "../../../shared/wire";
import { Backoff } from "../backoff";

type Welcome = Extract<RoomEvent, { type: "welcome" }>;

export interface RoomListener {
  event(event: RoomEvent): void;
  /** The token was shown on a new socket: what need not wait for the welcome can be said behind it. */
  greeted(): void;
  /** The socket is gone; it reconnects by itself. */
  lost(): void;
  /** The room refuses this token. */
  refused(problem: Problem): void;
}

/** After these the room has no place for this token. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  "room_refused", "room_ended", "session_expired", "invite_in_use", "invite_expired", "invite_revoked",
]);

/** Between opening and the first frame the server waits this long; we only open when the token is near. */
const WELCOME_MS = 8_000;

let lines = 0;

export class RoomClient {
  private socket: WebSocket | null = null;
  private token: string | null = null;
  private resume: string | null = null;
  private welcomed = false;
  private greeted = false;
  /** The socket's number, different for each in this page: a caller knows by it what was said on this one. */
  line = 0;
  private closed = false;
  private heartbeat: number | undefined;
  private silence: number | undefined;
  private retry: number | undefined;
  private silenceMs = WELCOME_MS;
  private readonly backoff = new Backoff();
  private readonly onOnline = () => this.retryNow();

  constructor(
    private readonly url: string,
    private readonly listener: RoomListener,
  ) {
    window.addEventListener("online", this.onOnline);
  }

  /** Opens the socket before the token is there, so that its handshake runs beside the redeem. */
  open(): void {
    if (!this.socket && !this.closed) this.connect();
  }

  join(token: string): void {
    this.token = token;
    // A socket that has shown another token is of no use any more.
    if (this.greeted) this.drop();
    if (this.socket?.readyState === WebSocket.OPEN) this.hello();
    else this.open();
  }

  /** Says hello as a new peer connection, which makes the desk send a new offer. */
  renew(): void {
    this.resume = null;
    this.drop();
    this.connect();
  }

  /** Sends now or not at all; what must survive a drop is repeated by the caller after `welcome`. */
  send(request: RoomRequest): boolean {
    if (!this.welcomed || this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(request));
    return true;
  }

  /** The same without waiting for the welcome, which takes a round trip: the room reads it right after the hello. */
  sendAhead(request: RoomRequest): boolean {
    if (!this.greeted || this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(request));
    return true;
  }

  close(): void {
    this.closed = true;
    window.removeEventListener("online", this.onOnline);
    window.clearTimeout(this.retry);
    this.drop();
  }

  private connect(): void {
    window.clearTimeout(this.retry);
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.line = ++lines;
    this.welcomed = this.greeted = false;
    this.silenceMs = WELCOME_MS;
    this.listen();
    socket.onopen = () => {
      if (socket === this.socket && this.token) this.hello();
    };
    socket.onmessage = (message) => {
      if (socket === this.socket) this.receive(message.data);
    };
    socket.onclose = () => {
      if (socket === this.socket) this.gone();
    };
  }

  private hello(): void {
    if (!this.token || !this.socket) return;
    this.greeted = true;
    const request: RoomRequest = { type: "hello", token: this.token, resume: this.resume };
    this.socket.send(JSON.stringify(request));
    this.listener.greeted();
  }

  private receive(data: unknown): void {
    this.listen();
    const event = parse(data);
    if (!event) return;
    switch (event.type) {
      case "welcome":
        this.welcome(event);
        break;
      case "problem":
        if (FINAL.has(event.code)) {
          const { type: _, ...problem } = event;
          this.close();
          this.listener.refused(problem);
          return;
        }
        break;
      case "ended":
        this.listener.event(event);
        this.close();
        return;
      case "heartbeat":
        return;
      case "ice":
      case "joined":
      case "presence":
      case "offer":
      case "answer":
      case "candidate":
      case "media":
      case "attempt":
        break;
    }
    this.listener.event(event);
  }

  private welcome(event: Welcome): void {
    this.welcomed = true;
    this.resume = event.resume;
    this.silenceMs = event.silence_ms;
    this.backoff.reset();
    window.clearInterval(this.heartbeat);
    this.heartbeat = window.setInterval(() => this.send({ type: "heartbeat" }), event.heartbeat_ms);
    this.listen();
  }

  private listen(): void {
    window.clearTimeout(this.silence);
    this.silence = window.setTimeout(() => this.gone(), this.silenceMs);
  }

  private gone(): void {
    const wasWelcomed = this.welcomed;
    this.drop();
    if (this.closed) return;
    if (wasWelcomed) this.listener.lost();
    this.retry = window.setTimeout(() => this.connect(), this.backoff.next());
  }

  private drop(): void {
    window.clearInterval(this.heartbeat);
    window.clearTimeout(this.silence);
    this.welcomed = this.greeted = false;
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private retryNow(): void {
    if (this.closed || this.socket) return;
    this.backoff.reset();
    this.connect();
  }
}

export function roomUrl(): string {
  return `${location.origin.replace(/^http/, "ws")}/v1/rooms/socket`;
}

function parse(data: unknown): RoomEvent | null {
  if (typeof data !== "string") return null;
  try {
    const event = JSON.parse(data) as RoomEvent;
    return typeof event?.type === "string" ? event : null;
  } catch {
    return null;
  }
}
