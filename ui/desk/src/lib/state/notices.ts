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
  /** How often its kind has come; repeats do not pile up. */
  readonly times: number;
  /** What the ones before said that this one replaces, the newest first, where they said something else. */
  readonly before: readonly string[];
}

/** So many are shown at once. */
export const MOST_SHOWN = 3;

/** Words of replaced ones that are kept. */
const MOST_BEFORE = 5;

/** Whether a notice goes by itself: what is not as it should be stays until it was read. */
export function goesByItself(notice: Notice): boolean {
  return notice.good;
}

/** Adds a problem at the end. It replaces the one with the same code, and keeps what that one said. */
export function addNotice(notices: readonly Notice[], problem: Problem, id: number): readonly Notice[] {
  const same = notices.find((n) => n.problem?.code === problem.code);
  const { message: what, next_step: next, conversation = null } = problem;
  const before = same === undefined ? [] : [same.what, ...same.before].filter((said) => said !== what);
  return [
    ...notices.filter((n) => n !== same),
    {
      id,
      problem,
      what,
      next,
      good: false,
      conversation,
      times: (same?.times ?? 0) + 1,
      before: [...new Set(before)].slice(0, MOST_BEFORE),
    },
  ];
}

/** Adds something that is no problem. The same again only counts up. */
export function addNews(
  notices: readonly Notice[],
  news: Pick<Notice, "id" | "what" | "next" | "good" | "conversation">,
): readonly Notice[] {
  const same = notices.find((n) => n.problem === null && n.what === news.what && n.conversation === news.conversation);
  const times = (same?.times ?? 0) + 1;
  return [...notices.filter((n) => n !== same), { ...news, problem: null, times, before: [] }];
}

/** What is shown, the newest last; the rest waits behind it and moves up. */
export function shownNotices(notices: readonly Notice[]): readonly Notice[] {
  return notices.slice(-MOST_SHOWN);
}
