import type { Rect, StageLayout } from "$wire";

export type TileName = "remote" | "own";

/** A move this small, in CSS pixels, must last before it is reported. */
const SMALL_PX = 1;
const SMALL_LASTS_MS = 500;

/**
 * Reports where the pictures go, once per frame at most and only when something moved.
 *
 * WebKitGTK's plain renderer never clears what the page painted over the picture and took away again: a menu
 * would stay as a ghost. The native side clears the window on every report by changing its height by a pixel
 * for a moment. So the same layout is reported again when something over a picture has gone, and a small
 * change must last, or that moment would cause the next report.
 */
export class StageReporter {
  readonly #tiles = new Map<TileName, HTMLElement>();
  readonly #observer: ResizeObserver | null;
  readonly #send: (layout: StageLayout) => void;
  #last: StageLayout | null = null;
  #frame = 0;
  #again = false;
  #small: ReturnType<typeof setTimeout> | undefined;
  #mayBeSmall = false;

  constructor(send: (layout: StageLayout) => void) {
    this.#send = send;
    this.#observer =
      typeof ResizeObserver === "undefined" ? null : new ResizeObserver(() => this.schedule());
  }

  /** Watches the window; answers how to stop. */
  start(): () => void {
    const schedule = () => this.schedule();
    addEventListener("resize", schedule);
    addEventListener("scroll", schedule, { capture: true, passive: true });
    addEventListener("transitionend", schedule);
    const left = (event: FocusEvent) => isOverPicture(event.target) && this.refresh();
    addEventListener("focusout", left);
    this.#observer?.observe(document.body);
    const gone = new MutationObserver((changes) => changes.some(uncovers) && this.refresh());
    gone.observe(document.body, { childList: true, subtree: true });
    this.schedule();
    return () => {
      gone.disconnect();
      removeEventListener("focusout", left);
      removeEventListener("resize", schedule);
      removeEventListener("scroll", schedule, { capture: true });
      removeEventListener("transitionend", schedule);
      this.#observer?.disconnect();
      cancelAnimationFrame(this.#frame);
    };
  }

  /** The element whose rectangle is this picture's; answers how to give it back. */
  show(name: TileName, element: HTMLElement): () => void {
    this.#tiles.set(name, element);
    this.#observer?.observe(element);
    this.schedule();
    return () => {
      this.#observer?.unobserve(element);
      if (this.#tiles.get(name) === element) this.#tiles.delete(name);
      this.schedule();
    };
  }

  /** Something over a picture has gone. */
  refresh(): void {
    this.#again = true;
    this.schedule();
  }

  /** Looks again before the next drawing. */
  schedule(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#report();
    });
  }

  #report(): void {
    const layout: StageLayout = {
      remote: this.#rect("remote"),
      own: this.#rect("own"),
      scale: devicePixelRatio,
    };
    const again = this.#again && (layout.remote !== null || layout.own !== null);
    this.#again = false;
    clearTimeout(this.#small);
    if (this.#last !== null && !again) {
      if (sameLayout(this.#last, layout)) return;
      if (sameLayout(this.#last, layout, SMALL_PX) && !this.#mayBeSmall) {
        this.#small = setTimeout(() => {
          this.#mayBeSmall = true;
          this.schedule();
        }, SMALL_LASTS_MS);
        return;
      }
    }
    this.#mayBeSmall = false;
    this.#last = layout;
    this.#send(layout);
  }

  #rect(name: TileName): Rect | null {
    const box = this.#tiles.get(name)?.getBoundingClientRect();
    if (box === undefined || box.width < 1 || box.height < 1) return null;
    return { x: box.left, y: box.top, width: box.width, height: box.height };
  }
}

/** Whether the native side would paint the same, give or take `px`. */
export function sameLayout(a: StageLayout, b: StageLayout, px = 0): boolean {
  return a.scale === b.scale && sameRect(a.remote, b.remote, px) && sameRect(a.own, b.own, px);
}

function sameRect(a: Rect | null, b: Rect | null, px: number): boolean {
  if (a === null || b === null) return a === b;
  const sides = ["x", "y", "width", "height"] as const;
  return sides.every((side) => Math.abs(a[side] - b[side]) <= px);
}

/** Whether a change took away something that may have lain over a picture: on the stage, or in a portal. */
function uncovers(change: MutationRecord): boolean {
  if (change.target !== document.body && !isOverPicture(change.target)) return false;
  return [...change.removedNodes].some((node) => node instanceof Element);
}

function isOverPicture(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("[data-phase]") !== null;
}
