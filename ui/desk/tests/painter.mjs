// The portable painter end to end: a real WebSocket, the worker, the canvases, the credit.
// Usage: npm run build:mock && npm run painter
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";
import { preview } from "vite";
import { frameSocket } from "./frame-socket.mjs";

mkdirSync("shots", { recursive: true });
const socket = await frameSocket();
const server = await preview({ build: { outDir: "dist-mock" }, preview: { port: 0 } });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const faults = [];
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  // As in the Tauri window.
  await page.addInitScript("Object.freeze(Object.prototype)");
  page.on("console", (line) => line.type() === "error" && faults.push(line.text()));
  page.on("pageerror", (error) => faults.push(error.message));
  await page.goto(`${server.resolvedUrls?.local[0]}?mock=live&socket=${encodeURIComponent(socket.url)}`);

  const remote = page.locator('[data-testid=stage-remote][data-picture="true"]');
  await remote.waitFor();
  assert.equal(socket.seen.token, "mock");
  // The own picture ended after 30 frames: words take its place, the customer's stays.
  await page.locator('[data-testid=stage-own][data-picture="false"]').waitFor();
  assert.ok(socket.seen.drawn[1] >= 30, `${socket.seen.drawn[1]} own frames drawn`);
  const shot = await remote.screenshot({ path: "shots/painter.png" });
  const [red, green, blue] = await page.evaluate(async (png) => {
    const bitmap = await createImageBitmap(new Blob([new Uint8Array(png)], { type: "image/png" }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    return [...context.getImageData(bitmap.width >> 1, bitmap.height >> 1, 1, 1).data];
  }, [...shot]);
  assert.ok(red > 200 && green < 60 && blue < 60, `the customer is red, not ${red},${green},${blue}`);
  assert.deepEqual(faults, []);
  console.log(`${socket.seen.drawn[0]} and ${socket.seen.drawn[1]} frames drawn`);
} finally {
  await browser.close();
  await server.close();
  socket.close();
}
