import type { Problem } from "$wire";

/** Something that happened and belongs to no place on the screen. */
export interface Notice {
  readonly id: number;
  readonly problem: Problem;
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
    (n) => n.problem.code === problem.code && n.problem.message === problem.message,
  );
  const rest = notices.filter((n) => n !== same);
  return [...rest, { id, problem, times: (same?.times ?? 0) + 1 }].slice(-MOST);
}
