import type { ConversationId, Problem } from "$wire";

/** Something that happened and belongs to no place on the screen. */
export interface Notice {
  readonly id: number;
  readonly problem: Problem | null;
  /** What happened, and what that means. */
  readonly what: string;
  readonly next: string;
  /** It went as it should. */
  readonly good: boolean;
  readonly conversation: ConversationId | null;
  /** How often it has come; repeats do not pile up. */
  readonly times: number;
}

const MOST = 4;

/** Adds a problem at the end; the same one again only counts up. */
export function addNotice(
  notices: readonly Notice[],
  problem: Problem,
  id: number,
): readonly Notice[] {
  const same = notices.find(
    (n) => n.problem?.code === problem.code && n.problem.message === problem.message,
  );
  const rest = notices.filter((n) => n !== same);
  const { message: what, next_step: next, conversation = null } = problem;
  const times = (same?.times ?? 0) + 1;
  return [...rest, { id, problem, what, next, good: false, conversation, times }].slice(-MOST);
}

/** Adds something that is no problem. */
export function addNews(
  notices: readonly Notice[],
  news: Pick<Notice, "id" | "what" | "next" | "good" | "conversation">,
): readonly Notice[] {
  return [...notices, { ...news, problem: null, times: 1 }].slice(-MOST);
}
