import { describe, expect, it } from "vitest";
import { connectors, letters } from "../backend/mock/connectors";
import { mockBackend } from "../backend/mock/backend";
import {
  asSettings,
  callsUs,
  entered,
  faultyField,
  isConnectorName,
  kindChannel,
  kindName,
  lettersOf,
  letterWord,
  makesRooms,
  nextStep,
  offMeans,
} from "./connectors";
import { Desk } from "./desk.svelte";

async function deskIn(scenario: string): Promise<Desk> {
  const desk = new Desk(mockBackend(scenario));
  await desk.start();
  return desk;
}

describe("connectors in words", () => {
  it("are called what their platforms are called, and by their own names where nobody knows them", () => {
    expect([kindName("whatsapp"), kindName("carrier-pigeon")]).toEqual(["WhatsApp Business", "carrier-pigeon"]);
    expect([kindChannel("acs"), kindChannel("carrier-pigeon")]).toEqual(["azure", "webhook"]);
    expect([callsUs("webhook"), callsUs("direct-line"), callsUs("webex-instant-connect")]).toEqual([true, false, false]);
    expect([makesRooms("webex-instant-connect"), makesRooms("webex-connect")]).toEqual([true, false]);
    expect(offMeans("webex-instant-connect")).not.toEqual(offMeans("webhook"));
  });

  it("say what to do about every fault, also about one that only the platform knows", () => {
    expect(nextStep("401")).toMatch(/secret/);
    expect(nextStep("503")).toMatch(/status page/);
    expect(nextStep("answer_incomplete")).toMatch(/address/);
    expect(nextStep("sms_not_sent")).toMatch(/organisation/);
    expect(nextStep("busy")).toMatch(/Nothing has to be done/);
    expect(nextStep("131047")).toMatch(/131047.*documentation/);
  });

  it("have letters of every kind, of one connector or all", () => {
    expect(lettersOf(letters(), null)).toHaveLength(3);
    expect(lettersOf(letters(), "flex").map(({ id }) => id)).toEqual(["l3"]);
    expect(letters().map(({ kind }) => letterWord(kind))).toEqual(["Message", "Video link", "Context variables"]);
  });
});

describe("the desk of an admin", () => {
  it("shows connectors to admins, letters to supervisors, and nothing of them to agents", async () => {
    const [admin, supervisor, agent] = [await deskIn("connectors"), await deskIn("letters"), await deskIn("chat")];
    for (const desk of [admin, supervisor, agent]) desk.go("connectors");
    expect([admin.view, supervisor.view, agent.view]).toEqual(["connectors", "connectors", "conversations"]);
    expect([admin.administers, supervisor.administers]).toEqual([true, false]);
  });

  it("says what a test came to, and which conversations stand in the way of a switch", async () => {
    const desk = await deskIn("connectors");
    await desk.command({ type: "read_connectors" });
    expect(desk.model.connectors?.map(({ state }) => state.type)).toContain("failing");
    expect(desk.busy).toBe(null);
    await desk.command({ type: "test_connector", connector: "sms" });
    expect(desk.model.connectorTests["sms"]?.test.works).toBe(true);
    const refused = await desk.attempt({ type: "switch_connector", connector: "sms", on: false });
    expect([refused?.code, refused?.conversations?.length]).toEqual(["connector_in_use", 3]);
    expect(await desk.attempt({ type: "switch_connector", connector: "shop", on: false })).toBe(null);
    expect(desk.model.connectors?.find(({ name }) => name === "shop")?.state.type).toBe("disabled");
  });

  it("takes a letter that was dealt with off the list", async () => {
    const desk = await deskIn("letters");
    await desk.command({ type: "resend_letter", letter: "l1" });
    await desk.command({ type: "read_dead_letters" });
    expect(desk.model.letters?.map(({ id }) => id)).toEqual(["l2", "l3"]);
  });

  it("leaves nothing of it to whoever signs in next", async () => {
    const desk = await deskIn("connectors");
    await desk.command({ type: "read_connectors" });
    await desk.command({ type: "sign_out" });
    expect(desk.model.connectors).toBe(null);
  });
});

describe("the form of a connector", () => {
  const problem = (message: string) => ({ code: "settings_refused" as const, message, next_step: "" });

  it("begins with what stands there, but never with what is hidden", () => {
    const [first] = connectors();
    const settings = [
      { name: "secret", value: "env:NEW" },
      { name: "secret", value: "env:OLD" },
      { name: "token", value: "(hidden)" },
    ];
    expect(entered(first === undefined ? null : { ...first, settings })).toEqual({ secret: "env:NEW\nenv:OLD" });
    expect(entered(null)).toEqual({});
  });

  it("sends what belongs to the kind and is not empty", () => {
    const field = (name: string, shape: "text" | "secrets") => ({ name, what: "", shape, needed: true, default: null });
    const kind = { name: "webhook", only: null, what: "", fields: [field("url", "text"), field("secret", "secrets"), field("note", "text")] };
    const values = { url: " https://a/ ", secret: "env:NEW\n\n env:OLD ", note: "  ", colour: "red" };
    expect(asSettings(kind, values)).toEqual({
      kind: "webhook",
      settings: { url: ["https://a/"], secret: ["env:NEW", "env:OLD"] },
    });
  });

  it("finds the field that a refusal names, and knows a name from an address", () => {
    expect(faultyField(problem("[connectors.shop] `url` has to be an address."))).toBe("url");
    expect(faultyField(problem("secret is missing."))).toBe("secret");
    expect(faultyField(problem("Something else."))).toBe(null);
    expect([isConnectorName("whatsapp-spain"), isConnectorName("a/b"), isConnectorName("")]).toEqual([true, false, false]);
  });
});
