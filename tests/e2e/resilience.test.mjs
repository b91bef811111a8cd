// A call outlives what happens around it: the server, the customer's tab, the agent's second desk.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { agentSees, call, customerSees, finish, inviteUrl, invited } from '../lib/flows.mjs';
import { suspend, tree } from '../lib/proc.mjs';
import { pause, until } from '../lib/wait.mjs';
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

/** Longest time without a new frame that still counts as a moving picture, on a loaded machine. */
const STILL_MS = 2_000;

/** How long the server stays away: long enough for everybody to notice and to be trying again at long pauses. */
const OUTAGE_MS = 6_000;

/** A laptop that was shut this long has lost its sockets and its path, but not its seat (60 s). */
const ASLEEP_MS = 14_000;

test('the server is killed in a call: no picture stops, signalling is back within 5 s, the call can be ended', async () => {
  const customer = await call(world, desk);
  const agentFollowed = world.display.followBarcode(() => desk.picture());
  const customerFollowed = await customer.follow();
  await world.server.kill();
  await Promise.all([desk.sees('The server does not answer'), customer.sees('Connection to the server lost')]);
  await pause(OUTAGE_MS);
  await world.server.start();
  const back = { within: 5_000 };
  await Promise.all([
    desk.online(back.within),
    desk.misses('The server does not answer', back.within),
    customer.misses(/Connection to the server lost/, back.within),
  ]);
  for (const [who, { frames, longestGap }] of [['agent', await agentFollowed()], ['customer', await customerFollowed()]]) {
    assert.ok(frames > 50 && longestGap < STILL_MS, `the ${who} saw ${frames} frames, at worst none for ${longestGap} ms`);
  }
  assert.equal(await desk.phase(), 'live');
  assert.equal(await customer.state(), 'live');
  // Signalling works again: a change of media state crosses it, and so does the end.
  await customer.click('Turn camera off');
  await desk.sees('camera is off', 10_000);
  await desk.hangUp();
  await customer.reaches('ended');
  await finish(desk, customer);
});

test("the agent's laptop sleeps in the call: the customer is told, and both see each other again without a click", async () => {
  const customer = await call(world, desk);
  const wake = suspend(tree(desk.pid()));
  try {
    await Promise.all([customer.sees(/reconnecting/i, ASLEEP_MS), pause(ASLEEP_MS)]);
  } finally {
    wake();
  }
  await Promise.all([bothSeeAgain(customer), customer.misses(/reconnecting/i, 20_000)]);
  assert.equal(await desk.phase(), 'live');
  await desk.click('button', 'Mute microphone');
  await customer.silent(1000);
  await desk.hangUp();
  await customer.reaches('ended');
  await finish(desk, customer);
});

test("the customer's laptop sleeps in the call: the agent is told, and both see each other again without a click", async () => {
  const customer = await call(world, desk);
  const wake = suspend(await world.browser.pids());
  try {
    await Promise.all([desk.customerAway(ASLEEP_MS), pause(ASLEEP_MS)]);
  } finally {
    wake();
  }
  await Promise.all([bothSeeAgain(customer), desk.customerBack(20_000)]);
  assert.equal(await customer.state(), 'live');
  await desk.hangUp();
  await customer.reaches('ended');
  await finish(desk, customer);
});

test("the customer's network drops its signalling: both pictures go on, it comes back by itself", async () => {
  const customer = await call(world, desk);
  const agentFollowed = world.display.followBarcode(() => desk.picture());
  const customerFollowed = await customer.follow();
  await customer.offline(true);
  await Promise.all([desk.customerAway(10_000), customer.sees('Connection to the server lost', 10_000)]);
  await customer.offline(false);
  await Promise.all([desk.customerBack(), customer.misses(/Connection to the server lost/)]);
  for (const [who, { frames, longestGap }] of [['agent', await agentFollowed()], ['customer', await customerFollowed()]]) {
    assert.ok(frames > 50 && longestGap < STILL_MS, `the ${who} saw ${frames} frames, at worst none for ${longestGap} ms`);
  }
  await desk.hangUp();
  await customer.reaches('ended');
  await finish(desk, customer);
});

/** Both moving pictures, within a bounded time after a wake-up. */
async function bothSeeAgain(customer) {
  const again = { within: 20_000, every: 200 };
  await Promise.all([
    until('the agent sees the customer again', () => agentSees(world, desk).then(() => true), again),
    until('the customer sees the agent again', () => customerSees(customer).then(() => true), again),
  ]);
}

test("the customer's tab dies: the agent is told within 5 s, the seat is kept, the customer comes back", async () => {
  const customer = await invited(world, desk);
  const url = await inviteUrl(world, desk);
  const phone = await world.browser.customer();
  await phone.open(url);
  await phone.click('Join with video');
  await Promise.all([desk.reaches('live'), phone.reaches('live')]);

  await phone.crash();
  await desk.customerAway(5_000);
  const tab = await phone.newTab();
  await tab.open(url);
  await tab.comeBack();
  await tab.reaches('live');
  await desk.customerBack();
  await Promise.all([agentSees(world, desk), customerSees(tab)]);
  await desk.hangUp();
  await tab.reaches('ended');
  await phone.close();
  await finish(desk, customer);
});

test('a second desk of the same agent is asked, takes over, and the first one says so', async () => {
  const second = await world.desk();
  await second.enterPassword(world.server.agent);
  await until('the second desk is asked', async () => (await second.link()) === 'displaced');
  assert.equal(await desk.link(), 'online');
  await second.click('button', 'Continue here');
  await second.online();
  await until('the first desk is displaced', async () => (await desk.link()) === 'displaced');
  await second.close();
});
