import type {
  CallView,
  Conversation,
  ConversationId,
  DeskCommand,
  DeskEvent,
  DeviceList,
  Message,
  PendingMessage,
  Problem,
} from "$wire";
import type { Backend } from "../backend";
import { apply, initialModel, passes, type DeskModel } from "../../state/model";
import { MockConnectors } from "./connectors";
import { earlierPage } from "./earlier";
import { ME } from "./people";
import { MockPictures } from "./picture";
import { MockReadiness, ready } from "./readiness";
import { colleagues, MockWall } from "./wall";
import { presence, targets } from "./routing";
import { call, escalation, quality, screens } from "./calls";
import { devices, scenarios, signedIn } from "./scenarios";

/** A controller in the page, for work on the screens: answers commands as the real one does. */
export function mockBackend(scenario: string): Backend {
  // `picture=none` shows what the page draws where the pictures go; a canvas needs no other painter.
  const drawn = typeof document !== "undefined" && !/picture=none|socket=/.test(location.search);
  return new MockBackend(scenario, drawn ? new MockPictures() : null);
}

const fail = (code: Problem["code"], message: string, next_step: string): Promise<never> =>
  Promise.reject({ code, message, next_step } satisfies Problem);

function stored({ client_id, text, file }: PendingMessage): Message["body"] {
  if (file === undefined) return { type: "text", text };
  const { name, kind, size } = file;
  return {
    type: "files",
    text: `[${kind}] ${name}`,
    words: "",
    files: [{ name, kind, size, place: { type: "here", id: client_id } }],
  };
}

class MockBackend implements Backend {
  #handler: (event: DeskEvent) => void = () => {};
  #model: DeskModel = initialModel;
  #count = 0;
  readonly #readiness = new MockReadiness((event) => this.#emit(event));
  readonly #wall = new MockWall(
    (event) => this.#emit(event),
    (id, change) => {
      if (this.#model.conversations[id] !== undefined) this.#edit(id, change);
    },
  );
  readonly #connectors = new MockConnectors((event) => this.#emit(event));

  constructor(
    readonly scenario: string,
    readonly picture: MockPictures | null,
  ) {}

  listen(handler: (event: DeskEvent) => void): Promise<void> {
    this.#handler = handler;
    return Promise.resolve();
  }

  /** Three steps that a person can see; the real desk judges a file by its bytes, here it is its name. */
  async sendFile(id: ConversationId, file: File): Promise<void> {
    if (/\.(exe|html|svg)$/u.test(file.name)) {
      return fail(
        "file_refused",
        `${file.name} is of a kind that is not taken, or not what it says.`,
        "Send a picture, a PDF, a text, an office document, sound or video.",
      );
    }
    this.#count += 1;
    const pending = { name: file.name, kind: file.type, size: file.size, sent: 0 };
    this.#pend({ ...this.#blank(id), text: "", file: pending });
    const clientId = `c${this.#count}`;
    if (!this.#online()) return;
    const half = () => this.#model.pending.find((m) => m.client_id === clientId);
    setTimeout(() => {
      const message = half();
      if (message !== undefined) this.#pend({ ...message, file: { ...pending, sent: Math.floor(file.size * 0.6) } });
    }, 200);
    setTimeout(() => {
      const message = half();
      if (message !== undefined) this.#store(message);
    }, 1_200);
  }

  async send(command: DeskCommand): Promise<void> {
    if (this.#readiness.send(command)) return;
    const supervised = this.#wall.send(command);
    if (supervised !== null) return supervised;
    const asked = this.#connectors.send(command);
    if (asked !== null) return asked;
    switch (command.type) {
      case "attach":
        return this.#attach();
      case "sign_in":
        if (!command.password) return fail("wrong_credentials", "E-mail or password is not right.", "Check both and try again.");
        this.#emit(signedIn(), { type: "devices", list: devices });
        scenarios["waiting"]?.().forEach((event) => this.#emit(event));
        return this.#testOnce();
      case "sign_out":
        return scenarios["signed-out"]?.().forEach((event) => this.#emit(event));
      case "take_over":
        return this.#emit(signedIn());
      case "accept":
        this.#emit({ type: "assignment", assignment: null });
        this.#edit(command.conversation, {
          state: "active",
          owner: ME.id,
          owner_name: ME.name,
          state_since: Date.now(),
        });
        return this.#autoVideo(command.conversation);
      case "decline":
        return this.#emit({ type: "assignment", assignment: null }, { type: "paused", why: "declined" });
      case "back_again":
        return this.#emit({ type: "paused", why: null });
      case "choose_presence":
        return this.#emit(
          { type: "paused", why: null },
          { type: "presence", presence: presence(command.chosen) },
        );
      case "find_targets":
        return this.#emit({ ...targets(command.search), conversation: command.conversation });
      case "transfer":
        this.#edit(command.conversation, { state: "open", owner: null, owner_name: null });
        return;
      case "open":
        return this.#open(command.conversation);
      case "send":
        return this.#send(command.conversation, command.text);
      case "discard":
        return this.#emit({
          type: "pending",
          messages: this.#model.pending.filter((m) => m.client_id !== command.client_id),
        });
      case "typing":
      case "close_window":
        return;
      case "save_notes":
        return this.#edit(command.conversation, { notes: command.notes });
      case "set_context": {
        const context = { ...this.#conversation(command.conversation).context };
        if (command.value === null) delete context[command.key];
        else context[command.key] = command.value;
        return this.#edit(command.conversation, { context });
      }
      case "read_earlier":
        return this.#emit(earlierPage(command.conversation, command.earlier, command.before));
      case "send_chat_link":
        return this.#send(command.conversation, "Please open this link, then we can see each other: http://127.0.0.1:7420/c/8nJxQ2vWm4T0bKfYc1hRsA");
      case "cancel_auto_video":
        return this.#emit({ type: "auto_video", video: null });
      case "start_video":
        this.#emit({ type: "auto_video", video: null });
        return this.#startVideo(command.conversation);
      case "resend_invite":
        return this.#call({ phase: { type: "waiting", expires_at: Date.now() + 900_000, opened: false } });
      case "cancel_invite":
        return this.#end("cancelled", 0);
      case "hang_up":
        return this.#end("agent_hung_up", 252_000);
      case "dismiss_call":
        return this.#emit({ type: "call", call: null });
      case "set_microphone":
        return this.#call({ own: { ...this.#own(), microphone: command.on } });
      case "set_camera":
        return this.#call({ own: { ...this.#own(), camera: command.on } });
      case "list_screens":
        return this.#emit({ type: "screens", list: screens() });
      case "share_screen":
        return this.#call({ sharing: command.name, own: { ...this.#own(), screen: true } });
      case "stop_screen":
        return this.#call({ sharing: null, own: { ...this.#own(), screen: false } });
      case "select_device":
        return this.#select(command.kind, command.id);
      case "wrap_up":
        if (command.end_call) this.#end("wrapped_up", 252_000);
        return this.#edit(command.conversation, { state: "wrap_up", state_since: Date.now() });
      case "close":
        this.#emit({ type: "call", call: null });
        return this.#edit(command.conversation, {
          state: "closed",
          disposition: command.disposition,
        });
      case "layout":
        return this.picture?.place(command);
    }
  }

  #attach(): void {
    const events = scenarios[this.scenario];
    if (events === undefined) throw new Error(`no scenario ${this.scenario}`);
    for (const event of events()) this.#emit(event);
    if (this.#model.wall !== null) this.#wall.begin(this.#model.wall, this.scenario);
    this.#connectors.begin(this.scenario);
    this.#testOnce();
    // A frame socket of a test: the portable painter is drawn from it.
    const search = typeof location === "undefined" ? "" : location.search;
    const url = new URLSearchParams(search).get("socket");
    if (url !== null) this.#emit({ type: "painter", painter: { type: "canvas", url, token: "mock" } });
  }

  /** Who is signed in has a desk that was tested, unless the scenario says otherwise. */
  #testOnce(): void {
    if (this.#model.session.type !== "signed_in") return;
    if (this.#model.test === null) this.#emit({ type: "self_test", test: ready() });
    if (this.#model.test !== null) this.#readiness.begin(this.#model.test);
  }

  #emit(...events: DeskEvent[]): void {
    for (const event of events) {
      if (!passes(event)) this.#model = apply(this.#model, event);
      this.#handler(event);
    }
  }

  #conversation(id: ConversationId): Conversation {
    const found = this.#model.conversations[id];
    if (found === undefined) throw new Error(`no conversation ${id}`);
    return found;
  }

  #edit(id: ConversationId, change: Partial<Conversation>): void {
    this.#emit({ type: "conversation", conversation: { ...this.#conversation(id), ...change } });
  }

  #open(id: ConversationId): void {
    const others = this.#model.conversations[id] === undefined ? colleagues(id) : null;
    if (others !== null) this.#emit({ type: "conversation", conversation: others });
    const found = this.#conversation(id);
    if (this.#model.threads[id] === undefined && found.last_seq > 0) {
      const first: Message = {
        id: `${id}-1`,
        conversation: id,
        seq: 1,
        author: { type: "customer" },
        body: { type: "text", text: found.last_text },
        at: found.last_at,
      };
      this.#emit({ type: "thread", conversation: id, messages: [first] });
    }
    if (found.last_seq === 0) this.#emit({ type: "thread", conversation: id, messages: [] });
    if (found.owner === ME.id) this.#edit(id, { read_seq: found.last_seq });
  }

  /** Sending, then stored, then delivered: three steps that a person can see. */
  #send(id: ConversationId, text: string): void {
    this.#count += 1;
    const message: PendingMessage = { ...this.#blank(id), text };
    this.#pend(message);
    if (!this.#online()) return;
    setTimeout(() => this.#store(message), 250);
    setTimeout(() => this.#edit(id, { delivered_seq: this.#conversation(id).last_seq }), 900);
  }

  #blank(conversation: ConversationId): PendingMessage {
    return {
      client_id: `c${this.#count}`,
      conversation,
      text: "",
      at: Date.now(),
      state: this.#online() ? { type: "sending" } : { type: "waiting_for_network" },
    };
  }

  /** New, or in the place of the one of its id. */
  #pend(message: PendingMessage): void {
    const others = this.#model.pending.filter((m) => m.client_id !== message.client_id);
    this.#emit({ type: "pending", messages: [...others, message] });
  }

  #store(message: PendingMessage): void {
    const id = message.conversation;
    const seq = Math.max(this.#conversation(id).last_seq, this.#model.threads[id]?.at(-1)?.seq ?? 0) + 1;
    this.#emit({
      type: "thread",
      conversation: id,
      messages: [
        {
          id: `${id}-${seq}`,
          conversation: id,
          seq,
          client_id: message.client_id,
          author: { type: "agent", account: ME.id, name: ME.name },
          body: stored(message),
          at: Date.now(),
        },
      ],
    });
    this.#edit(id, { last_seq: seq, read_seq: seq, last_text: stored(message).text, last_at: Date.now() });
    this.#emit({
      type: "pending",
      messages: this.#model.pending.filter((m) => m.client_id !== message.client_id),
    });
  }

  #online(): boolean {
    const { session } = this.#model;
    return session.type === "signed_in" && session.link.type === "online";
  }

  /** Announced for three seconds where the customer asked for it, then started unless it was called off. */
  #autoVideo(id: ConversationId): void {
    if (String(this.#conversation(id).context["VideoCall"]).toLowerCase() !== "true") return;
    const video = { type: "starting", conversation: id, at: Date.now() + 3_000, announced_ms: 3_000 } as const;
    this.#emit({ type: "auto_video", video });
    setTimeout(() => {
      if (this.#model.autoVideo === video) void this.send({ type: "start_video", conversation: id });
    }, 3_000);
  }

  #startVideo(id: ConversationId): void {
    const name = this.#conversation(id).customer_name;
    const base = { conversation: id, customer_name: name };
    this.#emit({ type: "call", call: call({ type: "preparing" }, base) });
    setTimeout(() => {
      const phase = { type: "waiting", expires_at: Date.now() + 900_000, opened: false } as const;
      this.#emit({ type: "call", call: call(phase, base) });
      this.#edit(id, { escalation: { ...escalation({ type: "invited" }), conversation: id } });
    }, 400);
    setTimeout(() => this.#join("connecting"), 2_500);
    setTimeout(() => this.#join("live"), 3_500);
  }

  /** The customer takes the link, unless it has been taken back. */
  #join(step: "connecting" | "live"): void {
    const current = this.#model.call;
    if (current === null || current.phase.type === "ended") return;
    const since = Date.now();
    const phase =
      step === "live"
        ? ({ type: "live", since } as const)
        : ({ type: "connecting", since, deadline: since + 20_000 } as const);
    const media = { microphone: true, camera: true, screen: false };
    this.#call({ phase, other: media, quality: step === "live" ? quality("good") : null });
  }

  #own(): CallView["own"] {
    return this.#model.call?.own ?? { microphone: true, camera: true, screen: false };
  }

  #call(change: Partial<CallView>): void {
    const current = this.#model.call;
    if (current !== null) this.#emit({ type: "call", call: { ...current, ...change } });
  }

  #end(reason: "agent_hung_up" | "cancelled" | "wrapped_up", live_ms: number): void {
    this.#call({ phase: { type: "ended", reason, live_ms }, quality: null });
  }

  #select(kind: keyof Pick<DeviceList, "camera" | "microphone" | "speaker">, id: string | null): void {
    const list = this.#model.devices ?? devices;
    this.#emit({ type: "devices", list: { ...list, [kind]: id } });
  }
}
