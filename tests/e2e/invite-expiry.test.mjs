// An invite that nobody takes, with a short time to live.
import { after, before, test } from 'node:test';
import { finish, inviteUrl, invited } from '../lib/flows.mjs';
import { keepEvidence } from '../lib/evidence.mjs';
import { startWorld } from '../lib/world.mjs';

let world, desk;
keepEvidence(() => ({ ...world, desk }));
before(async () => {
  world = await startWorld({ serverEnv: { SIGHTLINE_INVITE_TTL_S: '8' } });
  desk = await world.desk();
  await desk.signIn(world.server.agent);
});
after(() => world?.close());

test('the invite expires: the agent is told, the link says so', async () => {
  const customer = await invited(world, desk);
  const url = await inviteUrl(world, desk);
  // Open before the customer all the time: the page says so by itself.
  const open = await world.browser.customer();
  await open.open(url);
  await open.appears('Join with video');
  await desk.reaches('ended', 15_000);
  await open.sees('This link has expired');
  await open.close();
  const late = await world.browser.customer();
  await late.open(url);
  await late.sees(/expired/i);
  await finish(desk, customer);
});
