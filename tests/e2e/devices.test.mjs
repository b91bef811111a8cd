// Devices that are unplugged and plugged in again in a call: it goes on, says what is missing, falls back where
// there is something to fall back on, comes back, and a microphone that was muted stays muted.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, customerSees, finish } from '../lib/flows.mjs';
import { keepEvidence } from '../lib/evidence.mjs';
import { temporaryFolder } from '../lib/paths.mjs';
import { startWorld } from '../lib/world.mjs';
import { writeY4m } from '../lib/y4m.mjs';

const media = temporaryFolder('media');
const film = (name) => join(media, `${name}.y4m`);
/** A camera whose whole picture is one colour. */
const plug = (name, colour) => writeY4m(film(name), 320, 240, Buffer.alloc(320 * 240 * 4, Buffer.from([...colour, 255])));
const [red, blue] = [[200, 30, 30], [30, 30, 200]];

let world, desk;
keepEvidence(() => ({ ...world, desk }));
before(async () => {
  plug('Desk', red);
  plug('Laptop', blue);
  world = await startWorld();
  desk = await world.desk({ env: { SIGHTLINE_MEDIA_DIR: media } });
  await desk.signIn(world.server.agent);
});
after(() => world?.close());

test('the camera is unplugged: the one chosen before takes over, and gives way when the camera is back', async () => {
  await desk.chooseDevices({ camera: 'File: Laptop.y4m', microphone: 'Test tone' });
  await desk.chooseDevices({ camera: 'File: Desk.y4m' });
  const customer = await call(world, desk);
  await customer.seesColour(red);
  await desk.click('button', 'Mute microphone');

  // The file stays open in the desk, as a device does; there is just nothing in it any more.
  writeFileSync(film('Desk'), '');
  await customer.seesColour(blue);
  await desk.sees('File: Laptop.y4m is used until it is back');

  plug('Desk', red);
  await customer.seesColour(red);
  await desk.misses('is used until it is back');
  assert.ok(await desk.has('button', 'Unmute microphone'), 'the microphone is still muted');
  await desk.click('button', 'Unmute microphone');
  assert.ok(await customer.hears(1000));
  await finish(desk, customer);
});

test('the only camera is unplugged: the sound goes on, both are told, the picture comes back', async () => {
  await desk.chooseDevices({ camera: 'Test picture' });
  writeFileSync(film('Laptop'), '');
  await desk.chooseDevices({ camera: 'File: Desk.y4m' });
  const customer = await call(world, desk);
  await customer.seesColour(red);
  writeFileSync(film('Desk'), '');
  await Promise.all([desk.sees('The camera was unplugged'), customer.sees('Camera is off')]);
  assert.ok(await customer.hears(1000), 'the sound goes on');
  plug('Desk', red);
  await Promise.all([desk.misses('The camera was unplugged'), customer.misses(/Camera is off/)]);
  await customer.seesColour(red);
  await finish(desk, customer);
});

test('the headset is unplugged and plugged in again: the customer is heard again', async () => {
  await desk.chooseDevices({ camera: 'Test picture', microphone: 'Test tone', speaker: 'Speaker' });
  const customer = await call(world, desk);
  assert.ok(await world.sound.hears(440), 'the customer is heard');
  await world.sound.unplug('speaker');
  await desk.sees('speaker');
  await customerSees(customer);
  await world.sound.plug('speaker');
  assert.ok(await world.sound.hears(440, { within: 12_000 }), 'the customer is heard again');
  await finish(desk, customer);
});

test('the only microphone is unplugged: the picture goes on, nobody hears themselves, muted stays muted', async () => {
  await desk.chooseDevices({ camera: 'Test picture', microphone: 'Microphone' });
  const customer = await call(world, desk);
  const quiet = world.sound.speak(1500);
  assert.ok(await customer.hears(1500), 'the microphone is heard');

  await world.sound.unplug('microphone');
  await desk.sees('The microphone stopped');
  await desk.click('button', 'Device settings');
  await desk.sees('Microphone (not connected)');
  await desk.session.keys('Escape');
  await customerSees(customer);
  // In its place the sound server offers what the speaker plays: the customer's own voice.
  assert.equal(await customer.hears(440, { within: 3000 }), false, 'the customer does not hear herself');
  await world.sound.plug('microphone');
  await desk.misses('The microphone stopped');
  assert.ok(await customer.hears(1500), 'it is the same microphone again');

  await desk.click('button', 'Mute microphone');
  await customer.silent(1500);
  await world.sound.unplug('microphone');
  await desk.sees('The microphone stopped');
  await world.sound.plug('microphone');
  await desk.misses('The microphone stopped');
  assert.equal(await customer.hears(1500, { within: 2000 }), false, 'muted stays muted');
  await desk.click('button', 'Unmute microphone');
  assert.ok(await customer.hears(1500), 'until the agent says otherwise');
  await quiet();
  await desk.chooseDevices({ microphone: 'Test tone' });
  await finish(desk, customer);
});
