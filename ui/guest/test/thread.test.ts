import { describe, expect, it } from "vitest";
import type { Activity } from "../../shared/wire";
import { Thread, entryOf } from "../src/chat/thread";

const message = (seq: number, more: Partial<Activity> = {}): Activity => ({
  type: "message",
  id: `c|${String(seq).padStart(7, "0")}`,
  timestamp: new Date(1_700_000_000_000 + seq * 1000).toISOString(),
  from: { id: "a", name: "Maria", role: "bot" },
  text: `text ${seq}`,
  ...more,
});

describe("thread", () => {
  it("orders by time and sequence and shows each activity once", () => {
    const thread = new Thread();
    expect(thread.add(message(3))).toBe(true);
    expect(thread.add(message(1))).toBe(true);
    expect(thread.add(message(3))).toBe(false);
    expect(thread.all().map(({ seq }) => seq)).toEqual([1, 3]);
  });

  it("knows its own message by role and remembers its client id", () => {
    const thread = new Thread();
    thread.add(message(1, { from: { id: "x", role: "user" }, channelData: { clientActivityID: "k" } }));
    expect(thread.all()[0]).toMatchObject({ kind: "mine", client_id: "k" });
    expect(thread.hasClientId("k")).toBe(true);
    expect(thread.hasClientId("other")).toBe(false);
  });

  it("turns an invite into a card and a history line into an event", () => {
    const invite = { type: "invite", url: "/j/abc", code: "abc", agent_name: "Maria", expires_at: 5 };
    expect(entryOf(message(1, { channelData: { sightline: invite } }))).toMatchObject({ kind: "invite", invite });
    expect(entryOf(message(2, { channelData: { sightline: { type: "event" } } }))).toMatchObject({ kind: "event" });
  });

  it("offers only the newest invite, until the history says that it is over", () => {
    const thread = new Thread();
    const invite = (code: string) => ({ sightline: { type: "invite", url: "", code, agent_name: "Maria", expires_at: 5 } });
    expect(thread.openInvite()).toBeNull();
    thread.add(message(1, { channelData: invite("a") }));
    thread.add(message(2, { channelData: invite("b") }));
    thread.add(message(3));
    expect(thread.openInvite()).toBe("b");
    thread.add(message(4, { channelData: { sightline: { type: "event" } } }));
    expect(thread.openInvite()).toBeNull();
  });

  it("leaves out what it cannot show", () => {
    expect(entryOf(message(1, { type: "typing" }))).toBeNull();
    expect(entryOf(message(1, { text: "" }))).toBeNull();
    const { id: _, ...unnamed } = message(1);
    expect(entryOf(unnamed)).toBeNull();
  });
});

describe("files", () => {
  const own = "https://chat.example/v3/directline/conversations/t/files/f?e=1&t=k";
  const shared = (attachments: Activity["attachments"], channelData?: unknown) => {
    const entry = entryOf({
      type: "message", id: "t|0000001", from: { id: "bot", role: "bot" }, attachments, channelData,
    } as Activity);
    return entry?.kind === "theirs" ? entry.files : null;
  };

  it("takes ours from the host of the page, with their sizes", () => {
    const files = shared([{ contentType: "image/png", contentUrl: own, name: "a.png" }], { attachmentSizes: [2048] });
    expect(files).toEqual([
      { name: "a.png", url: "/v3/directline/conversations/t/files/f?e=1&t=k", picture: true, size: 2048 },
    ]);
  });

  it("links others, and shows no picture of theirs by itself", () => {
    const url = "https://elsewhere.example/a.png";
    expect(shared([{ contentType: "image/png", contentUrl: url }])).toEqual([
      { name: "File", url, picture: false, size: null },
    ]);
  });

  it.each(["javascript:alert(1)", "http://elsewhere.example/a.png", "data:text/html,x", "nonsense"])(
    "never links %s", (contentUrl) => {
      expect(shared([{ contentType: "image/png", contentUrl, name: "a" }])).toEqual([
        { name: "a", url: null, picture: false, size: null },
      ]);
    },
  );

  it("shows nothing of a message that is only a card of a kind that the server does not send", () => {
    expect(shared([{ contentType: "application/vnd.microsoft.card.audio", content: {} }])).toBeNull();
  });
});
