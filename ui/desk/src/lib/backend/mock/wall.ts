import type { Conversation, DeskCommand, DeskEvent, WallAgent, WallCall, WallConversation, WallView } from "$wire";
import { conversation, ME } from "./people";
import { auditHead, auditPage, whyOf } from "./supervision";

const MINUTE = 60_000;

const agent = (id: string, name: string, more: Partial<WallAgent> = {}): WallAgent => ({
  agent: id,
  name,
  presence: "available",
  load: { units: 0, capacity: 100 },
  conversations: 0,
  asked: null,
  readiness: "video",
  ready_until: Date.now() + 8 * 60 * MINUTE,
  call: null,
  ...more,
});

const NOAH = "n1";
const EBUN = "e7";

/** Agents in every state that there is, one of them with more to do than one may have. */
export function wallAgents(): WallAgent[] {
  const load = (units: number) => ({ units, capacity: 100 });
  return [
    agent(NOAH, "Noah Lindqvist", { presence: "in_call", load: load(100), conversations: 1, call: "ana" }),
    agent(EBUN, "Ebun Adeyemi-Featherstonehaugh-Okonkwo", { presence: "busy", load: load(60), conversations: 2 }),
    agent("p2", "Priya Raghunathan", { presence: "full", load: load(120), conversations: 4, readiness: "audio" }),
    agent("t3", "Tomasz Zieliński", { presence: "available", asked: "q2", load: load(30), ready_until: Date.now() + 12 * MINUTE }),
    agent("j4", "Jonas Weber", { presence: "inactive", load: load(30), conversations: 1, readiness: "not_ready" }),
    agent("f5", "Fatima Al-Mansouri", { presence: "away" }),
    agent("l6", "李 小龙", { presence: "do_not_disturb", load: load(30), conversations: 1, call: "c9" }),
    agent("g7", "Greta Sundström", { presence: "offline", readiness: null }),
    agent("o8", "Omar Haddad", { presence: "offline" }),
  ];
}

const row = (id: string, name: string, minutes: number, more: Partial<WallConversation> = {}): WallConversation => ({
  id,
  queue: 1,
  channel: "web_chat",
  state: "open",
  since: Date.now() - minutes * MINUTE,
  opened_at: Date.now() - minutes * MINUTE,
  customer_name: name,
  owner: null,
  owner_name: null,
  asked_name: null,
  helpers: [],
  call: null,
  ...more,
});

const call = (state: WallCall["state"], minutes: number, mark: WallCall["mark"], reason = ""): WallCall => ({
  state,
  since: Date.now() - minutes * MINUTE,
  mark,
  reason,
});

function wallRows(): WallConversation[] {
  const of = (id: string, name: string) => ({ state: "active" as const, owner: id, owner_name: name });
  const ebun = of(EBUN, "Ebun Adeyemi-Featherstonehaugh-Okonkwo");
  const priya = of("p2", "Priya Raghunathan");
  return [
    row("q1", "Maximiliana Wolfeschlegelsteinhausenbergerdorff", 2.4, { channel: "whats_app" }),
    row("q2", "Luis Ortega", 0.2, { asked_name: "Tomasz Zieliński" }),
    row("ana", "Ana Moreno", 11, {
      ...of(NOAH, "Noah Lindqvist"),
      call: call("live", 4.2, "poor", "Ana's network is weak, the picture is reduced."),
    }),
    row("c9", "Yui Tanaka", 7, { ...of("l6", "李 小龙"), call: call("live", 2.1, "good") }),
    row("c4", "Åsa Lindström", 23, { ...ebun, helpers: [ME.name] }),
    row("c5", "Customer 4821", 3, { ...ebun, call: call("invited", 0.7, "unknown") }),
    row("c6", "Ömer Yıldız", 44, { ...priya, channel: "phone" }),
    row("c7", "Chinonso Okonkwo-Featherstonehaugh", 31, priya),
    row("c8", "Dana Kim", 6, priya),
    row("c3", "Hugo Martins", 2, { ...of("j4", "Jonas Weber"), state: "wrap_up" }),
  ];
}

/** A floor in the middle of a day. */
export function wall(): WallView {
  return {
    ahead_ms: 0,
    queues: [
      {
        queue: 1,
        title: "All conversations",
        waiting: 2,
        oldest: Date.now() - 2.4 * MINUTE,
        active: 7,
        here: 7,
        free: 1,
        within_ms: 20_000,
        goal: null,
        hour: { in_time: 31, of: 42 },
        day: { in_time: 402, of: 455 },
      },
    ],
    agents: wallAgents(),
    conversations: wallRows(),
  };
}

/** The same with queues that have goals, met and missed. */
export function goalWall(): WallView {
  const floor = wall();
  const [queue] = floor.queues;
  if (queue === undefined) return floor;
  const more = [
    { queue: 1, title: "Support", goal: 80 },
    { queue: 2, title: "Video consultation for customers with a support contract", goal: 90, within_ms: 60_000, waiting: 0, oldest: null, hour: { in_time: 19, of: 20 }, day: { in_time: 187, of: 210 } },
    { queue: 3, title: "Returns", goal: null, within_ms: 300_000, hour: { in_time: 0, of: 0 } },
  ];
  return { ...floor, queues: more.map((one) => ({ ...queue, ...one })) };
}

/** The same before anybody has come. */
export function quietWall(): WallView {
  const nobody = { in_time: 0, of: 0 };
  const [queue] = wall().queues;
  const queues = queue === undefined ? [] : [{ ...queue, waiting: 0, oldest: null, active: 0, here: 1, free: 1, hour: nobody, day: nobody }];
  return { ahead_ms: 0, queues, agents: wallAgents().slice(7).concat(agent("t3", "Tomasz Zieliński")), conversations: [] };
}

/** A colleague's conversation as a supervisor opens it from the wall. */
export function colleagues(id: string): Conversation | null {
  const found = wallRows().find((one) => one.id === id);
  if (found === undefined) return null;
  return conversation(id, found.customer_name, "The light on the box stays red.", 3, {
    state: found.state,
    channel: found.channel,
    owner: found.owner,
    owner_name: found.owner_name,
    participants: found.helpers.map((name) => ({ account: ME.id, name })),
    opened_at: found.opened_at,
    state_since: found.since,
    last_seq: 1,
  });
}

/** Answers a supervisor's commands as the controller does. */
export class MockWall {
  #wall: WallView = wall();

  constructor(
    readonly emit: (event: DeskEvent) => void,
    readonly edit: (id: string, change: Partial<Conversation>) => void,
  ) {}

  /** Entries of the audit log; null while it cannot be read. */
  #entries: number | null = 120;
  #broken: number | null = null;

  /** Goes on from what a scenario has drawn. */
  begin(view: WallView, scenario: string): void {
    this.#wall = view;
    if (scenario === "audit-empty") this.#entries = 0;
    if (scenario === "audit-failed") this.#entries = null;
    if (scenario === "audit-broken") this.#broken = 88;
  }

  #readAudit(before: number | null): Promise<void> {
    if (this.#entries === null) {
      return Promise.reject({ code: "server_unreachable", message: "The server cannot be reached.", next_step: "Check the network." });
    }
    this.emit({ type: "audit", before, page: auditPage(this.#entries, before) });
    return Promise.resolve();
  }

  #checkAudit(): void {
    const intact = this.#broken === null ? (this.#entries ?? 0) : this.#broken - 1;
    this.emit({ type: "audit_checked", check: { intact, head: auditHead, broken_at: this.#broken }, at: Date.now() });
  }

  /** Whether the command was one of supervision; rejects as the server refuses. */
  send(command: DeskCommand): Promise<void> | null {
    switch (command.type) {
      case "watch_wall":
        if (command.open) this.emit({ type: "wall", wall: this.#wall });
        return Promise.resolve();
      case "read_why":
        this.emit({ type: "why", conversation: command.conversation, why: whyOf(command.conversation), at: Date.now() });
        return Promise.resolve();
      case "read_audit":
        return this.#readAudit(command.before);
      case "check_audit":
        this.#checkAudit();
        return Promise.resolve();
      case "join":
        this.edit(command.conversation, { participants: [{ account: ME.id, name: ME.name }] });
        return Promise.resolve();
      case "leave":
        this.edit(command.conversation, { participants: [] });
        return Promise.resolve();
      case "assign":
        return this.#assign(command.conversation, command.agent, command.even_if_full);
      case "transfer_to":
        return Promise.resolve();
      case "force_close":
        this.#show({ conversations: this.#wall.conversations.filter(({ id }) => id !== command.conversation) });
        this.edit(command.conversation, { state: "closed", disposition: "Closed by a supervisor", participants: [] });
        return Promise.resolve();
      default:
        return null;
    }
  }

  #show(change: Partial<WallView>): void {
    this.#wall = { ...this.#wall, ...change };
    this.emit({ type: "wall", wall: this.#wall });
  }

  #assign(id: string, to: string, even: boolean): Promise<void> {
    const found = this.#wall.agents.find((one) => one.agent === to);
    const units = (found?.load?.units ?? 0) + 30;
    if (found !== undefined && units > 100 && !even) {
      return Promise.reject({
        code: "agent_full",
        message: `${found.name} would have ${units} of 100 units: ${units - 100} too many.`,
        next_step: "Assign it anyway, or choose somebody else.",
      });
    }
    const conversations = this.#wall.conversations.map((one) =>
      one.id === id ? { ...one, asked_name: found?.name ?? null } : one,
    );
    this.#show({ conversations });
    return Promise.resolve();
  }
}
