import type { TileName } from "./layout";

export type ToWorker =
  | { type: "open"; url: string; token: string }
  | { type: "canvas"; id: number; tile: 0 | 1; canvas: OffscreenCanvas }
  | { type: "gone"; id: number; tile: 0 | 1 }
  | { type: "close" };

export type ToPage = { type: "picture"; tile: 0 | 1; width: number; height: number };

const TILE: Readonly<Record<TileName, 0 | 1>> = { remote: 0, own: 1 };

/** The portable painter: a worker that draws the loopback socket's frames on canvases of this page. */
export class CanvasPainter {
  readonly #worker: Worker;
  #id = 0;

  constructor(url: string, token: string, onPicture: (tile: TileName, shown: boolean) => void) {
    this.#worker = new Worker(new URL("./frames.worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = (event: MessageEvent<ToPage>) => {
      onPicture(event.data.tile === 0 ? "remote" : "own", event.data.width > 0);
    };
    this.#post({ type: "open", url, token });
  }

  /** Draws on `canvas` from now on; answers how to stop. A canvas can be given only once. */
  show(name: TileName, canvas: HTMLCanvasElement): () => void {
    const tile = TILE[name];
    this.#id += 1;
    const id = this.#id;
    const offscreen = canvas.transferControlToOffscreen();
    this.#worker.postMessage({ type: "canvas", id, tile, canvas: offscreen } satisfies ToWorker, [offscreen]);
    return () => this.#post({ type: "gone", id, tile });
  }

  close(): void {
    this.#post({ type: "close" });
    this.#worker.terminate();
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}
