/// <reference lib="webworker" />
import { i420ToRgba, parseFrame, type Frame } from "./frame";
import type { ToPage, ToWorker } from "./canvas";

/** Draws the pictures of the loopback socket, away from the page's own thread. */

declare const self: DedicatedWorkerGlobalScope;

interface Surface {
  readonly id: number;
  readonly canvas: OffscreenCanvas;
  readonly context: OffscreenCanvasRenderingContext2D;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 2_000;

const surfaces = new Map<number, Surface>();
let socket: WebSocket | null = null;
let source: { url: string; token: string } | null = null;
let retry = FIRST_RETRY_MS;
let timer: ReturnType<typeof setTimeout> | undefined;

self.onmessage = (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  switch (message.type) {
    case "canvas":
      return addSurface(message.id, message.tile, message.canvas);
    case "gone":
      // The next canvas of the same tile may have come first.
      if (surfaces.get(message.tile)?.id === message.id) surfaces.delete(message.tile);
      return;
    case "open":
      source = { url: message.url, token: message.token };
      retry = FIRST_RETRY_MS;
      return connect();
    case "close":
      source = null;
      clearTimeout(timer);
      return socket?.close();
  }
};

function addSurface(id: number, tile: number, canvas: OffscreenCanvas): void {
  const context = canvas.getContext("2d", { alpha: false, desynchronized: true });
  if (context !== null) surfaces.set(tile, { id, canvas, context });
}

function connect(): void {
  if (source === null) return;
  clearTimeout(timer);
  socket?.close();
  const { url, token } = source;
  const opened = new WebSocket(url);
  socket = opened;
  opened.binaryType = "arraybuffer";
  opened.onopen = () => opened.send(JSON.stringify({ token }));
  opened.onmessage = (event: MessageEvent) => {
    if (!(event.data instanceof ArrayBuffer)) return;
    retry = FIRST_RETRY_MS;
    const frame = parseFrame(event.data);
    if (frame === null) return;
    show(frame);
    // The next frame of this tile comes only after this: nothing piles up.
    opened.send(JSON.stringify({ drawn: frame.tile }));
  };
  opened.onclose = () => {
    if (socket !== opened) return;
    tell({ type: "picture", tile: 0, width: 0, height: 0 });
    tell({ type: "picture", tile: 1, width: 0, height: 0 });
    if (source === null) return;
    timer = setTimeout(connect, retry);
    retry = Math.min(LAST_RETRY_MS, retry * 2);
  };
}

const sizes = new Map<number, string>();

function show(frame: Frame): void {
  const size = `${frame.width}x${frame.height}`;
  if (sizes.get(frame.tile) !== size) {
    sizes.set(frame.tile, size);
    tell({ type: "picture", tile: frame.tile, width: frame.width, height: frame.height });
  }
  const surface = surfaces.get(frame.tile);
  if (surface === undefined || frame.width === 0) return;
  const { canvas, context } = surface;
  if (canvas.width !== frame.width || canvas.height !== frame.height) {
    canvas.width = frame.width;
    canvas.height = frame.height;
  }
  if (typeof VideoFrame === "undefined") drawPixels(context, frame);
  else drawVideoFrame(context, frame);
}

function drawVideoFrame(context: OffscreenCanvasRenderingContext2D, frame: Frame): void {
  const picture = new VideoFrame(frame.planes, {
    format: "I420",
    codedWidth: frame.width,
    codedHeight: frame.height,
    timestamp: frame.at * 1000,
    colorSpace: { matrix: "smpte170m", primaries: "smpte170m", transfer: "smpte170m", fullRange: false },
  });
  context.drawImage(picture, 0, 0);
  picture.close();
}

function drawPixels(context: OffscreenCanvasRenderingContext2D, frame: Frame): void {
  const image = context.createImageData(frame.width, frame.height);
  i420ToRgba(frame, image.data);
  context.putImageData(image, 0, 0);
}

function tell(message: ToPage): void {
  if (message.type === "picture" && message.width === 0) sizes.delete(message.tile);
  self.postMessage(message);
}
