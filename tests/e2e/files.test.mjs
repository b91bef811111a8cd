// Files in both directions: a customer sends them from the real page in a real browser, an agent from the real window. A
// picture is shown, a page is refused in plain words, and the window stays quick meanwhile.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launchChromium } from '../lib/chromium.mjs';
import { keepEvidence } from '../lib/evidence.mjs';
import { chat, finish } from '../lib/flows.mjs';
import { temporaryFolder } from '../lib/paths.mjs';
import { startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';
import { startWorld } from '../lib/world.mjs';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

let server;
let browser;
/** Of the test with a window. */
let world, desk;
keepEvidence(() => ({ ...world, desk }));

before(async () => {
  server = await startServer();
  browser = await launchChromium();
});

after(async () => {
  await world?.close();
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

test('an agent sends a picture and a document: both sides see them, whole, also after the server was away', async (t) => {
  world = await startWorld();
  desk = await world.desk();
  await desk.signIn(world.server.agent);
  const customer = await chat(world, desk);
  const folder = temporaryFolder('files');
  const put = (name, content) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  // As through the system's own dialog.
  const choose = async (...paths) => desk.session.type(await desk.script(() => document.querySelector('input[data-attach]')), paths.join('\n'));
  await choose(put('plan of the kettle.png', PNG), put('list.txt', 'two kettles'));
  await desk.sees('plan of the kettle.png');
  assert.equal(await desk.script(() => document.querySelector('[data-pending]')), null, 'nothing leaves before it is sent');
  await desk.send('Here they are.');
  const shown = customer.page.locator('.row.theirs .file.picture img');
  await shown.waitFor();
  await until('the picture is drawn', () => shown.evaluate((image) => image.complete && image.naturalWidth === 1));
  const link = customer.page.locator('.row.theirs a.file', { hasText: 'list.txt' });
  const got = await fetch(new URL(await link.getAttribute('href'), world.server.url));
  assert.deepEqual([got.headers.get('content-disposition').split(';')[0], got.headers.get('x-content-type-options')], ['attachment', 'nosniff']);
  assert.equal(await got.text(), 'two kettles');
  await until('the desk has both and nothing pending', () =>
    desk.script(() => document.querySelectorAll('[data-side="agent"] [data-file]').length === 2 && !document.querySelector('[data-pending]')),
  );

  // Large ones: the window draws on, and what is too large is said without being read.
  const gap = async (act) => {
    await desk.script(() => {
      const gaps = (window.gaps = { longest: 0, last: performance.now(), on: true });
      const draw = (now) => {
        gaps.longest = Math.max(gaps.longest, now - gaps.last);
        gaps.last = now;
        if (gaps.on) requestAnimationFrame(draw);
      };
      requestAnimationFrame(draw);
    });
    await act();
    return desk.script(() => {
      window.gaps.on = false;
      return window.gaps.longest;
    });
  };
  const refusing = await gap(async () => {
    await choose(put('film.txt', Buffer.alloc(10 * 1024 * 1024, 'x')));
    await desk.sees('film.txt is larger than 4 MB.');
  });
  const large = randomBytes(2 * 1024 * 1024 - 8).toString('hex');
  const sending = await gap(async () => {
    await choose(put('large.txt', large));
    await desk.click('button', 'Send');
    await customer.page.locator('.row.theirs a.file', { hasText: 'large.txt' }).waitFor();
  });
  t.diagnostic(`longest time between two frames: ${Math.round(refusing)} ms with 10 MB refused, ${Math.round(sending)} ms with 4 MB sent`);
  assert.ok(refusing < 500 && sending < 500, `the window stood still for ${refusing} ms and ${sending} ms`);
  const whole = await customer.page.locator('.row.theirs a.file', { hasText: 'large.txt' }).getAttribute('href');
  assert.equal(await (await fetch(new URL(whole, world.server.url))).text(), large);

  // Chosen while the server is away: it waits, says so, and goes out once.
  await world.server.kill();
  await until('the desk is offline', async () => (await desk.link()) !== 'online');
  await choose(put('later.txt', 'sent later'));
  await desk.click('button', 'Send');
  await desk.sees('Waiting for the network');
  await world.server.start();
  await desk.online();
  await customer.page.locator('.row.theirs a.file', { hasText: 'later.txt' }).waitFor({ timeout: 20_000 });
  await until('nothing is pending', () => desk.script(() => document.querySelector('[data-pending]') === null));
  assert.equal(await customer.page.locator('.row.theirs a.file', { hasText: 'later.txt' }).count(), 1);

  // What is refused stays with the agent, with the reason.
  await choose(put('page.html', '<script>alert(1)</script>'));
  await desk.click('button', 'Send');
  await desk.sees('page.html is of a kind that is not taken');
  await desk.click('button', 'Do not send page.html');
  await finish(desk, customer);
});

const kept = (page) =>
  page.evaluate(() => {
    const values = [sessionStorage, localStorage].flatMap((store) => Object.values({ ...store }));
    return values.map((value) => JSON.parse(value)).find((value) => value?.token);
  });
const idOf = async (page) => (await kept(page)).id;
const tokenOf = async (page) => (await kept(page)).token;
