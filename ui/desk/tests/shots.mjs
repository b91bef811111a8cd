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
  transfer: "ana",
  presence: "ana",
  "asked-transfer": "ana",
  "transfer-live": "ana",
  "asked-live": null,
  "video-wanted": "ana",
  untested: null,
  testing: null,
  "test-tone": null,
  "test-call": null,
  ready: null,
  "audio-only": null,
  "not-ready": null,
  unplugged: "ana",
  board: null,
  connectors: null,
  "connectors-use": null,
  "connectors-none": null,
  "connectors-new": null,
  letters: null,
  "letters-none": null,
  bot: "ana",
  channels: "ana",
  "asked-for-you": "ana",
  previous: "ana",
  "previous-unknown": "ana",
  "video-starting": "ana",
  "video-blocked": "ana",
  wall: null,
  "wall-quiet": null,
  "wall-goals": null,
  "wall-why": null,
  "wall-why-read": null,
  audit: null,
  "audit-empty": null,
  "audit-broken": null,
  "audit-failed": null,
  "not-delivered": "ana",
  "wall-read": null,
  "wall-joined": null,
  "wall-assign": null,
  "wall-transfer": null,
  "wall-close": null,
};
/** The keys that lead to what a scenario is about, where the conversations are not. */
const KEYS = {
  transfer: ["h"],
  "transfer-live": ["h"],
  presence: ["p"],
  untested: ["t"],
  testing: ["t"],
  "test-tone": ["t"],
  "test-call": ["t"],
  ready: ["t"],
  "audio-only": ["t"],
  "not-ready": ["t"],
  board: ["b", "j", "Enter"],
  wall: ["l"],
  "wall-quiet": ["l"],
  "wall-goals": ["l"],
  "wall-why": ["l", "j", "i"],
  "wall-why-read": ["l", "j", "j", "j", "Enter", "i"],
  audit: ["l", "Audit log", "Check the chain"],
  "audit-empty": ["l", "u", "Check the chain"],
  "audit-broken": ["l", "u", "Check the chain"],
  "audit-failed": ["l", "u"],
  "wall-read": ["l", "j", "j", "j", "Enter"],
  "wall-joined": ["l", "j", "j", "j", "Enter", "e"],
  "wall-assign": ["l", "j", "Enter", "s"],
  "wall-transfer": ["l", "j", "j", "j", "Enter", "x"],
  "wall-close": ["l", "j", "j", "j", "Enter", "Force close…"],
  connectors: ["g", "j", "Enter"],
  "connectors-use": ["g", "j", "Enter"],
  "connectors-none": ["g"],
  "connectors-new": ["g", "j", "Enter"],
  letters: ["g"],
  "letters-none": ["g"],
};
/** What is looked for before the next key, and at the end. */
const AFTER = {
  b: "[data-agent]",
  l: "main [data-agent]",
  Enter: "#page-title, main h1",
  e: "#composer",
  i: "[data-testid=why] dl",
  u: "main #page-title",
  "Audit log": "[data-audit]",
  "Check the chain": "[data-testid=audit-check]",
  s: "[role=dialog] .agent",
  x: "[role=dialog] .agent",
  "Force close…": "[role=dialog] textarea",
};
/** What is there then, where it is no page of its own. */
const SHOWN = { transfer: ".target", "transfer-live": ".target", presence: "[role=menu]" };
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
          if (key.length > 6) await page.getByRole("button", { name: key }).click();
          else await page.keyboard.press(key);
          if (key === "g" && name.startsWith("connectors") && name !== "connectors-none") {
            await page.locator("[data-connector]").first().waitFor();
          }
          if (AFTER[key] !== undefined && !/^(connectors|letters)/.test(name)) await page.locator(AFTER[key]).first().waitFor();
        }
        if (KEYS[name]?.length === 1 || SHOWN[name] !== undefined) {
          await page.locator(SHOWN[name] ?? "#page-title").first().waitFor();
        }
        // What a switch that is refused says.
        if (name === "connectors-use") {
          await page.getByRole("button", { name: "Disable…" }).click();
          await page.getByRole("button", { name: "Disable", exact: true }).click();
          await page.getByText("conversations are using this connector").waitFor();
        }
        // What a connector is asked for, with what is wrong.
        if (name === "connectors-new") {
          await page.getByRole("button", { name: "Add connector" }).click();
          await page.locator("#connector-form select").selectOption("webhook");
          await page.getByLabel("Name").fill("crm");
          await page.getByLabel("url").fill("http://crm.example/in");
          await page.getByLabel("secret").fill("env:CRM_SECRET");
          await page.getByRole("button", { name: "Save" }).click();
          await page.getByText("has to be an address").waitFor();
        }
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
