/** Talking to the page that embeds the widget: counts and closing only, never content. */

export interface Embed {
  unread(count: number): void;
  close(): void;
  live(inCall: boolean): void;
}

export function embedIn(shown: (visible: boolean) => void): Embed | null {
  if (window.parent === window) return null;
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent) return;
    const visible: unknown = (event.data as { sightline_visible?: unknown } | null)?.sightline_visible;
    if (typeof visible === "boolean") shown(visible);
  });
  const post = (message: object) => window.parent.postMessage(message, "*");
  return {
    unread: (count) => post({ sightline_unread: count }),
    close: () => post({ sightline_close: true }),
    live: (inCall) => post({ sightline_live: inCall }),
  };
}
