// Nothing acknowledged is lost and nothing typed is: offline, across restarts of the desk and of the server.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { chat, finish } from '../lib/flows.mjs';
import { until } from '../lib/wait.mjs';
import { keepEvidence } from '../lib/evidence.mjs';
import { startWorld } from '../lib/world.mjs';

let world, desk;
keepEvidence(() => ({ ...world, desk }));
before(async () => {
  world = await startWorld();
  desk = await world.desk();
  await desk.signIn(world.server.agent);
});
after(() => world?.close());

async function texts() {
  const { access_token: token } = await world.server.signIn(world.server.supervisor);
  const path = `/v1/conversations/${await desk.conversation()}/messages?after=0&limit=200`;
  const { body } = await world.server.request('GET', path, { token });
  assert.deepEqual(body.messages.map(({ seq }) => seq), body.messages.map((_, index) => index + 1), 'no gap, in order');
  return body.messages.filter(({ body }) => body.type === 'text').map(({ body }) => body.text);
}

test('typed offline: marked, kept across a restart of the desk, sent once when the network is back', async () => {
  const customer = await chat(world, desk);
  const { data } = desk;
  await world.server.kill();
  await until('the desk is offline', async () => (await desk.link()) !== 'online');

  await desk.send('Written without a network.');
  await until('it is marked as waiting', () => desk.script(() => document.querySelector('[data-pending]') !== null));
  // The window is gone without a farewell; what was typed is not.
  await desk.kill();

  await world.server.start();
  desk = await world.desk({ data });
  if (await desk.needsSignIn()) await desk.signIn(world.server.agent);
  await desk.online();
  await desk.openConversation(customer.name);
  await customer.sees('Written without a network.', 20_000);
  await until('nothing is pending', () => desk.script(() => document.querySelector('[data-pending]') === null));
  assert.equal((await texts()).filter((text) => text === 'Written without a network.').length, 1);
  await finish(desk, customer);
});

test('the server is killed in a chat: both sides come back by themselves, nothing is lost or doubled', async () => {
  const customer = await chat(world, desk);
  const expected = [];
  for (let round = 1; round <= 3; round++) {
    for (const [who, name] of [[desk, 'agent'], [customer, 'customer']]) {
      const text = `${name}, round ${round}`;
      await who.send(text);
      expected.push(text);
    }
    await world.server.kill();
    const late = `agent, while round ${round} was down`;
    await desk.send(late);
    expected.push(late);
    await world.server.start();
    await desk.online();
    await customer.sees(late, 20_000);
  }
  const stored = await texts();
  for (const text of expected) assert.equal(stored.filter((one) => one === text).length, 1, text);
  await finish(desk, customer);
});
