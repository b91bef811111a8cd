// A call outlives what happens around it: the server, the customer's tab, the agent's second desk.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { agentSees, call, customerSees, finish, inviteUrl, invited } from '../lib/flows.mjs';
import { until } from '../lib/wait.mjs';
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

test('the server is killed in a call: the picture goes on, signalling resumes, the call can be ended', async () => {
  const customer = await call(world, desk);
  await world.server.kill();
  await until('the desk notices', async () => (await desk.link()) !== 'online');
  // Both pictures, while there is no server at all.
  await Promise.all([agentSees(world, desk), customerSees(customer)]);
  await world.server.start();
  await desk.online();
  await Promise.all([agentSees(world, desk), customerSees(customer)]);
  assert.equal(await desk.phase(), 'live');
  assert.equal(await customer.state(), 'live');
  // Signalling works again: a change of media state crosses it, and so does the end.
  await customer.click('Turn camera off');
  await desk.sees('camera is off', 10_000);
  await desk.click('button', 'Hang up');
  await customer.reaches('ended');
  await finish(desk, customer);
});

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
  await desk.click('button', 'Hang up');
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
