import type { AuditAct, AuditCheck, AuditDetail, AuditEntry, AuditPage } from "$wire";

type Read = { readonly entries: readonly AuditEntry[]; readonly more: boolean };

/**
 * The log with one more page: older entries come behind what there is, the newest page before it. What lies between a newest
 * page and what was read long ago is not known, so that is forgotten then.
 */
export function mergeAudit(known: Read | null, before: number | null, page: AuditPage): Read {
  if (known === null) return page;
  if (before !== null) {
    const last = known.entries.at(-1)?.seq;
    if (last === undefined || before !== last) return known;
    return { entries: [...known.entries, ...page.entries], more: page.more };
  }
  const oldest = page.entries.at(-1)?.seq ?? 0;
  const newest = known.entries[0]?.seq ?? 0;
  if (oldest > newest + 1) return page;
  const older = known.entries.filter(({ seq }) => seq < oldest);
  return { entries: [...page.entries, ...older], more: older.length === 0 ? page.more : known.more };
}

const ACTS: Readonly<Record<AuditAct, (agent: string) => string>> = {
  read: (agent) => (agent === "" ? "Read it" : `Read ${possessive(agent)} conversation`),
  joined: (agent) => (agent === "" ? "Joined it" : `Joined ${possessive(agent)} conversation`),
  left: (agent) => (agent === "" ? "Left it" : `Left ${possessive(agent)} conversation`),
  assigned: (agent) => (agent === "" ? "Assigned it" : `Assigned it to ${agent}`),
  transferred: (agent) => (agent === "" ? "Transferred it" : `Transferred it to ${agent}`),
  force_closed: (agent) => (agent === "" ? "Force closed it" : `Force closed ${possessive(agent)} conversation`),
};

function possessive(name: string): string {
  return `${name}’s`;
}

/** What was done, in words: "Joined Noah’s conversation". */
export function actText(entry: AuditEntry): string {
  return ACTS[entry.act](entry.agent_name ?? "");
}

const STATES = { open: "it waited", active: "it was active", wrap_up: "it was in wrap-up", closed: "it was closed" } as const;

/** What belongs to the act: "it was active, 30 units too many, the call was ended". */
export function detailText(detail: AuditDetail): string {
  const parts: string[] = [];
  if (detail.state !== undefined) parts.push(STATES[detail.state]);
  if (detail.over_units) parts.push(`${detail.over_units} units too many`);
  if (detail.over_conversations) {
    const { over_conversations: over } = detail;
    parts.push(`${over} ${over === 1 ? "conversation" : "conversations"} too many`);
  }
  if (detail.ended_call === true) parts.push("the call was ended");
  return parts.join(", ");
}

/** What a check came to, in a sentence. */
export function checkText({ intact, broken_at }: AuditCheck): string {
  if (broken_at !== null) {
    const fine = intact === 0 ? "Nothing before it is" : `The ${intact === 1 ? "entry" : `${intact} entries`} before it ${intact === 1 ? "is" : "are"}`;
    return `The log is not what it was: entry ${broken_at} was changed, removed, added or moved. ${fine} intact.`;
  }
  if (intact === 0) return "The log is empty, so there is nothing to check.";
  return intact === 1 ? "The one entry is intact." : `All ${intact} entries are intact.`;
}
