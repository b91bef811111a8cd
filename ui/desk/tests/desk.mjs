// Plays what an agent meets at the desk against the mock in a browser: a question that comes while she types, notices, a
// message that did not arrive, and a thread with history above.
// Usage: npm run build:mock && npm run desk
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { preview } from "vite";

const server = await preview({ build: { outDir: "dist-mock" }, preview: { port: 0 } });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const faults = [];
const base = server.resolvedUrls?.local[0];

async function at(scenario, viewport = { width: 1280, height: 800 }) {
  const page = await browser.newPage({ viewport });
  // As in the Tauri window.
  await page.addInitScript("Object.freeze(Object.prototype)");
  page.on("console", (line) => {
    if (line.type() === "error" || /Content Security Policy/.test(line.text())) faults.push(line.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  await page.goto(`${base}?mock=${scenario}`);
  await page.locator("html[data-link=online]").waitFor();
  return page;
}

const focus = (page) => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent?.trim());

try {
  // The card is announced and takes nothing: Escape in the message declines nothing.
  let page = await at("assigned");
  const card = page.getByTestId("assignment");
  await card.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement === document.body), true, "the card takes no focus");
  await page.getByRole("alert").getByText("Luis Ortega wants to reach you by video call").waitFor();
  await page.keyboard.press("Escape");
  await page.locator('[data-conversation="ana"]').click();
  await page.locator("#composer").click();
  await page.keyboard.type("One moment");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  assert.equal(await card.count(), 1, "nobody has declined");
  await page.locator("#composer").focus();
  await page.keyboard.press("Control+Shift+Q");
  await page.waitForFunction(() => document.activeElement?.textContent?.trim() === "Accept");
  await page.keyboard.press("Tab");
  assert.equal(await focus(page), "Decline");
  await page.keyboard.press("Escape");
  await card.waitFor({ state: "detached" });
  assert.equal(await focus(page), "composer", "the focus is back where she came from");
  await page.close();

  // Notices: one for a code, three at once, problems stay and nothing is lost.
  page = await at("errors");
  const toasts = page.locator("[data-notice]");
  await toasts.first().waitFor();
  assert.deepEqual(
    await toasts.evaluateAll((all) => all.map((one) => one.dataset.notice)),
    ["video_slot_taken", "closed_by_supervisor", "internal"],
  );
  await page.getByText("1 more notice behind these").waitFor();
  const closed = page.locator("[data-notice=closed_by_supervisor]");
  await closed.getByText("(2 times)").waitFor();
  await closed.getByText("Before that").click();
  await closed.getByText("Sofia has closed the conversation with Ana Moreno.").waitFor();
  await page.locator("[data-notice=internal]").getByRole("button", { name: "Dismiss" }).click();
  await page.locator("[data-notice=already_accepted]").waitFor();
  assert.equal(await page.getByText("behind these").count(), 0);
  await page.close();

  // What did not arrive says so on its own line, once, with what can be done.
  page = await at("not-delivered");
  await page.locator('[data-conversation="ana"]').click();
  const lost = page.locator("[data-delivery=lost]");
  await lost.first().waitFor();
  assert.equal(await lost.count(), 2);
  await page.getByText("The platform refuses (blocked).").waitFor();
  assert.equal(await page.getByText(/^Sent$/).count(), 0, "no mark says something else");
  assert.equal(await page.getByRole("button", { name: "Send again" }).count(), 1, "what was given up is written anew");
  await page.getByTestId("because").getByText("Why you?").waitFor();
  await page.close();

  // A thread opens at its newest line, with what came before above it.
  page = await at("previous", { width: 1024, height: 560 });
  await page.locator('[data-conversation="ana"]').click();
  await page.getByRole("log").getByText("Loading").waitFor({ state: "detached" });
  await page.waitForFunction(() => {
    const list = document.querySelector("[role=log]");
    return list !== null && list.scrollHeight > list.clientHeight && list.scrollHeight - list.scrollTop - list.clientHeight < 2;
  });
  // Also when all of it comes a moment after the first line, between a scroll of ours and its event.
  await page.evaluate(async () => {
    const list = document.querySelector("[role=log]");
    const first = list.querySelector(".content").firstElementChild;
    list.scrollTop = list.scrollHeight;
    for (let count = 0; count < 12; count += 1) {
      const line = document.createElement("p");
      line.textContent = "What was said before";
      line.style.height = "120px";
      first.before(line);
      // After the frame in which our scroll was made, and before the next one tells of it.
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    }
  });
  await page.waitForFunction(() => {
    const list = document.querySelector("[role=log]");
    return list.scrollHeight - list.scrollTop - list.clientHeight < 2;
  });
  assert.equal(await page.getByRole("button", { name: "Newest" }).count(), 0);
  // A reader who scrolls up is left there.
  await page.getByRole("log").focus();
  await page.keyboard.press("PageUp");
  await page.getByRole("button", { name: "Newest" }).waitFor();
  await page.close();
} finally {
  await browser.close();
  await server.close();
}
assert.deepEqual(faults, []);
console.log("the desk played");
