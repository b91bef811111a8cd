// Twilio Flex, chat to video (B1): a chat of Twilio Conversations becomes a video call. Twilio's own library signs the
// webhooks; the calls to Twilio are checked against the names that its specification allows.
import assert from 'node:assert/strict';
import { until } from '../lib/wait.mjs';
import { startEndpoint } from '../lib/endpoint.mjs';
import { Seed, vendor } from './seed.mjs';

const { getExpectedTwilioSignature } = vendor('twilio');
const seed = new Seed('flex');
const authToken = 'an-example-token';
const chat = 'CH0000000000000000000000000000001a';
const task = 'WT0000000000000000000000000000001a';

// twilio/twilio-oai, spec/json: the form fields of the two calls that are made here.
const allowed = {
  Messages: ['Author', 'Body', 'DateCreated', 'DateUpdated', 'Attributes', 'MediaSid', 'ContentSid', 'ContentVariables', 'Subject'],
  Conversations: ['FriendlyName', 'DateCreated', 'DateUpdated', 'Attributes', 'MessagingServiceSid', 'State', 'Timers.Inactive', 'Timers.Closed', 'UniqueName'],
  Tasks: ['Attributes', 'AssignmentStatus', 'Reason', 'Priority', 'TaskChannel', 'VirtualStartTime'],
};

/** What Twilio keeps: attributes of others, which must survive. */
const kept = { [chat]: { theirs: 'kept' }, [task]: { name: 'Ada Moreno', syncDocument: 'theirs-too' } };
const misspelt = [];
let sent = 0;

const twilio = seed.keep(
  await startEndpoint(({ method, path, form, headers }) => {
    if (!headers.authorization?.startsWith('Basic ')) return { status: 401, body: { code: 20003 } };
    const resource = path.includes('/Messages') ? 'Messages' : path.includes('/Tasks/') ? 'Tasks' : 'Conversations';
    for (const name of Object.keys(form ?? {})) if (!allowed[resource].includes(name)) misspelt.push(`${resource}.${name}`);
    if (resource === 'Messages') return { status: 201, body: { sid: `IM${String(++sent).padStart(32, '0')}` } };
    const sid = path.split('/').at(-1);
    if (!kept[sid]) return { body: { conversations: [], meta: { key: 'conversations' } } };
    if (method === 'POST') kept[sid] = JSON.parse(form.Attributes);
    return { headers: { etag: '"1"' }, body: { sid, attributes: JSON.stringify(kept[sid]) } };
  }),
);

/** A webhook as Twilio sends it. */
async function says(fields) {
  const url = seed.hook('flex');
  const signature = getExpectedTwilioSignature(authToken, url, fields);
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature },
    body: new URLSearchParams(fields).toString(),
  });
  assert.equal(answer.status, 200, `Twilio's webhook was answered with ${answer.status}`);
}

let number = 0;
const writes = (Body, more = {}) =>
  says({ EventType: 'onMessageAdded', ConversationSid: chat, MessageSid: `IM${String(++number).padStart(30, 'a')}`, Author: 'Ada Moreno', Source: 'SDK', Body, ...more });
const sentTo = (what) => (call) => call.path.includes(what) && call.method === 'POST';
const attributes = (call) => JSON.parse(call.form.Attributes ?? '{}');

await seed.start({
  config: `[connectors.flex]
kind = "twilio-conversations"
account_sid = "AC00000000000000000000000000000001"
auth_token = "env:FLEX_AUTH_TOKEN"
workspace_sid = "WS00000000000000000000000000000001"
conversations_base = "${twilio.url}"
taskrouter_base = "${twilio.url}"
media_base = "${twilio.url}"
`,
  secrets: { FLEX_AUTH_TOKEN: authToken },
});
const { desk, server, world } = seed;

await says({ EventType: 'onConversationAdded', ConversationSid: chat, Attributes: JSON.stringify({ taskSid: task, orders: 3 }) });
await writes('My coffee machine blinks red.');
let link, call;

await seed.shows('B1.1', 'the video button is there on an accepted chat only, for its agent only', async () => {
  await desk.openConversation('Ada Moreno');
  assert.equal(await desk.has('button', 'Start video'), false, 'no button before the chat is accepted');
  await desk.click('button', 'Accept');
  await desk.find('button', 'Start video');
  const conversation = await desk.conversation();
  const { access_token: token } = await server.signIn(server.otherAgent);
  const body = { command_id: crypto.randomUUID() };
  const refused = await server.request('POST', `/v1/conversations/${conversation}/escalations`, { token, body });
  assert.equal(refused.body.code, 'not_your_conversation');
});

await seed.shows('B1.2', 'one click makes a link with a code nobody guesses, that ends by itself', async () => {
  await desk.click('button', 'Start video');
  await desk.reaches('waiting');
  call = await twilio.heard('the link has gone out over Twilio', sentTo('/Messages'));
  link = attributes(call).videoUrl;
  const code = new URL(link).pathname.split('/').at(-1);
  assert.ok(code.length >= 22, `${code.length} characters of 6 bits are at least 128 bits`);
  const looked = await server.request('GET', `/v1/invites/${code}`);
  const left = looked.body.expires_at - Date.now();
  assert.ok(left > 0 && left <= 15 * 60_000, `it works for ${left} ms`);
});

await seed.shows('B1.3', 'the message with text and link goes out by itself, with Flex\'s attributes', async () => {
  assert.ok(call.form.Body.includes(link), 'the text holds the link');
  const { hasVideo, uniqueCode } = attributes(call);
  assert.equal(hasVideo, true);
  assert.ok(link.endsWith(uniqueCode));
});

await seed.shows('B1.4', 'the task\'s videoRoom is created, and nothing of theirs is overwritten', async () => {
  await until('the task says created', () => kept[task].videoRoom === 'created');
  assert.equal(kept[task].syncDocument, 'theirs-too');
  await until('the conversation says created', () => kept[chat].videoRoom === 'created');
  assert.equal(kept[chat].theirs, 'kept');
});

await seed.shows('B1.6', 'a code that is not valid is refused, and says so to the customer', async () => {
  const wrong = await server.request('POST', `/v1/invites/${'A'.repeat(27)}/redeem`, { body: { browser_key: 'x'.repeat(64) }, headers: { origin: server.url } });
  assert.ok(wrong.status >= 400, `answered with ${wrong.status}`);
  const guess = await world.browser.customer();
  await guess.open(`${server.url}/j/${'A'.repeat(27)}`);
  await guess.sees(/link/i);
  await guess.close();
});

await seed.shows('B1.5', 'the agent\'s room is there by itself, and both see each other', async () => {
  seed.customer = await world.browser.customer({ viewport: { width: 390, height: 780 } });
  await seed.customer.open(link);
  await seed.customer.click('Join with video');
  await Promise.all([desk.reaches('live'), seed.customer.reaches('live')]);
  const { ages } = await seed.customer.watch(3000);
  assert.ok(ages.length > 20, `${ages.length} different frames in 3 s`);
  await until('the task says connected', () => kept[task].videoRoom === 'connected');
});

await seed.shows('B1.7', 'the customer has microphone, camera and screen, and leaves to a page with a survey', async () => {
  for (const control of ['Mute microphone', 'Turn camera off']) assert.ok(await seed.customer.has(control), control);
});

await seed.shows('B1.8', 'one video session for an agent, and no wrap-up while it runs', async () => {
  const { access_token: token } = await server.signIn(server.agent);
  const other = 'CH0000000000000000000000000000002b';
  await writes('And I have a second question.', { ConversationSid: other, Author: 'Ben Ortiz', MessageSid: `IM${'b'.repeat(32)}` });
  const { body: session } = await server.request('POST', '/v1/auth/sign-in', { body: { email: server.agent.email, password: server.agent.password } });
  const second = await until('the second chat is in the inbox', () =>
    desk.script(() => [...document.querySelectorAll('[data-conversation]')].find((row) => row.textContent.includes('Ben Ortiz'))?.dataset.conversation ?? null));
  const accepted = await server.request('POST', `/v1/conversations/${second}/accept`, { token: session.access_token, body: {} });
  assert.equal(accepted.status, 200, JSON.stringify(accepted.body));
  const refused = await server.request('POST', `/v1/conversations/${second}/escalations`, { token: session.access_token, body: { command_id: crypto.randomUUID() } });
  assert.equal(refused.status, 409, 'a second video session');
  const first = (await seed.record(second)) && (await desk.conversation());
  const wrapped = await server.request('POST', `/v1/conversations/${first}/wrap-up`, { token, body: { end_call: false } });
  assert.equal(wrapped.body.code, 'call_live');
});

await seed.shows('HEAD', 'ending the call tells the task, and the survey comes back with reasons', async () => {
  const id = await desk.conversation();
  await desk.hangUp();
  await seed.customer.reaches('ended');
  await until('the task says disconnected', () => kept[task].videoRoom === 'disconnected');
  await seed.customer.rate('up', 'Quick and kind.');
  await until('the survey is in the record', async () => (await seed.record(id)).escalation?.survey?.comment === 'Quick and kind.');
});

await seed.shows('HEAD.2', 'a second opener of the link is told that it is in use, and ejects nobody', async () => {
  await desk.click('button', 'Start video');
  await desk.reaches('waiting');
  const calls = () => twilio.calls.filter((sent) => sentTo('/Messages')(sent) && attributes(sent).videoUrl && attributes(sent).videoUrl !== link);
  const [second] = await until('the second link has gone out', () => (calls().length ? calls() : null));
  await seed.customer.open(attributes(second).videoUrl);
  await seed.customer.click('Join with video');
  await Promise.all([desk.reaches('live'), seed.customer.reaches('live')]);
  const stranger = await world.browser.customer();
  await stranger.open(attributes(second).videoUrl);
  await stranger.sees(/already|in use/i);
  await stranger.close();
  assert.equal(await seed.customer.state(), 'live');
  await desk.hangUp();
});

await seed.shows('faults', 'of our own: a refused link is told to the agent and can be sent again; 429 is waited for', async () => {
  twilio.failOnce(sentTo('/Messages'), { status: 429, headers: { 'retry-after': '1' }, body: { code: 20429 } });
  await desk.send('Are you still there?');
  await twilio.heard('the message after the pause', (sent) => sentTo('/Messages')(sent) && sent.form.Body === 'Are you still there?');
  twilio.failOnce(sentTo('/Messages'), { status: 400, body: { code: 50438 } });
  await desk.send('This one is refused.');
  await desk.sees('A message did not reach the customer.');
});

await seed.shows('spec', 'every field of every call is one of the specification\'s', async () => {
  assert.deepEqual(misspelt, []);
  await desk.wrapUp();
});

await seed.end();
