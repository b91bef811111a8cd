// Plays readiness against the mock in a browser: an agent tests the desk with the keyboard, and a supervisor reads
// the board. Usage: npm run build:mock && npm run readiness
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";
import { preview } from "vite";

mkdirSync("shots", { recursive: true });
const server = await preview({ build: { outDir: "dist-mock" }, preview: { port: 0 } });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const faults = [];
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
// As in the Tauri window.
await page.addInitScript("Object.freeze(Object.prototype)");
page.on("console", (line) => {
  if (line.type() === "error" || /Content Security Policy/.test(line.text())) faults.push(line.text());
});
page.on("pageerror", (error) => faults.push(error.message));

const button = (name) => page.getByRole("button", { name, exact: true });
const verdict = (standing) => page.locator(`[data-verdict="${standing}"]`).waitFor();
const shot = (name) => page.screenshot({ path: `shots/readiness-${name}.png`, animations: "disabled" });
const open = async (scenario) => {
  await page.goto(`${server.resolvedUrls?.local[0]}?mock=${scenario}`);
  await page.locator("html[data-link=online]").waitFor();
};

/** How far a native picture is from the place that the page keeps for it, in pixels. */
const away = (tile) =>
  page.evaluate((name) => {
    const place = document.querySelector(`[data-testid=stage-${name}]`).getBoundingClientRect();
    const picture = document.querySelector(`[data-mock=mock-${name}]`);
    if (picture.hidden) return Infinity;
    const box = picture.getBoundingClientRect();
    return Math.abs(place.left - box.left) + Math.abs(place.top - box.top) + Math.abs(place.width - box.width);
  }, tile);
const pictured = async (tile) => {
  await page.waitForFunction((name) => document.querySelector(`[data-mock=mock-${name}]`)?.hidden === false, tile);
  const far = await away(tile);
  assert.ok(far < 2, `the picture is ${far} px away from its tile`);
};

try {
  // A desk that nobody has tested: the button says why it does nothing, and where to go.
  await open("untested");
  await page.locator('[data-readiness="unknown"]').waitFor();
  await page.locator('[data-conversation="ana"]').click();
  assert.equal(await button("Start video").getAttribute("aria-disabled"), "true");
  await page.getByText("This desk has not been tested yet.").first().waitFor();
  await shot("blocked");
  await button("Open the self-test").click();
  await verdict("unknown");
  await page.keyboard.press("Escape");
  await button("Start video").waitFor();
  await page.keyboard.press("t");
  await verdict("unknown");
  await page.waitForFunction(() => document.activeElement?.id === "page-title");

  await button("Start the self-test").click();
  await verdict("testing");
  await page.locator('[data-check="camera"][data-state="running"]').waitFor();
  await pictured("own");
  await shot("camera");
  await page.waitForFunction(() => Number(document.querySelector("[role=meter]")?.getAttribute("aria-valuenow")) > 0);
  await button("I hear it").waitFor();
  await shot("tone");
  await page.keyboard.press("y");
  await button("I hear it").waitFor({ state: "detached" });
  await page.locator('[data-check="call"][data-state="running"]').waitFor();
  await page.getByTestId("call-part").scrollIntoViewIfNeeded();
  await page.waitForFunction(() => document.querySelector("[data-mock=mock-remote]")?.hidden === false);
  await shot("call");
  await verdict("video");
  await page.locator('[data-readiness="video"]').waitFor();
  assert.equal(await page.locator("[data-lamp][data-state=pass]").count(), 3);
  assert.equal(await page.locator("[data-check][data-state=pass]").count(), 18);
  await shot("ready");

  // Every check opens, and can be tested alone.
  const camera = page.locator('[data-check="camera"]');
  await camera.getByRole("button", { name: /^Camera/ }).focus();
  await page.keyboard.press("Enter");
  await camera.getByText("1280 × 720").waitFor();
  await camera.getByRole("button", { name: /^Test this again/ }).click();
  await page.locator('[data-check="camera"][data-state="running"]').waitFor();
  await verdict("video");
  await button("Save the report").click();
  await page.getByText("Downloads/self-test.txt").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await button("Start video").getAttribute("aria-disabled"), "false");

  // A running test can be left and stopped from anywhere; what it asks for is asked there.
  await open("test-tone");
  await page.getByText("The self-test plays a tone.").waitFor();
  await button("I hear nothing").click();
  await page.locator('[data-readiness="not_ready"]').waitFor();

  // The board.
  await open("board");
  await page.keyboard.press("b");
  await page.getByRole("table", { name: "Agents" }).waitFor();
  assert.equal(await page.locator("tbody tr").count(), 40);
  await shot("board");
  await page.getByRole("radio", { name: /^Audio only/ }).check();
  const audio = await page.locator("tbody tr").count();
  assert.ok(audio > 0 && audio < 40, `${audio} of 40 are ready for audio only`);
  assert.equal(await page.locator('tbody tr[data-standing="audio"]').count(), audio);
  await page.getByRole("radio", { name: /^All/ }).check();
  await page.getByRole("columnheader", { name: "Agent" }).getByRole("button").click();
  await page.locator('th[aria-sort="ascending"]', { hasText: "Agent" }).waitFor();
  await page.keyboard.press("/");
  await page.waitForFunction(() => document.activeElement?.id === "board-search");
  await page.keyboard.type("BRIO");
  await page.waitForFunction(() => document.querySelectorAll("tbody tr").length < 40);
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 40);
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.activeElement?.matches("[data-agent]"));
  const first = await page.evaluate(() => document.activeElement.dataset.agent);
  await page.keyboard.press("j");
  assert.notEqual(await page.evaluate(() => document.activeElement.dataset.agent), first);
  await page.keyboard.press("Enter");
  const detail = page.getByRole("complementary");
  await detail.getByText("Last tests").waitFor();
  await detail.locator("[aria-controls^=report-]").first().waitFor();
  assert.equal(await detail.locator("[aria-controls^=report-]").count(), 30);
  await detail.locator("[aria-controls^=report-]").first().click();
  await detail.getByText("Debian 12, x86_64").waitFor();
  await shot("detail");
  await page.keyboard.press("Escape");
  await detail.waitFor({ state: "detached" });
  const ask = page.getByRole("button", { name: /^Ask to test/ }).and(page.locator("[aria-disabled=false]")).first();
  await ask.click();
  await page.locator("tbody").getByText("Testing now").nth(1).waitFor();
  await button("Save as CSV").click();
  await page.getByText("Downloads/readiness.csv").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("region", { name: "Inbox" }).waitFor();
  assert.deepEqual(faults, []);
  console.log("readiness works");
} finally {
  await browser.close();
  await server.close();
}
