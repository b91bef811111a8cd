// What `make run` opens: a desk on its own embedded server, with nothing set up before.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startBrowser } from '../lib/customer.mjs';
import { openDesk } from '../lib/desk.mjs';
import { startDisplay } from '../lib/display.mjs';
import { keepEvidence } from '../lib/evidence.mjs';
import { freePort } from '../lib/process.mjs';

let display, browser, desk, port;
keepEvidence(() => ({ display, desk }));
before(async () => {
  port = await freePort();
  [display, browser] = await Promise.all([startDisplay(), startBrowser()]);
  desk = await openDesk({ display, env: { SIGHTLINE_PORT: String(port) } });
});
after(async () => {
  await desk?.close();
  await browser?.close();
  await display?.close();
});

test('first start: the accounts are shown once, one click signs in, a customer can write', async () => {
  await desk.sees('First start');
  await desk.click('button', 'Sign in as agent');
  await desk.online();
  const customer = await browser.customer();
  await customer.startChat(`http://127.0.0.1:${port}/chat`, { name: 'Ana', text: 'Is anybody there?' });
  await desk.accept('Ana');
  await desk.sees('Is anybody there?');
  await desk.send('Yes, I am.');
  await customer.sees('Yes, I am.');
  assert.deepEqual(customer.faults, []);
  await customer.close();
});

test('without any camera or microphone the desk still starts a call and says what is missing', async () => {
  const customer = await browser.customer();
  await customer.startChat(`http://127.0.0.1:${port}/chat`, { name: 'Ben', text: 'Hello?' });
  await desk.accept('Ben');
  await desk.click('button', 'Start video');
  await desk.reaches('waiting', 20_000);
  await desk.sees('camera');
  await customer.openInvite();
  await customer.click('Join with video');
  await Promise.all([desk.reaches('live'), customer.reaches('live')]);
  await desk.hangUp();
  await customer.reaches('ended');
  await customer.close();
});
