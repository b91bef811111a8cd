/**
 * What the address of this page says, where it is a link into the chat: handed to the server as it stands. The page
 * itself decides nothing by it but that the chat begins at once.
 */

import type { ChatEntry } from "../../../shared/wire";

export function entryOf({ pathname, search }: Pick<Location, "pathname" | "search">): ChatEntry | null {
  const code = /^\/c\/([^/]+)\/?$/.exec(pathname)?.[1];
  if (code) return { type: "code", code };
  const query = search.slice(1);
  const names = new URLSearchParams(query);
  return names.has("conversationId") || names.has("sig") ? { type: "query", query } : null;
}

/** Begins once somebody has the page before them: previews and pages loaded ahead begin nothing. */
export function whenSeen(begin: () => void): void {
  const seen = () => {
    if (document.visibilityState !== "visible" || (document as { prerendering?: boolean }).prerendering === true) return;
    document.removeEventListener("visibilitychange", seen);
    document.removeEventListener("prerenderingchange", seen);
    begin();
  };
  document.addEventListener("visibilitychange", seen);
  document.addEventListener("prerenderingchange", seen);
  seen();
}
