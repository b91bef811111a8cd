// The journey of Dynamics 365's sample: a conversation ends with a link, the customer opens it on another device, the
// same agent has the new chat with everything said before, and the video starts by itself.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { agentSees, chat, customerSees, finish } from '../lib/flows.mjs';
import { keepEvidence } from '../lib/evidence.mjs';
import { until } from '../lib/wait.mjs';
import { startWorld } from '../lib/world.mjs';

let world, desk, other;
keepEvidence(() => ({ ...world, desk, otherDesk: other }));
before(async () => {
  // Conversations are assigned, so that it is the rule that finds the agent, and not the test.
  world = await startWorld({ serverEnv: { SIGHTLINE_ROUTING: 'push' } });
  // The first window is below the second, whose picture is looked at.
  other = await world.desk();
  desk = await world.desk();
  await desk.signIn(world.server.agent);
  await desk.chooseTestDevices();
});
after(() => world?.close());

/** The link that stands in the customer's chat. */
const linkIn = (customer) =>
  until('the link is in the chat', () =>
    customer.evaluate(() => document.querySelector('#log a[href*="/c/"]')?.href ?? null));

test('a link, a fresh browser, the same agent, both histories, and video on both sides', async () => {
  const first = await chat(world, desk);
  const { access_token: token } = await world.server.signIn(world.server.agent);
  const before = await desk.conversation();
  const sent = await world.server.request('POST', `/v1/conversations/${before}/chat-link`, {
    token,
    body: { client_id: crypto.randomUUID(), video: true },
  });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  const url = await linkIn(first);
  assert.equal(url, sent.body.url);
  assert.ok(!/agent|email|conversation/i.test(new URL(url).search + new URL(url).pathname), 'the link says nothing');
  await desk.wrapUp();

  // A colleague who has been without work for longer would be next in turn.
  await other.signIn(world.server.otherAgent);

  const customer = await world.browser.customer();
  await customer.open(url);
  await desk.sees('The customer spoke with this agent before.');
  await other.misses('The customer spoke with this agent before.');
  await desk.click('button', 'Accept');
  await desk.sees('Starting video because');
  await desk.sees('Earlier, on Web chat');
  await desk.sees('My machine blinks');
  await desk.sees('The customer opened the chat link');

  // Nobody clicks Start video, and nobody clicks the card: only the answer is the customer's.
  await desk.reaches('waiting');
  await customer.appears('Join with video');
  assert.ok(await customer.has('Join with sound only'));
  assert.ok(await customer.has('Not now'));
  await customer.click('Join with video');
  await Promise.all([desk.reaches('live'), customer.reaches('live')]);
  await Promise.all([agentSees(world, desk), customerSees(customer)]);

  const { body: now } = await world.server.request('GET', `/v1/conversations/${await desk.conversation()}`, { token });
  assert.notEqual(now.id, before);
  assert.equal(now.previous.id, before);
  assert.equal(now.trusted, true);

  // After its end it does not start again.
  await desk.hangUp();
  await customer.reaches('ended');
  assert.deepEqual(customer.faults, []);
  await finish(desk, customer);
  await first.close();
});

test('an unsigned link of before opens a chat, chooses nobody, and the agent is told', async () => {
  const email = encodeURIComponent(world.server.agent.email);
  const customer = await world.browser.customer();
  await customer.open(`${world.server.url}/chat?conversationId=xxx2d15x-2703&agentId=a-1&email=${email}`);
  // The colleague has been without work for longer: nobody was chosen.
  await other.click('button', 'Accept', { within: 20_000 });
  await other.sees('was not signed');
  await other.sees('not known here');
  await customer.send('Hello?');
  await other.sees('Hello?');
  assert.equal(await desk.has('button', 'Accept'), false);
  await customer.close();
});
