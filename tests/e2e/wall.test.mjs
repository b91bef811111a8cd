// A supervisor's desk beside an agent's: the wall follows a customer from the first word, and the supervisor assigns,
// reads along, joins and closes. The customer sees who writes, and why it ends.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { keepEvidence } from '../lib/evidence.mjs';
import { until } from '../lib/wait.mjs';
import { startWorld } from '../lib/world.mjs';

let world, agent, boss, customer;
keepEvidence(() => ({ ...world, desk: agent, otherDesk: boss, customer }));
before(async () => {
  world = await startWorld();
  agent = await world.desk();
  await agent.signIn(world.server.agent);
  boss = await world.desk();
  await boss.signIn(world.server.supervisor);
  customer = await world.browser.customer();
});
after(() => world?.close());

/** The rows of the wall's conversations, in words. */
const rows = (desk) =>
  desk.script(() => [...document.querySelectorAll('main tbody tr')].map((row) => row.innerText.replace(/\s+/g, ' ')));
const shows = (desk, what, like) =>
  until(`the wall shows ${what}`, async () => (await rows(desk)).find((row) => like.test(row)) ?? null, { within: 15_000 });
const presence = (desk, name) =>
  desk.script((wanted) => [...document.querySelectorAll('main [data-presence]')].find((row) => row.innerText.includes(wanted))?.dataset.presence ?? null, name);

test('the wall shows who waits, and the supervisor gives her to an agent', async () => {
  await boss.session.keys('l');
  await boss.sees('All quiet');
  await until('the agent is there', async () => (await presence(boss, 'Maria Keller')) === 'available', { within: 15_000 });
  assert.equal(await presence(boss, 'Jonas Weiss'), 'offline');

  await customer.startChat(`${world.server.url}/chat`, { name: 'Ana Moreno', text: 'Nobody answers' });
  await shows(boss, 'who waits', /Ana Moreno.*Waiting/);
  await boss.click('button', '~Assign…: Ana Moreno');
  await boss.click('radio', '~Maria Keller');
  await boss.click('button', 'Assign');
  await shows(boss, 'who has her', /Ana Moreno.*Active.*Maria Keller/);
  await agent.sees('Ines Ferrer has assigned Ana Moreno to you.');
  await agent.sees('Ana Moreno');
});

test('she reads along, joins, and the customer sees who writes', async () => {
  await boss.click('button', '~Ana Moreno');
  await boss.sees('You read along.');
  await boss.sees('Nobody answers');
  assert.equal(await boss.has('textbox', 'Message'), false, 'only for reading');
  await boss.click('button', 'Why?');
  await boss.sees('It is with Maria Keller.');
  await boss.sees('Ines Ferrer chose this agent.');
  await boss.click('button', 'Done');
  await boss.click('button', 'Join');
  await boss.send('Maria will be with you in a moment.');
  await customer.sees('Ines Ferrer joined the conversation');
  await customer.sees('Maria will be with you in a moment.');
  await boss.click('button', 'Leave');
  await customer.sees('Ines Ferrer left the conversation');
});

test('she closes it with a notice, and the log knows all of it', async () => {
  await boss.click('button', 'Force close…');
  await boss.fill('Notice', 'We close for today. Please write again tomorrow.');
  await boss.click('button', 'Close for everybody');
  await customer.sees('We close for today. Please write again tomorrow.');
  await agent.sees('Ines Ferrer has closed the conversation with Ana Moreno.');
  await boss.session.keys('l');
  await boss.sees('All quiet');
  await boss.click('button', 'Audit log');
  await boss.sees('Force closed Maria Keller’s conversation');
  await boss.click('button', 'Check the chain');
  await boss.sees('All 5 entries are intact.');

  const { access_token: token } = await world.server.signIn(world.server.supervisor);
  const { body: log } = await world.server.request('GET', '/v1/audit', { token });
  const acts = log.entries.map(({ act }) => act).reverse();
  assert.deepEqual(acts, ['assigned', 'read', 'joined', 'left', 'force_closed']);
  const { body: checked } = await world.server.request('GET', '/v1/audit/check', { token });
  assert.deepEqual([checked.intact, checked.broken_at], [5, null]);
});
