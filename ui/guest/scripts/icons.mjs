// Draws icons/*.svg and writes them into the pages' heads as bitmaps of 32x32: after a change of theirs, by hand.
import { readFileSync, writeFileSync } from "node:fs";
import { launchChromium } from "../../../tests/lib/chromium.mjs";

const SIZE = 32;

const browser = await launchChromium();
for (const name of ["join", "chat"]) {
  const drawn = await browser.newPage({ viewport: { width: SIZE, height: SIZE } });
  const svg = readFileSync(new URL(`../icons/${name}.svg`, import.meta.url), "utf8");
  await drawn.setContent(`<style>body { margin: 0 } svg { display: block; width: ${SIZE}px }</style>${svg}`);
  const bitmap = (await drawn.screenshot({ omitBackground: true })).toString("base64");
  const file = new URL(`../${name}.html`, import.meta.url);
  const html = readFileSync(file, "utf8");
  writeFileSync(file, html.replace(/(<link rel="icon" [^>]*href=")[^"]*/, `$1data:image/png;base64,${bitmap}`));
}
await browser.close();
