// Plays the agent's main path against the mock in a browser, with the keyboard where it counts,
// under the content security policy. Usage: npm run build:mock && npm run flow
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
const phase = (name) => page.locator(`[data-phase="${name}"]`).waitFor();
const shot = (name) => page.screenshot({ path: `shots/flow-${name}.png`, animations: "disabled" });

try {
  await page.goto(`${server.resolvedUrls?.local[0]}?mock=signed-out`);
  await page.locator("html[data-link=signed_out]").waitFor();
  await page.getByRole("textbox", { name: "E-mail" }).fill("maria@example.test");
  await page.getByRole("textbox", { name: "Password" }).fill("a password");
  await button("Sign in").click();
  await page.locator("html[data-link=online]").waitFor();

  // j moves, Enter opens, a accepts and puts the cursor into the message.
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await button("Accept").waitFor();
  await page.keyboard.press("a");
  const message = page.getByRole("textbox", { name: "Message" });
  await message.waitFor();
  await page.waitForFunction(() => document.activeElement?.id === "composer");
  await page.keyboard.type("Hello Luis, v and m are only letters here.");
  await page.keyboard.press("Enter");
  await page.locator("[data-delivery=delivered]").waitFor();

  // The palette finds actions by name.
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "All actions" }).fill("vid");
  await shot("palette");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await message.focus();
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await shot("shortcuts");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });

  await button("Start video").hover();
  await page.locator(".tip").waitFor();
  await shot("tooltip");
  await button("Start video").click();
  await phase("waiting");
  await button("Resend link").waitFor();
  await button("Cancel video").waitFor();
  await phase("live");
  await page.getByTestId("stage-remote").waitFor();
  await button("Mute microphone").click();
  await button("Unmute microphone").waitFor();
  await button("Turn camera off").click();
  await button("Turn camera on").waitFor();
  await button("Devices").click();
  await page.getByRole("menuitemradio", { name: "Moving picture (test)" }).click();
  await shot("devices");
  await page.keyboard.press("Escape");
  await page.getByRole("menu").waitFor({ state: "detached" });
  await button("Large stage").click();
  await button("Small stage").hover();
  await shot("large");
  await button("Small stage").click();

  // Where the hole is, nothing of the page paints: the picture beneath is what a person sees.
  const hole = await page.evaluate(() => {
    const box = document.querySelector("[data-testid=stage-remote]").getBoundingClientRect();
    const beneath = document.querySelector("[data-mock=mock-remote]").getBoundingClientRect();
    return Math.abs(box.left - beneath.left) + Math.abs(box.top - beneath.top) + Math.abs(box.width - beneath.width);
  });
  assert.ok(hole < 2, `the picture is ${hole} px away from its tile`);

  await button("Wrap up").click();
  await page.getByRole("alertdialog").waitFor();
  await shot("ask");
  await button("End call and wrap up").click();
  const solved = page.getByRole("radiogroup", { name: "Disposition" }).getByRole("radio", { name: "Solved" });
  await button("Close conversation").click();
  await page.getByText("Choose how it ended first.").waitFor();
  await solved.check();
  await shot("wrap-up");
  await button("Close conversation").click();
  await page.getByText("Closed: Solved").waitFor();
  assert.deepEqual(faults, []);
  console.log("the main path works");
} finally {
  await browser.close();
  await server.close();
}
