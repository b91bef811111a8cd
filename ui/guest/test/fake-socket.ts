/** A WebSocket whose other end is the test. */

export class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: { type: string; [key: string]: unknown }[] = [];
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.readyState = 3;
    this.onclose?.();
  }
  opens(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  says(event: unknown): void {
    this.onmessage?.({ data: typeof event === "string" ? event : JSON.stringify(event) });
  }
  static get last(): FakeSocket {
    return FakeSocket.all.at(-1)!;
  }
}

export const welcome = (resume: string) => ({
  type: "welcome", connection: "c", resume, room: "r", you: "customer", other: { place: "absent" },
  other_media: { microphone: false, camera: false, screen: false }, offer: null, heartbeat_ms: 2_000, silence_ms: 6_000,
});
