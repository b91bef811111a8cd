// Plays platforms against the mock in a browser, with the keyboard where it counts: an admin tests, switches and clears
// up, and an agent takes over from a bot. Usage: npm run build:mock && npm run connectors
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
const open = async (scenario) => {
  await page.goto(`${server.resolvedUrls?.local[0]}?mock=${scenario}`);
  await page.locator("html[data-link=online]").waitFor();
};
const focused = (selector) => page.waitForFunction((wanted) => document.activeElement?.matches(wanted), selector);

try {
  // An admin opens a connector and tests it.
  await open("connectors");
  await page.keyboard.press("g");
  await page.getByRole("table", { name: "Connectors" }).waitFor();
  assert.equal(await page.locator("tbody tr").count(), 8);
  assert.equal(await page.locator('tr[data-health="failing"]').count(), 1);
  await page.keyboard.press("j");
  await focused('[data-connector="whatsapp-spain"]');
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  const detail = page.getByRole("complementary", { name: "sms, in detail" });
  await detail.getByText("AC0123456789abcdef0123456789abcdef").waitFor();
  await button("Test connection").click();
  await detail.getByText(/Calling the platform/).waitFor();
  await detail.getByText("The platform answered and knows us.").waitFor();

  // It is in use: nothing happens but that it says by whom, and each is a step away.
  await button("Disable…").click();
  await page.getByRole("alertdialog").waitFor();
  await button("Keep it enabled").click();
  await page.getByRole("alertdialog").waitFor({ state: "detached" });
  await button("Disable…").click();
  await button("Disable").click();
  await detail.getByText("3 conversations are using this connector.").waitFor();
  await detail.getByRole("button", { name: /Ana Moreno/ }).click();
  await page.getByRole("main", { name: "Conversation with Ana Moreno" }).waitFor();

  // One that nobody uses is switched off and on.
  await page.keyboard.press("g");
  await page.locator('[data-connector="shop"]').click();
  await button("Disable…").click();
  await button("Disable").click();
  await page.locator('tr[data-health="disabled"] [data-connector="shop"]').waitFor();
  await button("Enable").click();
  await page.locator('tr[data-health="enabled"] [data-connector="shop"]').waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("complementary").waitFor({ state: "detached" });
  await focused('[data-connector="shop"]');

  // One is set up: what is missing or wrong is named at its field, and it is there at once. It goes again.
  await button("Add connector").click();
  const form = page.getByRole("complementary", { name: "New connector" });
  await focused("#connector-form select");
  await page.keyboard.type("Signed");
  await form.getByLabel("Name").fill("crm sales");
  await button("Save").click();
  await form.getByText("A name has letters, digits, - and _ only.").waitFor();
  await form.getByLabel("Name").fill("crm");
  await button("Save").click();
  await form.getByText("url is missing.").waitFor();
  await form.getByLabel("url").fill("http://crm.example/in");
  await form.getByLabel("secret").fill("env:CRM_NEW\nenv:CRM");
  await button("Save").click();
  await form.getByText("has to be an address that begins with https://").waitFor();
  await focused('[data-field="url"][aria-invalid="true"]');
  await form.getByLabel("url").fill("https://crm.example/in");
  await page.keyboard.press("Enter");
  const crm = page.getByRole("complementary", { name: "crm, in detail" });
  await crm.getByText("env:CRM_NEW").waitFor();
  await button("Edit…").click();
  const edit = page.getByRole("complementary", { name: "Settings of crm" });
  assert.equal(await edit.getByLabel("secret").inputValue(), "env:CRM_NEW\nenv:CRM");
  await edit.getByLabel("secret").fill("env:CRM_NEW");
  await button("Save").click();
  await crm.waitFor();
  assert.equal(await crm.getByText("env:CRM", { exact: true }).count(), 0);
  await button("Disconnect…").click();
  await button("Disconnect").click();
  await page.locator('[data-connector="crm"]').waitFor({ state: "detached" });
  await page.locator('[data-connector="sms"]').click();
  await button("Disconnect…").click();
  await button("Disconnect").click();
  await page.getByText("3 conversations are using this connector.").waitFor();
  await page.keyboard.press("Escape");

  // Rooms elsewhere stand beside them, once and under one name: tested, disconnected, and set up again without a name.
  const rooms = page.getByRole("complementary", { name: "webex_instant_connect, in detail" });
  await page.locator('[data-connector="webex_instant_connect"]').click();
  await rooms.getByText("Webex Instant Connect").waitFor();
  assert.equal(await rooms.getByText("Address for the platform").count(), 0);
  await button("Test connection").click();
  await rooms.getByText(/made a room for this test/).waitFor();
  await button("Add connector").click();
  const platforms = form.getByRole("combobox", { name: "Platform" });
  await platforms.locator("option", { hasText: "Signed webhook" }).waitFor({ state: "attached" });
  assert.equal(await platforms.locator("option", { hasText: "Webex Instant Connect" }).count(), 0, "it is there already");
  await button("Cancel").click();
  await page.locator('[data-connector="webex_instant_connect"]').click();
  await button("Disconnect…").click();
  await button("Disconnect").click();
  await page.locator('[data-connector="webex_instant_connect"]').waitFor({ state: "detached" });
  await button("Add connector").click();
  await platforms.selectOption({ label: "Webex Instant Connect" });
  await form.getByText("It is set up once, as webex_instant_connect.").waitFor();
  assert.equal(await form.getByLabel("Name", { exact: true }).count(), 0);
  await form.getByLabel("bot_token").fill("env:WEBEX_BOT_TOKEN");
  await button("Save").click();
  await rooms.getByText("env:WEBEX_BOT_TOKEN").waitFor();
  await focused('[data-connector="webex_instant_connect"]');
  await page.keyboard.press("Escape");

  // Dead letters of one connector, then all; one is sent again, one is discarded after a question.
  await page.locator('[data-connector="flex"]').click();
  await button("Show 1").click();
  assert.equal(await page.locator("[data-letter]").count(), 1);
  await page.getByRole("button", { name: /^Only flex/ }).click();
  assert.equal(await page.locator("[data-letter]").count(), 3);
  await page.locator('[data-letter="l1"]').click();
  await page.getByText("On its way again: Message to Luis Ortega.").waitFor();
  await page.locator('[data-letter="l1"]').waitFor({ state: "detached" });
  await focused('[data-letter="l2"]');
  await page.getByRole("button", { name: /^Discard….*Video link/ }).click();
  await page.getByRole("alertdialog").waitFor();
  await button("Keep it").click();
  assert.equal(await page.locator("[data-letter]").count(), 2);
  await page.getByRole("button", { name: /^Discard….*Video link/ }).click();
  await button("Discard").click();
  await page.locator('[data-letter="l2"]').waitFor({ state: "detached" });

  // A supervisor has the letters alone, an agent neither.
  await open("letters");
  await page.keyboard.press("g");
  await page.getByRole("heading", { name: "Dead letters" }).waitFor();
  assert.equal(await page.getByRole("radio").count(), 0);
  await open("chat");
  await page.keyboard.press("g");
  assert.equal(await button("Connectors").count(), 0);
  await page.getByRole("region", { name: "Inbox" }).waitFor();

  // An agent takes over from a bot: the transcript unfolds, and the suggestion goes into the message, unsent.
  await open("bot");
  await page.locator('[data-conversation="ana"]').click();
  const said = page.locator("[data-side] .bubble");
  const folded = await said.count();
  assert.ok(folded < 12, `${folded} of 12 messages while folded`);
  await page.getByRole("button", { name: /^Show the whole transcript/ }).click();
  await page.waitForFunction(() => document.querySelectorAll("[data-side] .bubble").length === 12);
  await page.getByText("I am Hearth's virtual helper").waitFor();
  assert.ok(await page.locator('[data-side="bot"]').count() > 3);
  await page.getByRole("button", { name: /^Show the end of the transcript/ }).click();
  await page.waitForFunction((count) => document.querySelectorAll("[data-side] .bubble").length === count, folded);
  const message = page.getByRole("textbox", { name: "Message" });
  await message.fill("Hello Ana.");
  await button("Use suggested message").click();
  await focused("#composer");
  assert.match(await message.inputValue(), /^Hello Ana\.\nHi Ana, I can see/);
  assert.equal(await page.getByTestId("suggestion").count(), 0);
  assert.equal(await page.locator("[data-delivery]:not([data-delivery=''])").count(), 0, "nothing was sent");
  assert.deepEqual(faults, []);
  console.log("connectors work");
} finally {
  await browser.close();
  await server.close();
}
