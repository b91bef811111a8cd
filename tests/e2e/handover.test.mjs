// A conversation in video is handed over: the customer stays in the call, and another agent's face comes.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { call, customerSees, invited } from '../lib/flows.mjs';
import { keepEvidence } from '../lib/evidence.mjs';
import { until } from '../lib/wait.mjs';
import { startWorld } from '../lib/world.mjs';

let world, first, second;
keepEvidence(() => ({ ...world, desk: first, otherDesk: second }));
before(async () => {
  world = await startWorld();
  first = await agent(world.server.agent);
  second = await agent(world.server.otherAgent);
});
after(() => world?.close());

async function agent(account) {
  const desk = await world.desk();
  await desk.signIn(account);
  await desk.chooseTestDevices();
  return Object.assign(desk, { account: account.name ?? (await me(desk)) });
}

const me = (desk) => desk.script(() => document.querySelector('.me')?.getAttribute('aria-label')?.split(',')[0] ?? null);

/** The customer's picture moves in this window, whichever of the two is in front. */
async function seesMotion(desk) {
  const before = await desk.drawn();
  await until('the window draws', async () => (await desk.drawn()).frames - before.frames >= 25);
}

/** Asks the colleague by the dialog, as an agent does. */
async function hand(from, to, note) {
  await from.click('button', 'Transfer');
  await from.sees('The video call goes along.');
  await from.askColleague(to.account, note);
  await until('the colleague is asked', async () => (await to.script(() => document.querySelector('[data-testid=assignment]')?.innerText ?? ''))?.includes(note));
}

test('the call goes along: the customer sees and hears the colleague, and the one before is out of it', async () => {
  const customer = await call(world, first);
  await Promise.all([seesMotion(first), customerSees(customer)]);
  await hand(first, second, 'Knows the blue kettle.');
  await second.sees('Video call running');
  // Until the yes the owner is in the call.
  await customerSees(customer);
  assert.equal(await first.phase(), 'live');

  const followed = await customer.follow();
  await second.click('button', 'Accept');
  await second.reaches('live');
  await until('the first desk has no call any more', async () => (await first.phase()) === null);
  await customerSees(customer);
  const { longestGap } = await followed();
  console.log(`# the customer's picture stood still for ${Math.round(longestGap)} ms while the call changed hands`);
  await customer.sees(new RegExp(second.account));
  await seesMotion(second);
  assert.ok(await customer.hears(1000), 'the colleague is heard');
  assert.equal(await customer.state(), 'live');
  await first.misses('Hang up');
  await second.sees(`${second.account} took over from ${first.account}`);

  // And back again, to a desk that has had this call before.
  await hand(second, first, 'Wants you after all.');
  await first.click('button', 'Accept');
  await first.reaches('live');
  await until('the second desk has no call any more', async () => (await second.phase()) === null);
  await Promise.all([seesMotion(first), customerSees(customer)]);

  await first.hangUp();
  await customer.reaches('ended');
  assert.deepEqual(customer.faults, []);
  await first.wrapUp();
  await customer.close();
});

test('an invite that is out goes along too, and whoever has it open reads the new name', async () => {
  const customer = await invited(world, first);
  await customer.openInvite();
  await customer.sees(new RegExp(first.account));
  await hand(first, second, 'She has not joined yet.');
  await second.click('button', 'Accept');
  await second.reaches('waiting');
  await until('the first desk waits for nobody', async () => (await first.phase()) === null);
  await customer.sees(new RegExp(`${second.account} from`));
  await customer.click('Join with video');
  await Promise.all([second.reaches('live'), customer.reaches('live')]);
  await Promise.all([seesMotion(second), customerSees(customer)]);
  await customer.click('Leave call');
  await second.reaches('ended');
  assert.deepEqual(customer.faults, []);
  await second.wrapUp();
  await customer.close();
});
