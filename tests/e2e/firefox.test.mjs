// The customer in Firefox, with its own camera and microphone: a colour that wanders and a tone of 440 Hz.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { agentSeesColours, call, customerSees, finish } from '../lib/flows.mjs';
import { keepEvidence } from '../lib/evidence.mjs';
import { startWorld } from '../lib/world.mjs';

const firefox = { browser: 'firefox', devices: 'browser' };

let world, desk;
keepEvidence(() => ({ ...world, desk }));
before(async () => {
  world = await startWorld();
  desk = await world.desk();
  await desk.signIn(world.server.agent);
  await desk.chooseTestDevices();
});
after(() => world?.close());

test('Firefox: both see and hear each other, chat, mute, camera; the customer leaves and is asked', async () => {
  const customer = await call(world, desk, firefox);
  await Promise.all([agentSeesColours(world, desk), customerSees(customer)]);
  const heard = await Promise.all([world.sound.hears(440), customer.hears(1000)]);
  assert.deepEqual(heard, [true, true], 'agent and customer hear the other tone');

  await customer.send('It works in my browser.');
  await desk.sees('It works in my browser.');
  await desk.send('Here too.');
  await customer.sees('Here too.');

  await desk.click('button', 'Mute microphone');
  await customer.silent(1000);
  await desk.click('button', 'Unmute microphone');
  assert.ok(await customer.hears(1000), 'the agent is heard again');
  await customer.click('Mute microphone');
  await desk.find('[role=img]', 'Microphone off');
  await world.sound.quiet(440);
  await customer.click('Unmute microphone');
  assert.ok(await world.sound.hears(440), 'the customer is heard again');

  await desk.click('button', 'Turn camera off');
  await customer.stands();
  await desk.click('button', 'Turn camera on');
  await customerSees(customer);
  await customer.click('Turn camera off');
  await desk.sees('camera is off');
  await customer.click('Turn camera on');
  await agentSeesColours(world, desk);

  await customer.click('Leave call');
  await Promise.all([desk.reaches('ended'), customer.reaches('ended')]);
  await customer.rate('up', 'All good in Firefox.');
  await desk.sees('All good in Firefox.');
  assert.deepEqual(customer.faults, []);
  await finish(desk, customer);
});

test('Firefox: the page is reloaded in the call and comes back; the agent hangs up', async () => {
  const customer = await call(world, desk, firefox);
  await customer.reload();
  await customer.comeBack();
  await customer.reaches('live');
  await desk.customerBack();
  await Promise.all([agentSeesColours(world, desk, { lasting: 5000 }), customerSees(customer)]);
  await desk.hangUp();
  await customer.reaches('ended');
  assert.deepEqual(customer.faults, []);
  await finish(desk, customer);
});
