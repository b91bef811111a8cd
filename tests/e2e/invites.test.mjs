// The invite's whole life, from the pages' side.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { chat, customerSees, finish, inviteUrl, invited } from '../lib/flows.mjs';
import { keepEvidence } from '../lib/evidence.mjs';
import { startWorld } from '../lib/world.mjs';

let world, desk;
keepEvidence(() => ({ ...world, desk }));
before(async () => {
  world = await startWorld();
  desk = await world.desk();
  await desk.signIn(world.server.agent);
  await desk.chooseTestDevices();
});
after(() => world?.close());

/** A phone in the customer's hand. */
const joinPage = () => world.browser.customer({ viewport: { width: 390, height: 780 } });

test('the link page: inert, reopened in the same browser, refused in a second one', async () => {
  const customer = await invited(world, desk);
  const url = await inviteUrl(world, desk);

  // A preview of the link, as messengers make it, spends nothing.
  for (let preview = 0; preview < 3; preview++) assert.equal((await fetch(url)).status, 200);

  const phone = await joinPage();
  await phone.open(url);
  await phone.click('Join with video');
  await Promise.all([desk.reaches('live'), phone.reaches('live')]);

  const stranger = await joinPage();
  await stranger.open(url);
  await stranger.sees(/already|in use/i);

  await phone.reload();
  await phone.comeBack();
  await phone.reaches('live');
  await customerSees(phone);

  await stranger.close();
  await phone.close();
  await finish(desk, customer);
});

test('not now: the agent is told and can go on', async () => {
  const customer = await invited(world, desk);
  await customer.openInvite();
  await customer.click('Not now');
  await desk.reaches('ended');
  await finish(desk, customer);
});

test('cancelled: the link says so', async () => {
  const customer = await invited(world, desk);
  const url = await inviteUrl(world, desk);
  await desk.click('button', 'Cancel video');
  await desk.reaches('ended');
  const late = await joinPage();
  await late.open(url);
  await late.sees(/no longer|taken back|cancel/i);
  await late.close();
  await finish(desk, customer);
});

test('unknown codes and codes of the wrong shape', async () => {
  const guess = await joinPage();
  await guess.open(`${world.server.url}/j/${'A'.repeat(22)}`);
  await guess.sees(/link/i);
  assert.equal(await guess.has('Join with video'), false);
  await guess.close();
});

test('a second start while a call is on names the one that stands in the way', async () => {
  const first = await invited(world, desk);
  const second = await chat(world, desk);
  assert.match(await desk.videoBlock(), new RegExp(first.name), 'the button says who stands in the way');
  await finish(desk, second);
  await desk.openConversation(first.name);
  await desk.click('button', 'Cancel video');
  await desk.reaches('ended');
  await finish(desk, first);
});
