import type { Above, Rect, StageLayout } from "$wire";

export type TileName = "remote" | "own";

/** What may lie over a picture: marked parts of the stage, and whatever floats over the page. */
const ABOVE = "[data-above], .tip, .menu, .dialog, .toast";
/** The focus ring lies outside its element. */
const FOCUS_RING_PX = 3;

/**
 * Reports where the pictures go and what of the page lies over them, once per frame at most and only when
 * something moved. The native side paints the pictures over the page, around what is reported here.
 */
export class StageReporter {
  readonly #tiles = new Map<TileName, HTMLElement>();
  readonly #observer: ResizeObserver | null;
  readonly #send: (layout: StageLayout) => void;
  #last: StageLayout | null = null;
  #frame = 0;

  constructor(send: (layout: StageLayout) => void) {
    this.#send = send;
    this.#observer =
      typeof ResizeObserver === "undefined" ? null : new ResizeObserver(() => this.schedule());
  }

  /** Watches the window; answers how to stop. */
  start(): () => void {
    const schedule = () => this.schedule();
    const events = ["resize", "scroll", "transitionend", "animationend", "focusin", "focusout", "pointerover"];
    for (const name of events) addEventListener(name, schedule, { capture: true, passive: true });
    const changes = new MutationObserver(schedule);
    changes.observe(document.body, {
      attributes: true,
      characterData: true,
      childList: true,
      subtree: true,
    });
    this.#observer?.observe(document.body);
    schedule();
    return () => {
      for (const name of events) removeEventListener(name, schedule, { capture: true });
      changes.disconnect();
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

  /** Looks again before the next drawing. */
  schedule(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#report();
    });
  }

  #report(): void {
    const remote = this.#rect("remote");
    const own = this.#rect("own");
    const pictures = [remote, own].filter((rect) => rect !== null);
    const above = pictures.length === 0 ? [] : aboveOf(pictures);
    const layout: StageLayout = { remote, own, above, scale: devicePixelRatio };
    if (this.#last !== null && sameLayout(this.#last, layout)) return;
    this.#last = layout;
    this.#send(layout);
  }

  #rect(name: TileName): Rect | null {
    const element = this.#tiles.get(name);
    return element === undefined ? null : rectOf(element);
  }
}

/** Everything visible that lies over one of the pictures. */
function aboveOf(pictures: readonly Rect[]): Above[] {
  const above: Above[] = [];
  for (const element of document.querySelectorAll<HTMLElement>(ABOVE)) {
    const rect = rectOf(element);
    if (rect === null || !pictures.some((picture) => overlap(picture, rect))) continue;
    const style = getComputedStyle(element);
    if (style.visibility === "hidden" || style.opacity === "0") continue;
    const ring = style.outlineStyle === "none" ? 0 : FOCUS_RING_PX;
    above.push({
      rect: grown(rect, ring),
      radius: (Number.parseFloat(style.borderTopLeftRadius) || 0) + ring,
    });
  }
  return above;
}

function rectOf(element: HTMLElement): Rect | null {
  const box = element.getBoundingClientRect();
  if (box.width < 1 || box.height < 1) return null;
  return { x: box.left, y: box.top, width: box.width, height: box.height };
}

function grown(rect: Rect, by: number): Rect {
  return { x: rect.x - by, y: rect.y - by, width: rect.width + 2 * by, height: rect.height + 2 * by };
}

/** Whether two rectangles share a place. */
export function overlap(a: Rect, b: Rect): boolean {
  return (
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
  );
}

/** Whether the native side would paint the same. */
export function sameLayout(a: StageLayout, b: StageLayout): boolean {
  return (
    a.scale === b.scale &&
    sameRect(a.remote, b.remote) &&
    sameRect(a.own, b.own) &&
    a.above.length === b.above.length &&
    a.above.every((one, index) => {
      const other = b.above[index];
      return other !== undefined && one.radius === other.radius && sameRect(one.rect, other.rect);
    })
  );
}

function sameRect(a: Rect | null, b: Rect | null): boolean {
  if (a === null || b === null) return a === b;
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}
