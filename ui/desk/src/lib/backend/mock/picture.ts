import type { Above, Rect, StageLayout } from "$wire";

/** Stands in for the native painter: two pictures over the page, around what the page keeps for itself. */
export class MockPictures {
  readonly #remote = tile("mock-remote");
  readonly #own = tile("mock-own");

  place(layout: StageLayout): void {
    // The own picture lies over the customer's.
    const own = layout.own === null ? [] : [{ rect: layout.own, radius: 0 }];
    move(this.#remote, layout.remote, [...layout.above, ...own]);
    move(this.#own, layout.own, layout.above);
  }
}

function tile(name: string): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.dataset["mock"] = name;
  canvas.style.position = "fixed";
  canvas.style.zIndex = "1000";
  canvas.style.pointerEvents = "none";
  canvas.hidden = true;
  // Beside the body: the page watches its own body only.
  document.documentElement.append(canvas);
  return canvas;
}

function move(canvas: HTMLCanvasElement, rect: Rect | null, above: readonly Above[]): void {
  canvas.hidden = rect === null;
  if (rect === null) return;
  canvas.style.left = `${rect.x}px`;
  canvas.style.top = `${rect.y}px`;
  canvas.width = Math.max(1, Math.round(rect.width));
  canvas.height = Math.max(1, Math.round(rect.height));
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.save();
  draw(context, canvas.dataset["mock"] === "mock-own");
  context.restore();
  context.globalCompositeOperation = "destination-out";
  for (const { rect: part, radius } of above) {
    context.beginPath();
    const round = Math.min(radius, part.width / 2, part.height / 2);
    context.roundRect(part.x - rect.x, part.y - rect.y, part.width, part.height, round);
    context.fill();
  }
}

/** Somebody in front of a wall, letterboxed to 16:9. */
function draw(context: CanvasRenderingContext2D, own: boolean): void {
  const { width, height } = context.canvas;
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
