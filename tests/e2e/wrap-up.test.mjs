// Wrap-up: refused while the call is live, unless the agent ends the call with it.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { call, chat } from '../lib/flows.mjs';
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

test('a live call refuses the wrap-up, names itself, and ends on "End call and wrap up"', async () => {
  const customer = await call(world, desk);
  const { access_token: token } = await world.server.signIn();
  const conversation = await desk.conversation();
  const refused = await world.server.request('POST', `/v1/conversations/${conversation}/wrap-up`, {
    token,
    body: { end_call: false },
  });
  assert.equal(refused.status, 409);
  assert.equal(refused.body.code, 'call_live');
  assert.ok(refused.body.escalation, 'it names the call');
  assert.equal(await desk.phase(), 'live');

  await desk.click('button', 'Wrap up');
  await desk.click('button', 'End call and wrap up');
  await customer.reaches('ended');
  await customer.rate('up');
  await desk.closeConversation();
  await customer.close();
});

test('a chat without a call is wrapped up and closed', async () => {
  const customer = await chat(world, desk);
  await desk.wrapUp();
  await customer.close();
});
