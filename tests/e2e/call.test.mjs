// The call itself, judged by content: each side's barcode and tone are found on the other side.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { agentSees, call, customerSees, finish, invited } from '../lib/flows.mjs';
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

test('both see and hear each other; chat goes on; the agent hangs up; the customer is asked', async () => {
  const customer = await call(world, desk);
  await Promise.all([agentSees(world, desk), customerSees(customer)]);
  await desk.hangUpShows();
  const heard = await Promise.all([world.sound.hears(440), customer.hears(1000)]);
  assert.deepEqual(heard, [true, true], 'agent and customer hear the other tone');

  await customer.send('Do you see it?');
  await desk.sees('Do you see it?');
  await desk.send('Yes, very well.');
  await customer.sees('Yes, very well.');

  await desk.hangUp();
  await customer.reaches('ended');
  await customer.rate('down', 'It was dark.');
  await desk.sees('It was dark.');
  assert.deepEqual(customer.faults, []);
  await finish(desk, customer);
});

test("the customer's picture has its place before she joins", async () => {
  const customer = await invited(world, desk);
  const expected = await desk.picture(16 / 9, 'stage-place');
  await customer.openInvite();
  await customer.click('Join with video');
  await Promise.all([desk.reaches('live'), customer.reaches('live')]);
  assert.deepEqual(await desk.picture(16 / 9), expected);
  await finish(desk, customer);
});

test('mute and camera, from both sides', async () => {
  const customer = await call(world, desk);
  assert.ok(await customer.hears(1000));

  await desk.click('button', 'Mute microphone');
  await customer.silent(1000);
  await desk.click('button', 'Unmute microphone');
  assert.ok(await customer.hears(1000), 'the agent is heard again');

  await desk.click('button', 'Turn camera off');
  await customer.stands();
  await desk.click('button', 'Turn camera on');
  await customerSees(customer);

  await customer.click('Turn camera off');
  await desk.sees('camera is off');
  await customer.click('Turn camera on');
  await agentSees(world, desk);
  await finish(desk, customer);
});

test('a customer without devices joins, sees and hears', async () => {
  const customer = await call(world, desk, { devices: 'none' });
  await customerSees(customer);
  assert.ok(await customer.hears(1000));
  await finish(desk, customer);
});

test('a customer who refuses the devices joins, sees and hears', async () => {
  const customer = await call(world, desk, { devices: 'denied' });
  await customerSees(customer);
  await finish(desk, customer);
});

test('sound only: the agent hears, nobody is seen, the customer leaves and is asked', async () => {
  const customer = await call(world, desk, { how: 'Join with sound only' });
  const heard = await Promise.all([world.sound.hears(440), customer.hears(1000)]);
  assert.deepEqual(heard, [true, true]);
  await customer.click('Leave call');
  await Promise.all([desk.reaches('ended'), customer.reaches('ended')]);
  await customer.rate('up');
  await finish(desk, customer);
});

test("the real microphone: what is fed into the system's default device reaches the customer", async () => {
  await desk.chooseDevices({ microphone: null });
  const customer = await call(world, desk);
  const quiet = world.sound.speak(1500);
  assert.ok(await customer.hears(1500), 'the tone of the default microphone');
  await quiet();
  await desk.chooseDevices({ microphone: 'Test tone' });
  assert.ok(await customer.hears(1000), 'switched in the call');
  await finish(desk, customer);
});
