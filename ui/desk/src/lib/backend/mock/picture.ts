import type { Rect, StageLayout } from "$wire";

/** Stands in for the native painter: two pictures beneath the transparent page. */
export class PictureBeneath {
  readonly #remote = tile("mock-remote");
  readonly #own = tile("mock-own");

  place(layout: StageLayout): void {
    move(this.#remote, layout.remote);
    move(this.#own, layout.own);
  }
}

function tile(name: string): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.dataset["mock"] = name;
  canvas.style.position = "fixed";
  canvas.style.zIndex = "-1";
  canvas.hidden = true;
  document.body.append(canvas);
  return canvas;
}

function move(canvas: HTMLCanvasElement, rect: Rect | null): void {
  canvas.hidden = rect === null;
  if (rect === null) return;
  canvas.style.left = `${rect.x}px`;
  canvas.style.top = `${rect.y}px`;
  canvas.width = Math.max(1, Math.round(rect.width));
  canvas.height = Math.max(1, Math.round(rect.height));
  draw(canvas);
}

/** Somebody in front of a wall, letterboxed to 16:9. */
function draw(canvas: HTMLCanvasElement): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const { width, height } = canvas;
  const own = canvas.dataset["mock"] === "mock-own";
  context.fillStyle = "#000";
  context.fillRect(0, 0, width, height);
  const scale = own ? Math.max(width / 16, height / 9) : Math.min(width / 16, height / 9);
  context.translate((width - 16 * scale) / 2, (height - 9 * scale) / 2);
  context.scale(scale, scale);
  const wall = context.createLinearGradient(0, 0, 16, 9);
  wall.addColorStop(0, own ? "#3f5f73" : "#8a6f5a");
  wall.addColorStop(1, own ? "#1f3442" : "#4b3a30");
  context.fillStyle = wall;
  context.fillRect(0, 0, 16, 9);
  context.fillStyle = own ? "#20303b" : "#2f4a5f";
  context.beginPath();
  context.ellipse(8, 9.6, 4, 3.6, 0, 0, Math.PI * 2);
  context.fill();
  context.fillStyle = "#d9a883";
  context.beginPath();
  context.ellipse(8, 4.4, 1.6, 2.1, 0, 0, Math.PI * 2);
  context.fill();
}
