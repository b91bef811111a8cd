// Plays files against the mock in a browser: chosen, dropped and pasted, taken out again, sent, cancelled and refused, and a
// channel that carries none. Pictures of it, light and dark, in shots/. Usage: npm run build:mock && npm run attach
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";
import { preview } from "vite";

const server = await preview({ build: { outDir: "dist-mock" }, preview: { port: 0 } });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
mkdirSync("shots", { recursive: true });
const faults = [];

const LONG = "Photograph of the router's back with the serial number and all four cables, taken on Thursday.png";
const file = (name, mimeType, bytes) => ({ name, mimeType, buffer: Buffer.alloc(bytes, "x") });

for (const scheme of ["light", "dark"]) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: scheme });
  // As in the Tauri window.
  await page.addInitScript("Object.freeze(Object.prototype)");
  page.on("console", (line) => {
    if (line.type() === "error" || /Content Security Policy/.test(line.text())) faults.push(line.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  const button = (name) => page.getByRole("button", { name, exact: true });
  const picture = (name) => page.screenshot({ path: `shots/attach-${name}-${scheme}.png` });
  const open = async (scenario, conversation) => {
    await page.goto(`${server.resolvedUrls?.local[0]}?mock=${scenario}`);
    await page.locator("html[data-link=online]").waitFor();
    await page.locator(`[data-conversation="${conversation}"]`).click();
    await button("Attach files").waitFor();
  };
  const chosen = page.getByRole("list", { name: "Files to send" }).getByRole("listitem");
  /** As the system hands files over: dropped, or from the clipboard. */
  const give = (kind, name, type) =>
    page.evaluate(
      ([event, called, mime]) => {
        const data = new DataTransfer();
        data.items.add(new File(["x"], called, { type: mime }));
        const target = document.querySelector("#composer");
        target?.dispatchEvent(
          event === "paste"
            ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
            : new DragEvent(event, { dataTransfer: data, bubbles: true, cancelable: true }),
        );
      },
      [kind, name, type],
    );

  await open("chat", "ana");
  const picked = page.waitForEvent("filechooser");
  await button("Attach files").press("Enter");
  await (await picked).setFiles([
    file("bill.pdf", "application/pdf", 81_234),
    file(LONG, "image/png", 1_234_567),
    file("film.mp4", "video/mp4", 10 * 1024 * 1024),
  ]);
  assert.equal(await chosen.count(), 2);
  await page.getByRole("alert").getByText("film.mp4 is larger than 4 MB.").waitFor();
  await give("dragover", "notes.txt", "text/plain");
  await page.getByText("Drop here: nothing is sent before you send it").waitFor();
  await picture("hovering");
  await give("drop", "notes.txt", "text/plain");
  await give("paste", "image.png", "image/png");
  assert.equal(await chosen.count(), 4);
  assert.equal(await page.locator("[data-pending]").count(), 0, "nothing was sent");

  // They stay with their conversation while the agent looks elsewhere.
  await page.locator('[data-conversation="b"]').click();
  await button("Attach files").waitFor();
  assert.equal(await chosen.count(), 0);
  await page.locator('[data-conversation="ana"]').click();
  assert.equal(await chosen.count(), 4);
  await picture("chosen");
  await button("Do not send notes.txt").click();
  await button("Do not send image.png").click();
  assert.equal(await chosen.count(), 2);

  // The words go first; each file says how far it is, and can be stopped.
  await page.getByRole("textbox", { name: "Message" }).fill("Here is the bill.");
  await page.keyboard.press("Enter");
  await page.getByRole("progressbar", { name: `${LONG}: sent` }).waitFor();
  await picture("sending");
  const stopped = page.locator("[data-pending]", { hasText: LONG });
  await page.locator(".delivery", { hasText: "Sending" }).last().getByRole("button", { name: "Cancel" }).click();
  await stopped.waitFor({ state: "detached" });
  await page.locator('[data-file="application/pdf"]', { hasText: "bill.pdf" }).waitFor();
  assert.equal(await page.locator('[data-file="image/png"]', { hasText: LONG }).count(), 0);
  await page.getByText("Here is the bill.").waitFor();

  // What is refused stays, with the reason, and is taken out by hand.
  await give("drop", "setup.exe", "application/x-msdownload");
  await button("Send").click();
  await page.getByRole("alert").getByText("setup.exe is of a kind that is not taken").waitFor();
  await picture("refused");
  await button("Do not send setup.exe").click();
  assert.equal(await chosen.count(), 0);

  // A channel that carries none says so, and takes none.
  await open("channels", "k4");
  assert.equal(await button("Attach files").getAttribute("aria-disabled"), "true");
  await button("Attach files").hover();
  await page.locator(".tip", { hasText: /carries no files from here/ }).waitFor();
  await picture("none");
  await give("drop", "notes.txt", "text/plain");
  await page.getByRole("alert").getByText(/carries no files from here/).waitFor();
  assert.equal(await chosen.count(), 0);
  await page.close();
}
await browser.close();
await server.close();
assert.deepEqual(faults, []);
console.log("files work");
