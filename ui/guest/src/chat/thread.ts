/** What the chat shows, from Direct Line activities: ordered, each once, whatever order they came in. */

import type { Activity, SightlineData } from "../../../shared/wire";
import { say } from "../say";
import { cardsOf, choicesOf } from "./cards";
import type { Action, Card } from "./cards";
import { lineWords } from "./line";

export type Invite = Extract<SightlineData, { type: "invite" }>;

/** A file that somebody has sent; without an address only its name is to be had. */
export interface SharedFile {
  name: string;
  url: string | null;
  picture: boolean;
  size: number | null;
}

export type Entry = { id: string; seq: number; at: number } & (
  | { kind: "mine"; text: string; files: SharedFile[]; client_id: string | null }
  | { kind: "theirs"; text: string; files: SharedFile[]; name: string; cards: Card[]; choices: Action[] }
  /** Chosen without being shown: it answers what was offered before it. */
  | { kind: "unseen" }
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

  /** What is shown. */
  all(): Entry[] {
    return this.ordered().filter(({ kind }) => kind !== "unseen");
  }

  /** The answers to choose from: those of the newest words, for whoever has answered chooses no more. */
  choices(): Action[] {
    const newest = this.ordered().at(-1);
    return newest?.kind === "theirs" ? newest.choices : [];
  }

  private ordered(): Entry[] {
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
  if (isMine(activity) && isUnseen(activity)) return { ...base, kind: "unseen" };
  const files = filesOf(activity);
  const cards = cardsOf(activity);
  const choices = choicesOf(activity);
  if (!text && files.length === 0 && cards.length === 0 && choices.length === 0) return null;
  if (data?.type === "event") return { ...base, kind: "event", text: lineWords(data.line, text) };
  if (activity.type === "event") return null;
  if (isMine(activity)) return { ...base, kind: "mine", text, files, client_id: clientId(activity) };
  return { ...base, kind: "theirs", text, files, name: activity.from.name ?? "", cards, choices };
}

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const KEPT = /^\/v3\/directline\/conversations\/[^/]+\/files\/[^/]+$/;

/** Cards without an address and without a name are nothing that this page could show. */
function filesOf({ attachments, channelData }: Activity): SharedFile[] {
  const sizes = (channelData as { attachmentSizes?: unknown } | undefined)?.attachmentSizes;
  return (attachments ?? []).flatMap(({ contentType, contentUrl, name }, index) => {
    const place = placeOf(contentUrl);
    if (!place && !name) return [];
    const size: unknown = Array.isArray(sizes) ? sizes[index] : null;
    return [{
      name: name ?? say("file"),
      url: place?.url ?? null,
      // Pictures of others are not fetched behind the reader's back: their owner would know who reads, and when.
      picture: place?.ours === true && PICTURES.includes(contentType),
      size: typeof size === "number" ? size : null,
    }];
  });
}

/** Files of our own server are at the host that this page comes from, whatever a proxy in between calls it. */
function placeOf(address: string | undefined): { url: string; ours: boolean } | null {
  if (!address || !URL.canParse(address)) return null;
  const { protocol, pathname, search, href } = new URL(address);
  if (KEPT.test(pathname)) return { url: `${pathname}${search}`, ours: true };
  return protocol === "https:" ? { url: href, ours: false } : null;
}

export function isMine(activity: Activity): boolean {
  return activity.from?.role === "user" || activity.from?.id === SELF;
}

function isUnseen(activity: Activity): boolean {
  return (activity.channelData as { postBack?: unknown } | undefined)?.postBack === true;
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
