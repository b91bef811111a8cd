// The portable way to the screen: the same call, its pictures drawn on the page's canvases.
import { after, before, test } from 'node:test';
import { agentSees, call, customerSees, finish } from '../lib/flows.mjs';
import { keepEvidence } from '../lib/evidence.mjs';
import { startWorld } from '../lib/world.mjs';

let world, desk;
keepEvidence(() => ({ ...world, desk }));
before(async () => {
  world = await startWorld();
  desk = await world.desk({ env: { SIGHTLINE_PAINTER: 'canvas' } });
  await desk.signIn(world.server.agent);
  await desk.chooseTestDevices();
});
after(() => world?.close());

test('on canvases both see each other too', async () => {
  const customer = await call(world, desk);
  await Promise.all([agentSees(world, desk), customerSees(customer)]);
  await finish(desk, customer);
});
