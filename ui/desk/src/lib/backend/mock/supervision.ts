import type { AuditAct, AuditEntry, AuditPage, Why, WhyNot } from "$wire";
import { wallAgents } from "./wall";

const MINUTE = 60_000;

/** What stands in the way of each agent of the floor; Tomasz could take it. */
function agents(): WhyNot[] {
  const reasons: Readonly<Record<string, string | null>> = {
    t3: null,
    n1: "Is in a video call.",
    e7: "Lacks a skill, or its level.",
    p2: "Has too little capacity left.",
    j4: "Has missed an assignment and not come back since.",
    f5: "Is away.",
    l6: "Does not want to be disturbed.",
    g7: "Is not connected.",
    o8: "Is not connected.",
  };
  return wallAgents()
    .map(({ agent, name }) => ({ account: agent, name, reason: reasons[agent] ?? null }))
    .sort((a, b) => Number(a.reason !== null) - Number(b.reason !== null) || a.name.localeCompare(b.name));
}

/** Why a conversation of the floor is where it is. */
export function whyOf(id: string): Why {
  const why: Why = {
    owner: null,
    asked: null,
    queue: "Video consultation for customers with a support contract",
    rule: "Escalated to video",
    priority: 100,
    since: Date.now() - 2.4 * MINUTE,
    because: null,
    waits: null,
    agents: [],
  };
  switch (id) {
    case "q1":
      return {
        ...why,
        waits: "Nobody can take it. 2: Is not connected. 1: Is away. 1: Has too little capacity left.",
        agents: agents().filter(({ reason }) => reason !== null),
      };
    case "q2":
      return { ...why, asked: "Tomasz Zieliński", because: "Nobody else could take it.", agents: agents() };
    default:
      return {
        ...why,
        owner: "Noah Lindqvist",
        rule: null,
        priority: 0,
        queue: "All conversations",
        because: "Without new work for longer than 3 others who could take it.",
      };
  }
}

const ACTS: readonly AuditAct[] = ["read", "joined", "left", "assigned", "transferred", "force_closed"];
const CUSTOMERS = ["Ana Moreno", "Maximiliana Wolfeschlegelsteinhausenbergerdorff", "Customer 4821", "李 小龙"];
const HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

function entry(seq: number, count: number): AuditEntry {
  const act = ACTS[seq % ACTS.length] ?? "read";
  const [agent] = wallAgents().slice(seq % 5);
  return {
    seq,
    id: `audit-${seq}`,
    at: Date.now() - (count - seq) * 47 * MINUTE,
    actor: "me",
    actor_name: seq % 3 === 0 ? "Ebun Adeyemi-Featherstonehaugh-Okonkwo" : "Maria Keller",
    act,
    conversation: `c${seq}`,
    customer_name: CUSTOMERS[seq % CUSTOMERS.length] ?? "",
    agent: agent?.agent ?? null,
    ...(agent === undefined ? {} : { agent_name: agent.name }),
    escalation: null,
    detail: {
      state: act === "assigned" ? "open" : "active",
      ...(act === "assigned" ? { over_units: 30, over_conversations: 1 } : {}),
      ...(act === "force_closed" ? { ended_call: true } : {}),
    },
    hash: HASH,
  };
}

/** A page of a log of that many entries. */
export function auditPage(count: number, before: number | null): AuditPage {
  const from = Math.min(count, (before ?? count + 1) - 1);
  const seqs = Array.from({ length: Math.min(50, from) }, (_, index) => from - index);
  return { entries: seqs.map((seq) => entry(seq, count)), more: from > 50 };
}

export const auditHead = HASH;
