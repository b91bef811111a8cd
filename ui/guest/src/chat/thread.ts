/** What the chat shows, from Direct Line activities: ordered, each once, whatever order they came in. */

import type { Activity, SightlineData } from "../../../shared/wire";

export type Invite = Extract<SightlineData, { type: "invite" }>;

export type Entry = { id: string; seq: number; at: number } & (
  | { kind: "mine"; text: string; client_id: string | null }
  | { kind: "theirs"; text: string; name: string }
  | { kind: "event"; text: string }
  | { kind: "invite"; invite: Invite }
);

/** The id under which this page writes; the server answers with it or with the role. */
export const SELF = "customer";

export class Thread {
  private readonly entries = new Map<string, Entry>();

  /** Whether the activity was new. */
  add(activity: Activity): boolean {
    const entry = entryOf(activity);
    if (!entry || this.entries.has(entry.id)) return false;
    this.entries.set(entry.id, entry);
    return true;
  }

  all(): Entry[] {
    return [...this.entries.values()].sort((a, b) => a.at - b.at || a.seq - b.seq);
  }

  /** The invite that can still be answered: the newest, unless a line of history has closed it. */
  openInvite(): string | null {
    let code: string | null = null;
    for (const entry of this.all()) {
      if (entry.kind === "invite") code = entry.invite.code;
      else if (entry.kind === "event") code = null;
    }
    return code;
  }

  hasClientId(id: string): boolean {
    for (const entry of this.entries.values()) {
      if (entry.kind === "mine" && entry.client_id === id) return true;
    }
    return false;
  }
}

export function entryOf(activity: Activity): Entry | null {
  if (!activity.id || (activity.type !== "message" && activity.type !== "event")) return null;
  const base = {
    id: activity.id,
    seq: sequence(activity.id),
    at: activity.timestamp ? Date.parse(activity.timestamp) || 0 : 0,
  };
  const data = sightline(activity);
  if (data?.type === "invite") return { ...base, kind: "invite", invite: data };
  const text = activity.text ?? "";
  if (!text) return null;
  if (data?.type === "event") return { ...base, kind: "event", text };
  if (activity.type === "event") return null;
  if (isMine(activity)) return { ...base, kind: "mine", text, client_id: clientId(activity) };
  return { ...base, kind: "theirs", text, name: activity.from.name ?? "" };
}

export function isMine(activity: Activity): boolean {
  return activity.from?.role === "user" || activity.from?.id === SELF;
}

export function clientId(activity: Activity): string | null {
  const id = (activity.channelData as { clientActivityID?: unknown } | undefined)?.clientActivityID;
  return typeof id === "string" ? id : null;
}

export function sightline(activity: Activity): SightlineData | null {
  const data = (activity.channelData as { sightline?: SightlineData } | undefined)?.sightline;
  return data && typeof data.type === "string" ? data : null;
}

export function sequence(id: string): number {
  return Number(id.slice(id.lastIndexOf("|") + 1)) || 0;
}
