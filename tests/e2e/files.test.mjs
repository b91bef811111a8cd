// A customer sends files from the real page in a real browser: a picture is shown, a page is refused in plain words.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchChromium } from '../lib/chromium.mjs';
import { startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

test('the paperclip sends a picture, which both sides see', async () => {
  const page = await browser.newPage();
  await page.goto(server.url);
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Send a file' }).click();
  await (await chooser).setFiles([{ name: 'kettle.png', mimeType: 'image/png', buffer: PNG }]);
  const picture = page.locator('.row.mine .file.picture img');
  await picture.waitFor();
  await until('the picture is drawn', () => picture.evaluate((image) => image.complete && image.naturalWidth === 1));
  assert.match(await page.locator('.row.mine .file').innerText(), /^kettle\.png · \d+ B$/);

  const agent = await server.signIn();
  const activity = await until('the conversation', async () => {
    const { body } = await server.request('GET', `/v3/directline/conversations/${await idOf(page)}/activities`, {
      token: await tokenOf(page),
    });
    return body.activities?.[0];
  });
  assert.deepEqual(activity.attachments.map(({ name, contentType }) => [name, contentType]), [['kettle.png', 'image/png']]);
  const id = new URL(activity.attachments[0].contentUrl).pathname.split('/').at(-1);
  const file = await fetch(`${server.url}/v1/files/${id}`, { headers: { authorization: `Bearer ${agent.access_token}` } });
  assert.deepEqual(Buffer.from(await file.arrayBuffer()), PNG);

  // Reloaded, it is there again, at an address of its own.
  await page.reload();
  await until('the picture is drawn again', () =>
    page.locator('.row.mine .file.picture img').evaluate((image) => image.complete && image.naturalWidth === 1),
  );
  await page.close();
});

test('what is not taken is said where the reader is looking', async () => {
  const page = await browser.newPage();
  await page.goto(server.url);
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Send a file' }).click();
  await (await chooser).setFiles([{ name: 'page.html', mimeType: 'text/html', buffer: Buffer.from('<script>alert(1)</script>') }]);
  await page.getByText(/Not sent\. page\.html is of a kind that is not taken/).waitFor();
  assert.equal(await page.locator('.row.mine').count(), 0);
  await page.close();
});

const kept = (page) =>
  page.evaluate(() => {
    const values = [sessionStorage, localStorage].flatMap((store) => Object.values({ ...store }));
    return values.map((value) => JSON.parse(value)).find((value) => value?.token);
  });
const idOf = async (page) => (await kept(page)).id;
const tokenOf = async (page) => (await kept(page)).token;
