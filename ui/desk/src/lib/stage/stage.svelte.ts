import { createContext } from "svelte";
import type { PainterView, StageLayout } from "$wire";
import { CanvasPainter } from "./canvas";
import { StageReporter, type TileName } from "./layout";

/** How the pictures reach the window: painted natively over it, or on canvases in it. */
export class Pictures {
  readonly reporter: StageReporter;
  /** Set while the canvas path is in use. */
  canvas = $state.raw<CanvasPainter | null>(null);
  /** Which canvases have something on them; the native path paints without telling. */
  shown = $state<Record<TileName, boolean>>({ remote: true, own: true });
  #source = "";

  constructor(send: (layout: StageLayout) => void) {
    this.reporter = new StageReporter(send);
  }

  /** Follows the controller's choice. */
  use(painter: PainterView): void {
    const source = painter.type === "canvas" ? `${painter.url} ${painter.token}` : "";
    if (source === this.#source) return;
    this.#source = source;
    this.canvas?.close();
    if (painter.type === "native") {
      this.canvas = null;
      this.shown = { remote: true, own: true };
      return;
    }
    this.shown = { remote: false, own: false };
    this.canvas = new CanvasPainter(painter.url, painter.token, (tile, shown) => {
      this.shown[tile] = shown;
    });
  }
}

export const [getPictures, setPictures] = createContext<Pictures>();
