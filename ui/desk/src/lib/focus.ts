/** Places that keys and buttons send the focus to. */
export type Place = "composer" | "search" | "inbox" | "page" | "board_search" | "wall_search" | "connector_form" | "asked";

const SELECTORS: Readonly<Record<Place, string>> = {
  composer: "#composer",
  search: "#search",
  page: "#page-title",
  board_search: "#board-search",
  wall_search: "#wall-search",
  connector_form: "#connector-form .field",
  asked: "[data-testid=assignment] .primary",
  inbox: "[data-conversation][aria-current=true], [data-conversation]",
};

/** After the next drawing, so that what has just appeared can be reached. */
export function focusOn(place: Place): void {
  requestAnimationFrame(() => {
    const current = place === "inbox" ? document.querySelector(`[data-conversation][aria-current]`) : null;
    const target = current ?? document.querySelector(SELECTORS[place]);
    if (target instanceof HTMLElement) target.focus();
  });
}

/** Whether keys belong to the element with the focus. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["radio", "checkbox", "button"].includes(target.type);
}
