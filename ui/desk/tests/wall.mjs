// Plays supervision against the mock in a browser: a supervisor reads the wall, assigns, reads along, joins and closes.
// Usage: npm run build:mock && npm run wall
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { preview } from "vite";

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
const rows = page.locator("main tbody tr");
const focused = () => page.evaluate(() => document.activeElement?.dataset.conversation ?? document.activeElement?.id);

try {
  await page.goto(`${server.resolvedUrls?.local[0]}?mock=wall`);
  await page.locator("html[data-link=online]").waitFor();

  // The wall with the keyboard.
  await page.keyboard.press("l");
  await page.getByRole("table", { name: "Conversations" }).waitFor();
  assert.equal(await rows.count(), 10);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  assert.equal(await focused(), "q2", "who waits comes first");
  await page.keyboard.press("/");
  await page.waitForFunction(() => document.activeElement?.id === "wall-search");
  await page.keyboard.type("priya");
  await page.waitForFunction(() => document.querySelectorAll("main tbody tr").length === 3);
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.querySelectorAll("main tbody tr").length === 10);
  await page.getByRole("radio", { name: /^On video/ }).check();
  assert.equal(await rows.count(), 3);
  await page.locator('[data-agent="p2"]').click();
  await page.getByText("No conversation fits").waitFor();
  await button("Show all 10").click();
  await page.locator('[data-agent="p2"]').click();
  assert.equal(await rows.count(), 3, "an agent's own");
  await page.locator('[data-agent="p2"]').click();

  // Why nobody has it, and why it is with whom, from the wall and from the opened conversation.
  await page.locator('main [data-conversation="q1"]').focus();
  await page.keyboard.press("i");
  const why = page.getByTestId("why");
  await why.getByText("It waits.").waitFor();
  await why.getByText("Nobody can take it. 2: Is not connected.").waitFor();
  assert.equal(await why.locator("[data-able=true]").count(), 0);
  await page.keyboard.press("Escape");
  await why.waitFor({ state: "detached" });
  assert.equal(await focused(), "q1", "the focus is back in its row");
  await button("Why: Luis Ortega").click();
  await why.getByText("Tomasz Zieliński is being asked.").waitFor();
  assert.deepEqual(
    await why.locator("li").evaluateAll((all) => all.slice(0, 2).map((one) => one.dataset.able)),
    ["true", "false"],
    "who could take it comes first",
  );
  await why.getByText(/^As it (is|was)/).waitFor();
  await why.getByRole("button", { name: "Done" }).click();
  await why.waitFor({ state: "detached" });

  // The audit log from the wall: pages, the check, and back.
  await button("Audit log").click();
  await page.locator("[data-audit]").first().waitFor();
  assert.equal(await page.locator("[data-audit]").count(), 50);
  await button("Older entries").click();
  await page.waitForFunction(() => document.querySelectorAll("[data-audit]").length === 100);
  await button("Older entries").click();
  await page.getByText("That is the beginning of the log.").waitFor();
  await button("Check the chain").click();
  await page.getByText("All 120 entries are intact.").waitFor();
  await button("Back to the live wall").click();
  await page.getByRole("table", { name: "Conversations" }).waitFor();

  // Too much for one agent: the first answer says by how much, the second click does it.
  await page.getByRole("button", { name: /^Assign….*Luis Ortega/ }).click();
  const dialog = page.getByRole("dialog");
  await page.waitForFunction(() => document.activeElement?.id === "supervise-search");
  assert.equal(await dialog.getByText("Greta Sundström").count(), 0, "who is not here is given nothing");
  await page.keyboard.type("Priya");
  await dialog.getByRole("radio", { name: /^Priya/ }).check();
  await dialog.getByRole("button", { name: "Assign", exact: true }).click();
  await dialog.getByText("Priya Raghunathan would have 150 of 100 units: 50 too many.").waitFor();
  await dialog.getByRole("button", { name: "Assign anyway" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText("Asking Priya Raghunathan").waitFor();

  // Only for reading, then with a voice of one's own, then not any more.
  await page.locator('main [data-conversation="c7"]').click();
  await page.getByText("You read along.").waitFor();
  assert.equal(await page.locator("#composer").count(), 0);
  await button("Why?").click();
  await why.getByText("It is with Noah Lindqvist.").waitFor();
  await page.keyboard.press("Escape");
  await why.waitFor({ state: "detached" });
  await page.keyboard.press("e");
  await page.waitForFunction(() => document.activeElement?.id === "composer");
  assert.equal(await button("Start video").count(), 0, "the call is the owner's");
  await page.keyboard.type("Let me help.");
  await page.keyboard.press("Enter");
  await page.getByText("Let me help.").first().waitFor();
  await button("Leave").click();
  await page.getByText("You read along.").waitFor();

  // A live call is ended by choice only.
  await page.keyboard.press("l");
  await page.locator('main [data-conversation="ana"]').click();
  await button("Force close…").click();
  await page.waitForFunction(() => document.activeElement?.id === "supervise-words");
  await page.keyboard.type("We close for today.");
  assert.equal(await button("Close for everybody").getAttribute("aria-disabled"), "true");
  await dialog.getByRole("checkbox").check();
  await button("End call and close").click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText("Closed: Closed by a supervisor.").waitFor();
  assert.equal(await page.getByTestId("supervise-bar").count(), 0);
  await page.keyboard.press("l");
  await page.waitForFunction(() => document.querySelectorAll("main tbody tr").length === 9);
} finally {
  await browser.close();
  await server.close();
}
assert.deepEqual(faults, []);
console.log("supervision played");
