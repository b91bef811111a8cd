/** As much of a page as has to do with being looked at. */
export type Visible = Pick<Document, "hidden" | "addEventListener" | "removeEventListener">;

/**
 * Reads now, and again `every` ms after each answer while the page is looked at; a page that comes back reads at once.
 * Never two at a time. Ends with the returned function.
 */
export function refreshing(read: () => Promise<unknown>, every: number, page: Visible = document): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let reading = false;
  let ended = false;

  async function turn(): Promise<void> {
    clearTimeout(timer);
    if (ended || reading || page.hidden) return;
    reading = true;
    try {
      await read();
    } finally {
      reading = false;
    }
    // Hidden meanwhile: its return is the next turn.
    if (!ended && !page.hidden) timer = setTimeout(() => void turn(), every);
  }

  const onchange = () => void turn();
  page.addEventListener("visibilitychange", onchange);
  void turn();
  return () => {
    ended = true;
    clearTimeout(timer);
    page.removeEventListener("visibilitychange", onchange);
  };
}
