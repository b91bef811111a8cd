// Webex Instant Connect with Webex Contact Center (B4): a voice call that stays on the phone gets a picture beside it.
// The phone system posts the call over the signed webhook, the SMS goes out by a flow of Webex Connect, the broker is
// written to the recorded exchange of Webex's own sample. Signatures are made here as the platforms' documents say.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../lib/paths.mjs';
import { until } from '../lib/wait.mjs';
import { startEndpoint } from '../lib/endpoint.mjs';
import { Seed } from './seed.mjs';

const seed = new Seed('webex');
const secrets = { PHONES: 'an-example-phone-secret', HUB: 'an-example-hub-secret', FLOW: 'an-example-flow-key', WEBEX_BOT: 'an-example-bot-token' };
const number = '+15550100999';

const flow = seed.keep(await startEndpoint(({ headers }) => (headers.key === secrets.FLOW ? { body: {} } : { status: 401, body: {} })));
const phones = seed.keep(await startEndpoint(() => ({ body: {} })));

/** What the sample's broker is asked with, and nothing else. */
const asked = {
  '/api/v2/joseencrypt': ['jwt', 'aud', 'numHost', 'numGuest', 'verticalType', 'provideShortUrls', 'loginUrlForHost'],
  '/api/v1/sms/meetingInvite': ['integration', 'vertical', 'orgId', 'meetingId', 'mobileNumbersWithCountryCode', 'mobileNumbersWithAlpha2CountryCode'],
};
const misspelt = [];
const broker = seed.keep(
  await startEndpoint(({ headers, path, json }) => {
    if (headers.authorization !== `Bearer ${secrets.WEBEX_BOT}`) return { status: 401, body: {} };
    for (const name of Object.keys(json)) if (!asked[path]?.includes(name)) misspelt.push(`${path} ${name}`);
    if (path.endsWith('/meetingInvite')) return { body: { status: 'Successful' } };
    const short = (side, n) => (json.provideShortUrls ? { short: `${side}${n}` } : {});
    const keys = (count, side) => Array.from({ length: count }, (_, n) => ({ cipher: 'eyJh.example', ...short(side, n) }));
    return { body: { host: keys(json.numHost, 'host'), guest: keys(json.numGuest, 'guest'), baseUrl: 'https://instant.example/visit/' } };
  }),
);

/** Stands where the system's browser is, and notes what it is asked to open. */
const folder = temporaryFolder('browser');
const opened = join(folder, 'opened');
writeFileSync(join(folder, 'xdg-open'), `#!/bin/sh\nprintf '%s\\n' "$1" >>"${opened}"\n`);
chmodSync(join(folder, 'xdg-open'), 0o755);
const pages = () => (existsSync(opened) ? readFileSync(opened, 'utf8').trim().split('\n') : []);

/** The phone system speaks: docs/webhook.md. */
async function phone(notice) {
  const body = JSON.stringify(notice);
  const at = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', secrets.PHONES).update(`${at}.${body}`).digest('hex');
  const headers = { 'content-type': 'application/json', 'x-sightline-timestamp': at, 'x-sightline-signature': `v1=${signature}` };
  const answer = await fetch(seed.hook('phones'), { method: 'POST', headers, body });
  assert.equal(answer.status, 200, `the phone system's webhook was answered with ${answer.status}`);
}

/** A flow of Webex Connect speaks. */
async function trigger(fields) {
  const body = JSON.stringify(fields);
  const signature = createHmac('sha256', secrets.HUB).update(body).digest('hex');
  const answer = await fetch(seed.hook('connect'), { method: 'POST', headers: { 'content-type': 'application/json', 'x-hub-signature': signature }, body });
  assert.equal(answer.status, 200, `the flow's webhook was answered with ${answer.status}`);
}

await seed.start({
  config: `[connectors.phones]
kind = "webhook"
url = "${phones.url}/events"
secret = "env:PHONES"
invites_by = "connect"

[connectors.connect]
kind = "webex-connect"
url = "${flow.url}/events/1"
hub_secret = "env:HUB"
flow_key = "env:FLOW"

[webex_instant_connect]
broker_base = "${broker.url}"
bot_token = "env:WEBEX_BOT"
org_id = "00000000-0000-4000-8000-000000000001"
`,
  secrets,
  deskEnv: { PATH: `${folder}:${process.env.PATH}` },
});
const { desk, server, world } = seed;
const agent = server.agent.email;
const texts = () => flow.calls.filter(({ json }) => json?.type === 'message');
const rooms = () => broker.calls.filter(({ path }) => path.endsWith('/joseencrypt'));
const roomButton = () => desk.has('button', 'Open a Webex room');
let link, conversation;

await seed.shows('B4.2', 'the agent answers the phone: the room comes to the front by itself, with the agent as its host', async () => {
  await phone({ type: 'call', thread: 'call-7', id: 'call-7', from: number, agent, context: { CustomerName: 'Ada Moreno', VideoCall: true, Product: 'Espresso 4' } });
  await until('the call is open in the window', () => desk.script(() => document.querySelector('header h1')?.textContent.includes('Ada Moreno')));
  await desk.reaches('waiting', 20_000);
  conversation = await desk.conversation();
  await desk.sees('The customer is on the phone');
});

await seed.shows('B4.3', 'the customer gets the link by SMS, and only who was asked', async () => {
  const sent = await flow.heard('the flow was told', ({ json }) => json?.type === 'message' && json.link);
  assert.equal(sent.json.SMS, number);
  link = sent.json.link;
  assert.ok(sent.json.text.includes(link));
  // A caller who did not ask to be seen, at a colleague's desk: the next step sees that nothing was sent.
  await phone({ type: 'call', thread: 'call-8', id: 'call-8', from: '+15550100888', agent: server.otherAgent.email, context: {} });
});

await seed.shows('B4.4', 'the customer joins without signing in; the sound stays on the phone, the picture is in the room', async () => {
  seed.customer = await world.browser.customer({ viewport: { width: 390, height: 780 } });
  await seed.customer.open(link);
  await seed.customer.sees(/Stay on the phone/);
  await seed.customer.click('Join with video');
  await Promise.all([desk.reaches('live'), seed.customer.reaches('live')]);
  const { ages } = await seed.customer.watch(3000);
  assert.ok(ages.length > 20, `${ages.length} different frames in 3 s`);
  assert.equal(await seed.customer.hears(1000, { within: 2500 }), false, "the agent's microphone is silent");
  assert.equal(await world.sound.hears(440, { within: 2500 }), false, "the customer's microphone is silent");
  assert.equal(await seed.customer.has('Unmute microphone'), false, 'nobody can unmute by mistake');
  assert.equal(await desk.has('button', 'Unmute microphone'), false);
  assert.ok(await desk.script(() => document.querySelector('[aria-label="The sound is on the phone"]') !== null));
  assert.deepEqual(texts().map(({ json }) => json.SMS), [number], 'only who was asked has got an SMS');
});

await seed.shows('B4.6', 'the guest may leave, the host ends it for all; the conversation and the call go on', async () => {
  await desk.hangUp();
  await seed.customer.reaches('ended');
  const now = await seed.record(conversation);
  assert.equal(now.state, 'active');
  await phone({ type: 'call_ended', thread: 'call-7' });
  await desk.sees('The phone call is over');
});

await seed.shows('B4.1', 'the broker of Instant Connect is asked as its sample asks, once a conversation, five seconds at most', async () => {
  await desk.click('button', 'Open a Webex room');
  const ask = await broker.heard('the broker was asked', ({ path }) => path.endsWith('/joseencrypt'));
  assert.deepEqual([ask.json.jwt.sub, ask.json.numHost, ask.json.numGuest, ask.json.verticalType, ask.json.provideShortUrls], [conversation, 1, 1, 'cc', true]);
  assert.equal(ask.json.loginUrlForHost, true, 'B4.6: the host signs in');
  await until("the host's link is open in the system's browser", () => pages().includes('https://instant.example/visit/host0'));
});

await seed.shows('B4.3b', 'its own invite by SMS names the meeting and the number', async () => {
  const invite = await broker.heard('the broker was asked to write', ({ path }) => path.endsWith('/meetingInvite'));
  assert.deepEqual([invite.json.integration, invite.json.vertical, invite.json.meetingId, invite.json.mobileNumbersWithCountryCode], ['jose', 'cc', conversation, [number]]);
  await desk.sees('The link to the Webex room went out by SMS');
});

await seed.shows('faults', 'of our own: a broker that fails is a failed step with a next step, and no address of "None"', async () => {
  const room = ({ path }) => path.endsWith('/joseencrypt');
  const before = pages().length;
  broker.failOnce(room, { status: 503, body: {} });
  broker.failOnce(room, { status: 503, body: {} });
  await desk.click('button', 'Open a Webex room');
  await desk.sees('could not be made: the broker answers 503');
  const asked = rooms().length;
  broker.failOnce(room, { body: { host: [{ short: 'None' }], guest: [{ short: 'None' }], baseUrl: 'https://instant.example/visit/' } });
  await desk.click('button', 'Open a Webex room');
  await desk.sees("the broker's answer has no host's link");
  assert.equal(rooms().length, asked + 1, 'what is not an outage is not asked again');
  assert.equal(pages().length, before, 'nothing was opened');
  // The chat goes on, and the same button tries again.
  await desk.click('button', 'Open a Webex room');
  await until('the room is open at the second try', () => pages().length === before + 1);
});

await seed.shows('admin', 'of our own: an admin sees in the window whether the broker works, tests it without leaving a room behind, and takes the button away', async () => {
  const office = await world.desk();
  await office.signIn(server.admin);
  await office.session.keys('g');
  const open = () => {
    document.querySelector('[data-connector="webex_instant_connect"]:not([aria-expanded="true"])')?.click();
    return document.querySelector('[aria-label="webex_instant_connect, in detail"]') !== null;
  };
  await until('the connector is open', () => office.script(open));
  const asked = rooms().length;
  await office.click('button', 'Test connection');
  await office.sees('It made a room for this test');
  const test = rooms().at(-1).json;
  assert.deepEqual([rooms().length, test.provideShortUrls], [asked + 1, false]);
  const left = test.jwt.exp - Date.now() / 1000;
  assert.ok(left > 0 && left <= 60, `the test's room is good for ${left} s`);
  broker.failOnce(({ path }) => path.endsWith('/joseencrypt'), { status: 401, body: {} });
  await office.click('button', 'Test connection');
  await office.sees('The platform refuses our sign-in (401).');
  await office.sees('Failing');
  await office.click('button', 'Test connection');
  await office.sees('It made a room for this test');
  assert.equal(await roomButton(), true);
  await office.click('button', 'Disable…');
  await office.click('button', 'Disable');
  await until("the button is gone from the agent's window", async () => !(await roomButton()));
  await office.click('button', 'Enable');
  await until("the button is back in the agent's window", roomButton);
  seed.world.display.save(join(seed.folder, 'admin-connectors.png'));
  await office.close();
});

await seed.shows('B4.3c', 'a landline gets no SMS: the agent is told before anything is sent', async () => {
  await desk.wrapUp();
  await phone({ type: 'call', thread: 'call-9', id: 'call-9', from: '+493055501000', agent, context: { CustomerName: 'Ben Ortiz', LineType: 'landline' } });
  await until('the call is open in the window', () => desk.script(() => document.querySelector('header h1')?.textContent.includes('Ben Ortiz')));
  const before = texts().length;
  await desk.click('button', 'Start video');
  await desk.sees('landline, which takes no SMS');
  assert.equal(texts().length, before);
  await desk.wrapUp();
});

await seed.shows('B4.5', "the digital variant: the desktop's trigger brings the chat, host and guest get their links on the same channel", async () => {
  await trigger({ TriggerID: 't-1', Channel: 'livechat', LiveChatID: 'chat-41', CustomerID: 'c-9', AgentID: 'a-1', AgentEmailID: agent, AgentName: 'Maria', AppID: 'app', BrowserFingerprint: 'f' });
  await trigger({ TriggerID: 't-2', Channel: 'livechat', LiveChatID: 'chat-41', Message: 'Can you see my router?' });
  await desk.openConversation('Customer');
  await desk.click('button', 'Accept');
  await desk.sees('Can you see my router?');
  await desk.click('button', 'Open a Webex room');
  const sent = await flow.heard('the guest has the link', ({ json }) => json?.LiveChatID === 'chat-41' && json.text.includes('/visit/guest0'));
  assert.equal(sent.json.Channel, 'livechat');
  await until("the host's link is open", () => pages().at(-1) === 'https://instant.example/visit/host0');
  await desk.wrapUp();
});

await seed.shows('spec', 'every field of every call to the broker is one of the recorded exchange', async () => assert.deepEqual(misspelt, []));

seed.cannot('B4.x', 'a meeting of Webex itself, and an SMS on a telephone', 'both are the vendor\'s services');

await seed.end();
