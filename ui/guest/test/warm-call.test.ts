import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Call } from "../src/call/call";
import type { LocalMedia } from "../src/call/local-media";
import { seat } from "../src/call/seat";
import { FakeSocket, welcome } from "./fake-socket";

/** A browser's peer connection, as far as one page's side of a call needs it. */
class FakePeer {
  static all: FakePeer[] = [];
  onicecandidate: ((event: { candidate: { candidate: string } | null }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  ontrack: ((event: object) => void) | null = null;
  connectionState = "new";
  localDescription: { sdp: string } | null = null;
  offered = "";
  transceivers: { direction: string; receiver: { track: { kind: string } }; sender: FakeSender }[] = [];

  constructor(readonly configuration: RTCConfiguration) {
    FakePeer.all.push(this);
  }
  async setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    this.offered = sdp;
    this.transceivers = ["audio", "video", "video"].map((kind) => ({
      direction: "recvonly", receiver: { track: { kind } }, sender: new FakeSender(),
    }));
  }
  async createAnswer(): Promise<{ sdp: string }> {
    return { sdp: `answer to ${this.offered}` };
  }
  async setLocalDescription(answer: { sdp: string } | null = null): Promise<void> {
    this.localDescription = answer;
  }
  createDataChannel(): void {}
  getTransceivers() {
    return this.transceivers;
  }
  getSenders() {
    return this.transceivers.map(({ sender }) => sender);
  }
  close(): void {
    this.connectionState = "closed";
  }
  becomes(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
  /** The section's remote track is there, as it is once the offer has been read. */
  receives(section: number): void {
    const transceiver = this.transceivers[section]!;
    this.ontrack?.({ track: { ...transceiver.receiver.track, addEventListener: () => {} }, transceiver });
  }
  get sends(): unknown[] {
    return this.transceivers.map(({ sender }) => sender.track);
  }
  static get last(): FakePeer {
    return FakePeer.all.at(-1)!;
  }
}

class FakeSender {
  track: object | null = null;
  async replaceTrack(track: object | null): Promise<void> {
    this.track = track;
  }
  private encoding: { maxBitrate?: number } = {};
  getParameters() {
    return { encodings: [{ ...this.encoding }] };
  }
  async setParameters({ encodings }: { encodings: [{ maxBitrate?: number }] }): Promise<void> {
    this.encoding = encodings[0];
  }
  get cap(): number | null {
    return this.encoding.maxBitrate ?? null;
  }
}

/** Devices: nothing is captured until `start`. */
function devices() {
  const media = {
    outgoing: { audio: null as object | null, video: null as object | null },
    state: { microphone: false, camera: false, screen: false },
    started: 0,
    stopped: 0,
    async start() {
      media.started += 1;
      media.outgoing = { audio: { kind: "audio" }, video: { kind: "video" } };
      media.state = { microphone: true, camera: true, screen: false };
    },
    stop() {
      media.stopped += 1;
    },
  };
  return media;
}

const offer = (negotiation: number) => ({ negotiation, sdp: `offer ${negotiation}` });
const answer = (negotiation: number) => ({ type: "answer", negotiation, sdp: `answer to offer ${negotiation}` });
const warmed = { room_token: "warm-token", offer: offer(1), ice_servers: [], ice_policy: "relay_only" };
const redeemed = {
  room: "r", room_token: "full-token", agent_name: "Maria", company: "Acme", offer: offer(2), ice_servers: [], ice_policy: "all",
};
const refusal = (code: string) => ({ code, message: "No.", next_step: "Ask." });

/** What the server says to each request, in turn; requests wait for an answer that is not there yet. */
class Server {
  asked: string[] = [];
  private readonly waiting: ((answer: Response) => void)[] = [];
  fetch = (path: string): Promise<Response> => {
    this.asked.push(path.split("/").at(-1)!);
    return new Promise((resolve) => this.waiting.push(resolve));
  };
  async answers(body: unknown, status = 200): Promise<void> {
    this.waiting.shift()!(new Response(JSON.stringify(body), { status }));
    await settled();
  }
}

/** Promises that wait for nothing but each other have done so. */
const settled = () => vi.advanceTimersByTimeAsync(0);

let server: Server;

function call() {
  const media = devices();
  const video = {
    srcObject: null as unknown,
    plays: 0,
    async play() {
      video.plays += 1;
    },
    addEventListener: () => {},
    removeEventListener: () => {},
  };
  const states: string[] = [];
  const made = new Call("code", media as unknown as LocalMedia, video as unknown as HTMLVideoElement, ({ state }) => {
    if (states.at(-1) !== state.type) states.push(state.type);
  });
  return { call: made, media, video, states };
}

/** A call that is connected ahead of the tap. */
async function warm() {
  const made = call();
  void made.call.warm();
  await server.answers(warmed);
  FakeSocket.last.opens();
  FakeSocket.last.says(welcome("resume"));
  FakePeer.last.becomes("connected");
  return { ...made, socket: FakeSocket.last, peer: FakePeer.last };
}

const tap = { agent: "Maria", company: "Acme", sound: "call" as const };
const wish = { camera: true, microphone: true };
const kinds = (socket: FakeSocket) => socket.sent.map(({ type }) => type).filter((type) => type !== "heartbeat");

beforeEach(() => {
  server = new Server();
  FakeSocket.all = [];
  FakePeer.all = [];
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("RTCPeerConnection", FakePeer);
  vi.stubGlobal("MediaStream", class { addTrack(): void {} });
  vi.stubGlobal("fetch", server.fetch);
  vi.stubGlobal("location", { origin: "https://desk.example" });
  vi.stubGlobal("document", Object.assign(new EventTarget(), { documentElement: { dataset: {} }, hidden: false }));
  vi.stubGlobal("window", Object.assign(new EventTarget(), { setTimeout, clearTimeout, setInterval, clearInterval }));
  seat.clear();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a call ahead of the tap", () => {
  it("answers the waiting offer under the stricter policy, and captures, sends and shows nothing", async () => {
    const { socket, peer, media, video, states } = await warm();
    expect(server.asked).toEqual(["warm"]);
    expect(socket.sent).toEqual([
      { type: "hello", token: "warm-token", resume: null },
      answer(1),
    ]);
    expect(peer.configuration.iceTransportPolicy).toBe("relay");
    expect(peer.transceivers.map(({ direction }) => direction)).toEqual(["sendrecv", "sendrecv", "sendrecv"]);
    expect(peer.sends).toEqual([null, null, null]);
    expect([media.started, video.srcObject, states, seat.read()]).toEqual([0, null, ["ready"], null]);
  });

  it("gets the player ready with the tracks, which plays with the tap, and lets go of it with the connection", async () => {
    const { call: made, peer, video } = await warm();
    peer.receives(1);
    const stream = video.srcObject;
    expect([stream === null, video.plays]).toEqual([false, 0]);
    made.cool();
    expect(video.srcObject).toBe(null);
    void made.warm();
    await server.answers(warmed);
    FakePeer.last.receives(1);
    const next = video.srcObject;
    expect([next === null, next === stream]).toEqual([false, false]);
    void made.join(tap, wish);
    expect([video.srcObject === next, video.plays]).toEqual([true, 1]);
  });

  it("caps the pictures that will come, and leaves the sound to its own rate", async () => {
    const { peer } = await warm();
    peer.becomes("connected");
    expect(peer.sends).toEqual([null, null, null]);
    expect(peer.transceivers.map(({ sender }) => sender.cap)).toEqual([null, 2_500_000, 2_500_000]);
  });

  it("answers behind the hello, on each socket until the connection is up, and each address once on each", async () => {
    void call().call.warm();
    await server.answers(warmed);
    const peer = FakePeer.last;
    const finds = (candidate: string) => peer.onicecandidate?.({ candidate: { candidate } });
    const address = (candidate: string) => ({ type: "candidate", negotiation: 1, candidate });
    finds("a");
    const first = FakeSocket.last;
    first.opens();
    finds("b");
    // Before the room has said a word.
    expect(first.sent.slice(1)).toEqual([answer(1), address("a"), address("b")]);
    first.close();
    await vi.advanceTimersByTimeAsync(1_000);
    const second = FakeSocket.last;
    second.opens();
    second.says(welcome("resume"));
    expect(second.sent.slice(1)).toEqual([answer(1), address("a"), address("b")]);
    peer.becomes("connected");
    second.close();
    await vi.advanceTimersByTimeAsync(1_000);
    FakeSocket.last.opens();
    expect(kinds(FakeSocket.last)).toEqual(["hello"]);
  });

  it("asks again while the server cannot be reached, and no more once it refuses", async () => {
    const { call: made } = call();
    void made.warm();
    await server.answers(refusal("internal"), 503);
    await vi.advanceTimersByTimeAsync(400);
    expect(server.asked).toEqual(["warm", "warm"]);
    await server.answers(refusal("invite_in_use"), 409);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.asked).toEqual(["warm", "warm"]);
    expect([made.state.type, FakePeer.all]).toEqual(["ready", []]);
  });

  it("lets go of everything when the page is put away, and takes no answer that comes too late", async () => {
    const { call: made, socket, peer } = await warm();
    made.cool();
    expect([socket.readyState, peer.connectionState]).toEqual([3, "closed"]);
    void made.warm();
    made.cool();
    await server.answers(warmed);
    expect(FakePeer.all).toEqual([peer]);
    // Back before the page: a token and a connection of its own.
    void made.warm();
    await server.answers({ ...warmed, room_token: "another" });
    FakeSocket.last.opens();
    expect(FakeSocket.last.sent).toEqual([{ type: "hello", token: "another", resume: null }, answer(1)]);
    expect(FakePeer.all).toHaveLength(2);
  });

  it("gives way to a newer page without an end, and still joins when it is tapped", async () => {
    const { call: made, socket, peer } = await warm();
    socket.says({ type: "problem", ...refusal("room_refused") });
    expect([made.state.type, peer.connectionState]).toEqual(["ready", "closed"]);
    void made.join(tap, wish);
    expect(server.asked).toEqual(["warm", "redeem"]);
  });

  it("looks at the network only when it is connected or has had its time, and never beside the tap", async () => {
    const relayed = { ...warmed, ice_servers: [{ urls: ["turn:relay.example"], username: "u", credential: "c" }] };
    const { call: made } = call();
    void made.warm();
    await server.answers(relayed);
    FakeSocket.last.opens();
    FakeSocket.last.says(welcome("resume"));
    const peer = FakePeer.last;
    await vi.advanceTimersByTimeAsync(3_000);
    expect(FakePeer.all).toEqual([peer]);
    peer.becomes("connected");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(FakePeer.all).toEqual([peer]);
    await vi.advanceTimersByTimeAsync(1_000);
    const pair = FakePeer.all.slice(1);
    expect(pair.map(({ configuration }) => configuration.iceTransportPolicy)).toEqual(["relay", "relay"]);
    void made.join(tap, wish);
    await vi.advanceTimersByTimeAsync(1);
    expect(pair.map(({ connectionState }) => connectionState)).toEqual(["closed", "closed"]);
    expect([peer.connectionState, made.network.blocked]).toEqual(["connected", false]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(FakePeer.all).toEqual([peer, ...pair]);
  });

  it("is over with the invitation", async () => {
    const { socket, peer, states } = await warm();
    socket.says({ type: "ended", reason: "cancelled" });
    expect(states.at(-1)).toBe("ended");
    expect(peer.connectionState).toBe("closed");
  });
});

describe("the tap", () => {
  it("is one frame over the open socket, and the tracks go into the waiting connection", async () => {
    const { call: made, socket, peer, media, video } = await warm();
    socket.sent = [];
    void made.join(tap, wish);
    expect(kinds(socket)).toEqual(["join"]);
    expect(video.srcObject).not.toBe(null);
    await settled();
    made.mediaChanged();
    expect(peer.sends).toEqual([media.outgoing.audio, media.outgoing.video, null]);
    expect(seat.read()).toBe(null);
    socket.says({ type: "joined" });
    expect(seat.read()).toMatchObject({ code: "code", room: "r", token: "warm-token", agent: "Maria" });
    expect(socket.sent.find(({ type }) => type === "media")).toMatchObject({ microphone: true, camera: true });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.asked).toEqual(["warm"]);
    expect(FakePeer.all).toEqual([peer]);
  });

  it("is made again over HTTP when the room does not answer", async () => {
    const { call: made } = await warm();
    void made.join(tap, wish);
    await vi.advanceTimersByTimeAsync(2_900);
    expect(server.asked).toEqual(["warm"]);
    await vi.advanceTimersByTimeAsync(200);
    expect(server.asked).toEqual(["warm", "redeem"]);
    await server.answers(redeemed);
    expect(seat.read()).toMatchObject({ token: "full-token" });
    expect(FakePeer.last.offered).toBe("offer 2");
  });

  it("does without what is not warm yet, and an answer about that comes too late", async () => {
    const { call: made, media } = call();
    void made.warm();
    void made.join(tap, wish);
    expect(server.asked).toEqual(["warm", "redeem"]);
    expect(media.started).toBe(1);
    await server.answers(warmed);
    expect(FakePeer.all).toEqual([]);
    await server.answers(redeemed);
    FakeSocket.last.opens();
    expect(FakeSocket.last.sent).toEqual([{ type: "hello", token: "full-token", resume: null }, answer(2)]);
    expect(FakePeer.last.configuration.iceTransportPolicy).toBe("all");
    expect(made.state.type).toBe("connecting");
  });

  it("waits for the welcome that is on its way, and does not redeem beside it", async () => {
    const { call: made } = call();
    void made.warm();
    await server.answers(warmed);
    const socket = FakeSocket.last;
    socket.opens();
    void made.join(tap, wish);
    expect(kinds(socket)).toEqual(["hello", "answer"]);
    socket.says(welcome("first"));
    expect(kinds(socket)).toContain("join");
    socket.says({ type: "joined" });
    expect(seat.read()).toMatchObject({ token: "warm-token" });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.asked).toEqual(["warm"]);
  });

  it("does not mind what the room says to the token of before the tap", async () => {
    const { call: made, socket } = await warm();
    void made.join(tap, wish);
    await vi.advanceTimersByTimeAsync(3_100);
    expect(server.asked).toEqual(["warm", "redeem"]);
    socket.says({ type: "problem", ...refusal("invite_in_use") });
    expect(made.state.type).not.toBe("problem");
    await server.answers(redeemed);
    expect(seat.read()).toMatchObject({ token: "full-token" });
  });

  it("says join again when the socket was replaced in between", async () => {
    const { call: made, socket } = await warm();
    void made.join(tap, wish);
    socket.close();
    await vi.advanceTimersByTimeAsync(400);
    FakeSocket.last.opens();
    FakeSocket.last.says(welcome("again"));
    expect(kinds(FakeSocket.last).slice(0, 2)).toEqual(["hello", "join"]);
    FakeSocket.last.says({ type: "joined" });
    expect(made.state.type).toBe("connecting");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.asked).toEqual(["warm"]);
  });
});
