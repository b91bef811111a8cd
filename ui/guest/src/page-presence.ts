/** Whether somebody has the page before them: told when it is put away, and when it comes back. */

/** A page behind another one for so long is put away; a glance at another app is shorter. */
const PATIENCE_MS = 30_000;

/** Says `here` at once when the page is visible. Returns how to stop. */
export function watchPage(listener: { here(): void; away(): void }): () => void {
  let present = false;
  let timer: number | undefined;
  const come = () => {
    window.clearTimeout(timer);
    if (present) return;
    present = true;
    listener.here();
  };
  const go = () => {
    window.clearTimeout(timer);
    if (!present) return;
    present = false;
    listener.away();
  };
  const look = () => {
    if (document.visibilityState === "visible") return come();
    window.clearTimeout(timer);
    timer = window.setTimeout(go, PATIENCE_MS);
  };
  // A page in the back/forward cache keeps no connection, and may come back much later.
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pagehide", go);
  window.addEventListener("pageshow", look);
  if (document.visibilityState === "visible") come();
  return () => {
    window.clearTimeout(timer);
    document.removeEventListener("visibilitychange", look);
    window.removeEventListener("pagehide", go);
    window.removeEventListener("pageshow", look);
  };
}
