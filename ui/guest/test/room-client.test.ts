import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RoomEvent } from "../../shared/wire";
import { RoomClient } from "../src/call/room-client";
import { FakeSocket, welcome } from "./fake-socket";

function client() {
  const heard: string[] = [];
  const room = new RoomClient("ws://server/room", {
    event: (event: RoomEvent) => heard.push(event.type),
    greeted: () => {},
    lost: () => heard.push("(lost)"),
    refused: (problem) => heard.push(`(refused ${problem.code})`),
  });
  return { room, heard };
}

beforeEach(() => {
  FakeSocket.all = [];
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("window", Object.assign(new EventTarget(), {
    setTimeout, clearTimeout, setInterval, clearInterval,
  }));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("room client", () => {
  it("opens before the token is there and says hello once it is", () => {
    const { room } = client();
    room.open();
    FakeSocket.last.opens();
    expect(FakeSocket.last.sent).toEqual([]);
    room.join("token");
    expect(FakeSocket.all).toHaveLength(1);
    expect(FakeSocket.last.sent).toEqual([{ type: "hello", token: "token", resume: null }]);
  });

  it("sends ahead of the welcome, but never ahead of the hello", () => {
    const { room } = client();
    const request = { type: "candidate", negotiation: 1, candidate: "a" } as const;
    room.open();
    FakeSocket.last.opens();
    expect([room.sendAhead(request), room.send(request)]).toEqual([false, false]);
    room.join("token");
    expect([room.sendAhead(request), room.send(request)]).toEqual([true, false]);
    expect(FakeSocket.last.sent.map(({ type }) => type)).toEqual(["hello", "candidate"]);
    const before = room.line;
    room.renew();
    expect([room.sendAhead(request), room.line === before]).toEqual([false, false]);
  });

  it("comes back with the resume token after a drop", () => {
    const { room, heard } = client();
    room.join("token");
    FakeSocket.last.opens();
    FakeSocket.last.says(welcome("one"));
    FakeSocket.last.close();
    expect(heard).toEqual(["welcome", "(lost)"]);
    vi.advanceTimersByTime(400);
    FakeSocket.last.opens();
    expect(FakeSocket.last.sent[0]).toEqual({ type: "hello", token: "token", resume: "one" });
  });

  it("asks for a new offer by coming without it", () => {
    const { room } = client();
    room.join("token");
    FakeSocket.last.opens();
    FakeSocket.last.says(welcome("one"));
    room.renew();
    FakeSocket.last.opens();
    expect(FakeSocket.last.sent[0]).toMatchObject({ resume: null });
  });

  it("sends heartbeats and gives a silent socket up", () => {
    const { room, heard } = client();
    room.join("token");
    FakeSocket.last.opens();
    FakeSocket.last.says(welcome("one"));
    vi.advanceTimersByTime(4_100);
    expect(FakeSocket.last.sent.filter(({ type }) => type === "heartbeat")).toHaveLength(2);
    FakeSocket.last.says({ type: "heartbeat" });
    vi.advanceTimersByTime(5_900);
    expect(heard).toEqual(["welcome"]);
    vi.advanceTimersByTime(200);
    expect(heard).toEqual(["welcome", "(lost)"]);
  });

  it("stops at the end of the call and when its place is refused", () => {
    for (const [event, last] of [
      [{ type: "ended", reason: "agent_hung_up" }, "ended"],
      [{ type: "problem", code: "room_refused", message: "m", next_step: "n" }, "(refused room_refused)"],
    ] as const) {
      const { room, heard } = client();
      room.join("token");
      FakeSocket.last.opens();
      FakeSocket.last.says(welcome("one"));
      FakeSocket.last.says(event);
      expect(heard.at(-1)).toBe(last);
      const sockets = FakeSocket.all.length;
      vi.advanceTimersByTime(60_000);
      expect(FakeSocket.all).toHaveLength(sockets);
    }
  });

  it("ignores what it cannot read", () => {
    const { room, heard } = client();
    room.join("token");
    FakeSocket.last.opens();
    FakeSocket.last.says("{");
    FakeSocket.last.says("[]");
    FakeSocket.last.says("null");
    expect(heard).toEqual([]);
  });
});
