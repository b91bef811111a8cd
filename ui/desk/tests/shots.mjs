// Draws every mock scenario, light and dark, at the two sizes that must hold, into shots/.
// Usage: npm run build:mock && npm run shots [-- scenario ...]
// Fails when the page breaks the content security policy, logs an error, or breaks a rule of WCAG 2.2 AA that
// axe can see.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { preview } from "vite";

const SCENARIOS = {
  starting: null,
  "signed-out": null,
  "session-expired": null,
  "first-start": null,
  empty: null,
  waiting: null,
  full: "ana",
  chat: "ana",
  offline: "ana",
  preparing: "ana",
  invited: "ana",
  connecting: "ana",
  live: "ana",
  "live-poor": "ana",
  "live-camera-off": "ana",
  "live-away": "ana",
  "live-trouble": "ana",
  "live-elsewhere": "b",
  "confirm-close": null,
  ended: "ana",
  survey: "ana",
  "wrap-up": "ana",
  displaced: "ana",
  errors: "ana",
  assigned: "ana",
  "assigned-hurry": null,
  "taken-back": "ana",
  paused: "ana",
  untested: null,
  testing: null,
  "test-tone": null,
  "test-call": null,
  ready: null,
  "audio-only": null,
  "not-ready": null,
  unplugged: "ana",
  board: null,
};
/** The keys that lead to what a scenario is about, where the conversations are not. */
const KEYS = {
  untested: ["t"],
  testing: ["t"],
  "test-tone": ["t"],
  "test-call": ["t"],
  ready: ["t"],
  "audio-only": ["t"],
  "not-ready": ["t"],
  board: ["b", "j", "Enter"],
};
const SIZES = { wide: [1280, 800], small: [1024, 700] };

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const only = process.argv.slice(2);
const names = Object.keys(SCENARIOS).filter((name) => only.length === 0 || only.includes(name));
mkdirSync("shots", { recursive: true });

const server = await preview({ build: { outDir: "dist-mock" }, preview: { port: 0 } });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const faults = [];
try {
  const base = server.resolvedUrls?.local[0];
  for (const colorScheme of ["light", "dark"]) {
    for (const [size, [width, height]] of Object.entries(SIZES)) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme });
      for (const name of names) {
        const page = await context.newPage();
        page.on("console", (line) => {
          if (line.type() === "error" || /Content Security Policy/.test(line.text())) {
            faults.push(`${name}: ${line.text()}`);
          }
        });
        page.on("pageerror", (error) => faults.push(`${name}: ${error.message}`));
        await page.goto(`${base}?mock=${name}`);
        await page.locator("html[data-link]").waitFor();
        const open = SCENARIOS[name];
        const row = page.locator(`[data-conversation="${open}"]`);
        if (open !== null) await row.click();
        for (const key of KEYS[name] ?? []) {
          await page.keyboard.press(key);
          if (key === "b") await page.locator("[data-agent]").first().waitFor();
        }
        if (KEYS[name] !== undefined) await page.locator("#page-title").waitFor();
        await page.evaluate(() => document.fonts.ready);
        await page.evaluate(
          () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
        );
        await page.mouse.move(width / 2, 4);
        if (size === "wide") {
          await page.evaluate(axe);
          const { violations } = await page.evaluate(() =>
            globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] }),
          );
          for (const { id, nodes } of violations) {
            for (const node of nodes) {
              faults.push(`${name} ${colorScheme}: ${id} ${node.target} ${node.any[0]?.message ?? ""}`);
            }
          }
        }
        await page.screenshot({ path: `shots/${name}-${colorScheme}-${size}.png`, animations: "disabled" });
        await page.close();
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  await server.close();
}
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
console.log(`${names.length} scenarios drawn`);
