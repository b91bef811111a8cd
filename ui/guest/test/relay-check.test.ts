import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RelayCheck } from "../src/call/relay-check";

/** Half of the pair: says what the test wants it to. */
class FakePeer {
  static all: FakePeer[] = [];
  onicecandidate: ((event: { candidate: { candidate: string } | null }) => void) | null = null;
  onicecandidateerror: ((event: { errorCode: number }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  connectionState = "new";
  localDescription: { sdp: string } | null = null;
  heard: unknown[] = [];
  closed = false;

  constructor(readonly configuration: RTCConfiguration) {
    FakePeer.all.push(this);
  }
  createDataChannel(): void {}
  async setLocalDescription(): Promise<void> {
    this.localDescription = { sdp: "a description" };
  }
  async setRemoteDescription(description: unknown): Promise<void> {
    this.heard.push(description);
  }
  async addIceCandidate(candidate: unknown): Promise<void> {
    this.heard.push(candidate);
  }
  close(): void {
    this.closed = true;
  }
  finds(candidate: string): void {
    this.onicecandidate?.({ candidate: { candidate } });
  }
  /** Gathering is over. */
  ends(): void {
    this.onicecandidate?.({ candidate: null });
  }
  becomes(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

const servers = [
  { urls: ["stun:relay.example"] },
  { urls: ["turn:relay.example?transport=udp", "turns:relay.example"], username: "u", credential: "c" },
];
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** A check whose connections have just been made. */
async function running() {
  let changes = 0;
  const check = new RelayCheck(() => (changes += 1));
  check.begin(servers);
  await pass(10_000);
  const [near, far] = FakePeer.all;
  if (!near || !far) throw new Error("no pair was made");
  return { check, near, far, changes: () => changes };
}

beforeEach(() => {
  FakePeer.all = [];
  vi.useFakeTimers();
  vi.stubGlobal("RTCPeerConnection", FakePeer);
  vi.stubGlobal("window", { setTimeout, clearTimeout });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the look at the network", () => {
  it("goes over relays alone, and both halves hear of each other", async () => {
    const { near, far } = await running();
    for (const { configuration } of [near, far]) {
      expect(configuration).toEqual({ iceServers: [servers[1]], iceTransportPolicy: "relay" });
    }
    near.finds("candidate:1 typ relay");
    expect(far.heard).toContainEqual({ candidate: "candidate:1 typ relay" });
    expect([near.heard.length, far.heard.length]).toEqual([1, 2]);
  });

  it("is content when the two find each other, and closes them", async () => {
    const { check, near, far, changes } = await running();
    near.finds("candidate:1 typ relay");
    near.becomes("connected");
    await pass(1);
    expect([near.closed, far.closed, check.blocked, changes()]).toEqual([true, true, false, 0]);
  });

  it("says that the network blocks when no relay answers", async () => {
    const { check, near, far, changes } = await running();
    near.onicecandidateerror?.({ errorCode: 701 });
    near.ends();
    expect(check.blocked).toBe(false);
    far.ends();
    expect([check.blocked, changes()]).toEqual([true, 1]);
  });

  it("gives up after its deadline", async () => {
    const { check } = await running();
    await pass(7_900);
    expect(check.blocked).toBe(false);
    await pass(200);
    expect(check.blocked).toBe(true);
  });

  it("does not blame the network for a relay that refuses, or does not relay to itself", async () => {
    const refusing = await running();
    refusing.near.onicecandidateerror?.({ errorCode: 401 });
    refusing.near.ends();
    refusing.far.ends();
    await pass(20_000);
    expect(refusing.check.blocked).toBe(false);
    FakePeer.all = [];
    const strict = await running();
    strict.near.finds("candidate:1 typ relay");
    strict.far.becomes("failed");
    expect(strict.check.blocked).toBe(false);
  });

  it("says nothing while the connection to the desk is up, and says it when that is lost", async () => {
    const { check, near, far } = await running();
    near.ends();
    far.ends();
    expect(check.blocked).toBe(true);
    check.path(true);
    expect(check.blocked).toBe(false);
    check.path(false);
    expect(check.blocked).toBe(true);
    check.begin(servers);
    expect(check.blocked).toBe(false);
  });

  it("has nothing to look at without a relay", async () => {
    const check = new RelayCheck(() => {});
    check.begin([{ urls: ["stun:relay.example"] }]);
    check.path(true);
    await pass(60_000);
    expect(FakePeer.all).toEqual([]);
  });

  it("stops at once, and what comes later counts no more", async () => {
    const { check, near, far, changes } = await running();
    check.stop();
    expect(near.closed).toBe(false);
    near.ends();
    far.ends();
    await pass(60_000);
    expect([near.closed, far.closed, check.blocked, changes()]).toEqual([true, true, false, 0]);
  });
});
