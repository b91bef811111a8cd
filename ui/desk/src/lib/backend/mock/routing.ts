import type { AgentPresence, Chosen, DeskEvent, MyPresence } from "$wire";

/** The presence that follows a choice, on a desk with work. */
export function presence(chosen: Chosen): MyPresence {
  const seen: Record<Chosen, AgentPresence> = {
    available: { type: "busy" },
    do_not_disturb: { type: "do_not_disturb", why: "chosen" },
    away: { type: "away" },
    offline: { type: "offline" },
  };
  return { chosen, presence: seen[chosen], by_turn: true };
}

/** Colleagues and queues that a conversation could be handed to. */
export function targets(search: string): Extract<DeskEvent, { type: "targets" }> {
  const fits = (text: string) => text.toLowerCase().includes(search.toLowerCase());
  const agents = [
    { account: "a2", name: "Jonas Weber", presence: { type: "available" } as const, why_not: null },
    { account: "a3", name: "Priya Nair", presence: { type: "busy" } as const, why_not: null },
    {
      account: "a4",
      name: "Tomás Herrera",
      presence: { type: "do_not_disturb", why: "in_call" } as const,
      why_not: "Is in a video call.",
    },
    { account: "a5", name: "Aiko Mori", presence: { type: "offline" } as const, why_not: "Is not connected." },
  ];
  const queues = [
    { queue: 2, title: "Billing", staffed: true, open: true, waiting: 3 },
    { queue: 3, title: "Video consultation", staffed: false, open: true, waiting: 0 },
  ];
  return {
    type: "targets",
    conversation: "",
    search,
    targets: {
      agents: agents.filter(({ name }) => fits(name)),
      queues: queues.filter(({ title }) => fits(title)),
    },
  };
}
