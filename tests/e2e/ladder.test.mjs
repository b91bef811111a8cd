// When nothing comes through: other ways are tried one after the other, both sides are told, and the last one is the chat.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { everyAddress } from '../lib/addresses.mjs';
import { followWords } from '../lib/customer-page.mjs';
import { agentSees, customerSees, finish, invited } from '../lib/flows.mjs';
import { keepEvidence } from '../lib/evidence.mjs';
import { until } from '../lib/wait.mjs';
import { startWorld } from '../lib/world.mjs';

let world, desk;
keepEvidence(() => ({ ...world, desk }));

before(async () => {
  const relay = { SIGHTLINE_TURN: '127.0.0.1:0', SIGHTLINE_TURN_ALLOW: everyAddress() };
  world = await startWorld({ serverEnv: relay });
  desk = await world.desk();
  await desk.signIn(world.server.agent);
  await desk.chooseTestDevices();
});
after(() => world?.close());

const STEPS = ['Trying another way', 'Trying a way around', 'Trying with sound only'];

/** Longer than the whole ladder, on a loaded machine. */
const WHOLE_MS = 30_000;

/** A customer who taps Join, with the words of both sides followed from before the tap. */
async function joining(options) {
  const customer = await invited(world, desk, options);
  await customer.openInvite();
  await Promise.all([customer.evaluate(followWords, STEPS), desk.script(followWords, STEPS)]);
  await customer.click('Join with video');
  return customer;
}

async function bothLive(customer) {
  await Promise.all([desk.reaches('live', WHOLE_MS), customer.reaches('live', WHOLE_MS)]);
  await Promise.all([agentSees(world, desk), customerSees(customer)]);
}

const said = (customer) => Promise.all([desk.script(() => window.__said), customer.evaluate(() => window.__said)]);

/** How the newest call of the open conversation ended, as the server has it. */
async function ending() {
  const { access_token: token } = await world.server.signIn();
  const { body } = await world.server.request('GET', `/v1/conversations/${await desk.conversation()}`, { token });
  const { type, reason, live_ms: liveMs } = body.escalation.state;
  return { type, reason, liveMs };
}

test('no way at all: both are told every step, both end in the chat, and the next call is as good as any', async () => {
  const customer = await joining({ blocked: 1000 });
  await Promise.all([desk.reaches('ended', WHOLE_MS), customer.reaches('ended', WHOLE_MS)]);
  const [agent, page] = await said(customer);
  assert.deepEqual(agent, STEPS, 'what the agent was told');
  assert.deepEqual(page, STEPS, 'what the customer was told');
  assert.deepEqual(await ending(), { type: 'ended', reason: 'media_failed', liveMs: 0 });
  const { problems } = await customer.diary();
  assert.equal(problems.at(-1).code, 'media_timeout');

  await desk.sees('Picture and sound did not come through.');
  await desk.sees('Go on in the chat, or start video again');
  await customer.sees('Picture and sound did not come through');
  await customer.click('Back to the chat');
  const line = 'Video call ended before it began: picture and sound did not come through';
  await Promise.all([customer.sees(line), desk.sees(line)]);
  await customer.send('Then let us write.');
  await desk.sees('Then let us write.');

  await customer.evaluate(() => (window.__blocked = 0));
  await desk.click('button', 'Start video');
  await desk.reaches('waiting');
  await customer.openInvite();
  await customer.click('Join with video');
  await bothLive(customer);
  assert.deepEqual(customer.faults, []);
  await finish(desk, customer);
});

test('a network that lets nothing through is named while the invitation is read, and the tap works all the same', async () => {
  const customer = await invited(world, desk, { blocked: 1000 });
  await customer.openInvite();
  // Neither the connection to the desk nor the page's own pair over the relay comes up.
  const words = 'Your network may block video';
  await customer.sees(words, WHOLE_MS);
  await customer.evaluate(() => (window.__blocked = 0));
  await customer.click('Join with video');
  await bothLive(customer);
  assert.deepEqual(customer.faults, []);
  await finish(desk, customer);
});

for (const [blocked, way, steps] of [
  [1, 'the second connection passes', STEPS.slice(0, 1)],
  [2, 'the relay passes', STEPS.slice(0, 2)],
]) {
  test(`${way}: both were told, both see each other, and nobody had to do anything`, async () => {
    const customer = await joining({ blocked });
    await bothLive(customer);
    assert.deepEqual(await said(customer), [steps, steps]);
    await Promise.all(steps.map((words) => Promise.all([desk.misses(words), customer.misses(new RegExp(words))])));
    await finish(desk, customer);
  });
}

test('pictures do not get through: the call goes on with sound, both know why, and the pictures come by themselves', async () => {
  const customer = await joining({ pictures: false });
  const words = 'Video does not get through; you can hear each other';
  await Promise.all([desk.sees(words, WHOLE_MS), customer.sees(words, WHOLE_MS)]);
  assert.equal(await desk.phase(), 'live');
  assert.deepEqual(await Promise.all([world.sound.hears(440), customer.hears(1000)]), [true, true]);
  await customer.evaluate(() => (window.__pictures = true));
  // The words go when pictures are tried again; that they have come is seen in the window itself.
  await Promise.all([desk.misses(words, 60_000), customer.misses(new RegExp(words), 60_000)]);
  await until("the customer's picture comes", async () => (await desk.drawn()).frames > 0);
  await bothLive(customer);
  await finish(desk, customer);
});
