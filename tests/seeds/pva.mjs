// Power Virtual Agents, a bot that hands its conversation to a person (B2): Microsoft's own library makes the hand-off and
// reads what became of it, and its web tokens are signed with a key that the journey's service publishes. The bot itself is
// a few lines: it answers whatever it hears until the library tells it to be silent.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { until } from '../lib/wait.mjs';
import { startEndpoint } from '../lib/endpoint.mjs';
import { Seed, vendor } from './seed.mjs';

const { ActivityTypes, CloudAdapter, ConfigurationBotFrameworkAuthentication, EventFactory, HandoffEventNames, TestAdapter, TurnContext } = vendor('botbuilder');
const jwt = vendor('jsonwebtoken');
const seed = new Seed('pva');

const appId = '00000000-0000-4000-8000-000000000001';
const issuer = 'https://api.botframework.com';
const secrets = { BOT_SECRET: 'an-example-secret' };
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const account = { id: 'bot-1', name: 'Returns bot', role: 'bot' };

/** What the bot has heard of each of its conversations, as Microsoft's library reads it. */
const told = new Map();
const states = (conversation) => (told.get(conversation) ?? []).map(({ value }) => value.state);
const adapter = new CloudAdapter(new ConfigurationBotFrameworkAuthentication({}));
const faults = [];
adapter.onTurnError = async (_, error) => faults.push(error.message);

/** The library gets the activity as a web framework would bring it. */
async function bringToBot(activity, conversation) {
  const response = { socket: {}, status: () => response, send: () => response, end: () => response, header: () => response };
  const body = { ...incoming(conversation), text: undefined, ...activity, serviceUrl: 'http://127.0.0.1:1/' };
  await adapter.process({ method: 'POST', headers: {}, body }, response, async (turn) => {
    if (turn.activity.type !== ActivityTypes.Event || turn.activity.name !== HandoffEventNames.HandoffStatus) return;
    told.set(conversation, [...(told.get(conversation) ?? []), turn.activity]);
  });
}

let sent = 0;
const service = seed.keep(
  await startEndpoint(async ({ method, path, headers, form, json }) => {
    if (path === '/metadata') return { body: { issuer, jwks_uri: `${service.url}/keys` } };
    if (path === '/keys') return { body: { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), use: 'sig', kid: 'k1', endorsements: ['directline'] }] } };
    if (path.endsWith('/oauth2/v2.0/token')) {
      const right = form.client_id === appId && form.client_secret === secrets.BOT_SECRET && form.scope === 'https://api.botframework.com/.default';
      return right ? { body: { token_type: 'Bearer', expires_in: 3600, access_token: 'an-example-token' } } : { status: 401, body: { error: 'invalid_client' } };
    }
    const conversation = /^\/v3\/conversations\/([^/]+)\/activities/.exec(path)?.[1];
    if (method !== 'POST' || !conversation) return { status: 404, body: {} };
    if (headers.authorization !== 'Bearer an-example-token') return { status: 401, body: {} };
    await bringToBot(json, conversation);
    return { body: { id: `ours-${++sent}` } };
  }),
);

const customers = { c1: 'Ada Moreno', c2: 'Bela Novak', c3: 'Carl Ito', c4: 'Dana Weber', c5: 'Eva Lind' };

/** The customer's message during which the bot gives up. */
const incoming = (conversation) => ({
  type: ActivityTypes.Message,
  id: `${conversation}|0000004`,
  text: 'Can I return my item',
  channelId: 'directline',
  serviceUrl: `${service.url}/`,
  from: { id: `customer-${conversation}`, name: customers[conversation], role: 'user' },
  recipient: account,
  conversation: { id: conversation },
});

const token = ({ key = pair.privateKey, audience = appId } = {}) =>
  jwt.sign({ serviceurl: `${service.url}/` }, key, { algorithm: 'RS256', keyid: 'k1', issuer, audience, expiresIn: '1h' });

/** The service posts an activity, or its text where the text itself matters. */
async function posts(activity, authorization = `Bearer ${token()}`) {
  const body = typeof activity === 'string' ? activity : JSON.stringify(activity);
  const answer = await fetch(seed.hook('returns'), { method: 'POST', headers: { 'content-type': 'application/json', authorization }, body });
  return answer.status;
}

let number = 0;
/** The customer writes in the bot's chat; a bot that is not silent has something to say to it. */
async function writes(conversation, text) {
  const activity = { ...incoming(conversation), id: `${conversation}|in${++number}`, text };
  assert.equal(await posts(activity), 200);
  if (states(conversation).at(-1) === 'accepted') return false;
  const answer = { ...activity, id: `${activity.id}-bot`, from: account, recipient: activity.from, text: 'I did not get that.' };
  assert.equal(await posts(answer), 200);
  return true;
}

const variables = {
  va_Scope: 'bot',
  va_LastTopic: 'Return items',
  va_Topics: ['Greetings', 'Store hours', 'Return items'],
  va_LastPhrases: 'Can I return my item',
  va_Phrases: ['Hi', 'When do you open', 'Can I return my item'],
  va_ConversationId: '6b0e0b8e-3f0e-4a38-8d4f-0f4c8f4f2a11',
  va_AgentMessage: 'I see that you got a gift. Shall we look at it together?',
  va_BotId: '0c51f0a4-6a4c-4a51-9b0d-f6c1c0a6d2f0',
  va_BotName: 'Returns bot',
  va_Language: 'de-de',
  StoreLocation: 'Bellevue',
  'bot.CustomerPhoneNumber': '',
  'bot.OrganizationPhoneNumber': '15550100',
};

/** A hand-off as the library makes it, in the bot's name. */
function handoff(conversation, more = {}) {
  const asked = incoming(conversation);
  const line = (id, from, text, at) => ({ type: 'message', id, timestamp: new Date(at), from, text });
  const began = Date.now() - 60_000;
  const transcript = {
    activities: [
      line('1', account, 'Hello! How can I help?', began),
      line('2', asked.from, 'When do you open', began + 10_000),
      { type: 'event', id: '3', from: asked.from, name: 'seen' },
      line('4', account, 'At nine, in Bellevue.', began + 20_000),
      line('5', asked.from, 'Can I return my item', began + 30_000),
    ],
  };
  const turn = new TurnContext(new TestAdapter(async () => {}), asked);
  const event = EventFactory.createHandoffInitiation(turn, { ...variables, ...more }, transcript);
  return { ...event, from: account, serviceUrl: asked.serviceUrl, channelId: asked.channelId };
}

await seed.start({
  config: `[connectors.returns]
kind = "bot"
app_id = "${appId}"
app_secret = "env:BOT_SECRET"
metadata = "${service.url}/metadata"
login_base = "${service.url}"

[queues.default]
title = "Support"

[queues.returns]
title = "Returns"
mode = "push"

[queues.phone]
title = "On the phone"
mode = "push"

[[rules]]
name = "A voice bot"
exists = ["bot.CustomerPhoneNumber"]
queue = "phone"

[[rules]]
name = "Returns of the bot"
when = { va_LastTopic = "Return items" }
queue = "returns"
`,
  secrets,
});
const { desk, server, world } = seed;
const call = async (method, path, person, body) => server.request(method, path, { token: (await server.signIn(person)).access_token, body });
const accepts = async () => {
  await desk.click('button', 'Accept', { within: 20_000 });
  await desk.find('textbox', 'Message');
  return desk.conversation();
};
const status = (conversation, wanted) => until(`the bot hears ${wanted}`, () => states(conversation).at(-1) === wanted);
const invite = (conversation) =>
  service.heard('the link has gone out over the bot\'s channel', ({ path, json }) => path.includes(`/${conversation}/`) && json?.text?.includes('/j/'));
const linkIn = ({ json }) => json.text.split(/\s/).find((word) => word.includes('/j/'));
let id;

await seed.shows('B2.4', 'a hand-off that is not signed for us does not work: another key, another application', async () => {
  assert.equal(await posts(handoff('c0'), `Bearer ${token({ key: stranger.privateKey })}`), 401);
  assert.equal(await posts(handoff('c0'), `Bearer ${token({ audience: '00000000-0000-4000-8000-000000000009' })}`), 401);
  assert.equal(await posts(handoff('c0'), ''), 401);
});

await seed.shows('B2.1', 'the hand-off brings the transcript and every variable; of two of the same name the last one counts', async () => {
  const text = JSON.stringify(handoff('c1', { surveyConsent: false, customerLocale: 'es-US' }));
  const twice = text.replace('"StoreLocation":"Bellevue"', '"StoreLocation":"Seattle","StoreLocation":"Bellevue"');
  assert.notEqual(twice, text);
  assert.equal(await posts(twice), 200);
  id = await seed.inInbox(customers.c1);
  const { context } = await seed.record(id);
  for (const [name, value] of Object.entries(variables)) assert.equal(context[name], Array.isArray(value) ? value.join(', ') : value, name);
  assert.equal(context.va_LastPhrase, context.va_LastPhrases, 'both spellings');
});

await seed.shows('B2.10', 'it waits in the queue of its rule, where agents are asked; a bot is nobody to consult', async () => {
  const { body: why } = await call('GET', `/v1/conversations/${id}/why`, server.supervisor);
  assert.deepEqual([why.queue, why.rule], ['Returns', 'Returns of the bot']);
  await desk.find('button', 'Accept');
});

await seed.shows('B2.2', 'the agent has the whole history and the bot falls silent', async () => {
  assert.equal(await writes('c1', 'Is somebody there?'), true, 'the bot talks until somebody has it');
  assert.equal(await accepts(), id);
  for (const words of ['Hello! How can I help?', 'When do you open', 'At nine, in Bellevue.', 'Can I return my item', 'The bot handed the conversation over']) await desk.sees(words);
  await status('c1', 'accepted');
  assert.equal(await writes('c1', 'My parcel is open.'), false);
  await desk.sees('My parcel is open.');
  const { messages } = await seed.record(id);
  const last = messages.findLastIndex(({ author }) => author.type === 'bot');
  assert.ok(last < messages.findIndex(({ body }) => body.text === 'My parcel is open.'), 'no word of the bot after the acceptance');
});

await seed.shows('B2.10b', 'nobody consults a bot: it can be handed nothing, takes part in nothing, and is no name among colleagues', async () => {
  const { status: listed, body: targets } = await call('GET', `/v1/conversations/${id}/targets`, server.agent);
  assert.equal(listed, 200);
  assert.deepEqual(targets.queues.map(({ title }) => title).sort(), ['On the phone', 'Returns', 'Support']);
  const bots = [appId, 'returns', variables.va_BotId, variables.va_BotName, account.name].filter(Boolean);
  for (const bot of bots) {
    assert.ok(!targets.agents.some(({ account: one, name }) => one === bot || name === bot), `${bot} is among the colleagues`);
    const to = { type: 'agent', account: bot };
    const { status: refused } = await call('POST', `/v1/conversations/${id}/transfer`, server.agent, { to, note: '' });
    assert.ok(refused >= 400 && refused < 500, `${bot} was asked: ${refused}`);
  }
  const { body: conversation } = await call('GET', `/v1/conversations/${id}`, server.agent);
  assert.deepEqual(conversation.participants, []);
  assert.equal(conversation.owner_name, server.agent.name);
});

await seed.shows('B2.2b', 'the agent sees every variable: by its name where bots agree on one, the rest as it is called', async () => {
  for (const words of ['Last words', 'Last topic', 'Store hours', 'Returns bot', 'StoreLocation', 'Bellevue', 'de-de', 'es-US', 'Does not want to be asked', variables.va_ConversationId]) await desk.sees(words);
});

await seed.shows('B2.2c', 'the bot\'s suggestion goes out with one click and Send', async () => {
  await desk.sees(variables.va_AgentMessage);
  await desk.click('button', 'Use suggested message');
  await desk.click('button', 'Send');
  const { json } = await service.heard('the agent\'s words have gone out', (sent) => sent.json?.text === variables.va_AgentMessage);
  assert.equal(json.type, 'message');
  assert.equal(json.from.name, server.agent.name);
});

await seed.shows('B2.V', 'a bot asks for video in its customer\'s name; one click, and the link goes out over its channel', async () => {
  await desk.openConversation(customers.c1);
  assert.equal(await posts({ ...incoming('c1'), id: 'c1|ask', type: 'event', name: 'video.request', text: undefined }), 200);
  await desk.sees('would like a video call');
  await desk.click('button', 'Start video');
  await desk.reaches('waiting');
  const link = linkIn(await invite('c1'));
  seed.customer = await world.browser.customer({ viewport: { width: 390, height: 780 } });
  await seed.customer.open(link);
  await seed.customer.appears('Unirse con vídeo');
});

await seed.shows('B2.6', 'customerLocale: the customer\'s page speaks that language, and writes its times as it is written there (the browser here is English)', async () => {
  assert.equal(await seed.customer.evaluate(() => document.documentElement.lang), 'es');
  await seed.customer.sees(/Puede unirse hasta las \d{1,2}:\d\d\s[ap]\.\s?m\./);
  await seed.customer.click('Unirse con vídeo');
  await Promise.all([desk.reaches('live'), seed.customer.reaches('live')]);
  assert.ok((await seed.customer.watch(3000)).ages.length > 20);
});

await seed.shows('B2.6b', 'surveyConsent is false: nobody asks how the call was', async () => {
  await desk.hangUp();
  await seed.customer.reaches('ended');
  await seed.customer.sees('La llamada ha terminado');
  assert.equal(await seed.customer.has('Bien'), false);
  await desk.sees('Not asked how it went.');
});

await seed.shows('B2.2d', 'the agent has finished: the bot hears so and may speak again', async () => {
  await desk.wrapUp();
  await status('c1', 'completed');
  assert.deepEqual(states('c1'), ['accepted', 'completed']);
  const theirs = EventFactory.createHandoffStatus({ id: 'c1' }, 'completed');
  assert.deepEqual(told.get('c1').at(-1).value, JSON.parse(JSON.stringify(theirs.value)));
});

await seed.shows('B2.7', 'an empty phone number is messaging, also for a rule that asks whether there is one; with a number it is a call', async () => {
  assert.equal((await seed.record(id)).channel, 'bot');
  assert.equal(await posts(handoff('c2', { 'bot.CustomerPhoneNumber': '4915550199' })), 200);
  const onPhone = await seed.inInbox(customers.c2);
  await desk.click('button', 'Accept');
  const record = await seed.record(onPhone);
  assert.equal(record.channel, 'phone');
  const { body: why } = await call('GET', `/v1/conversations/${onPhone}/why`, server.supervisor);
  assert.equal(why.rule, 'A voice bot');
  await desk.openConversation(customers.c2);
  await desk.wrapUp();
  await status('c2', 'completed');
});

await seed.shows('B2.2e', 'the customer leaves before anybody has it: the bot hears that it failed, and why', async () => {
  assert.equal(await posts(handoff('c3')), 200);
  await desk.find('button', 'Accept', { within: 20_000 });
  assert.equal(await posts({ ...incoming('c3'), id: 'c3|end', type: 'endOfConversation', text: undefined }), 200);
  await status('c3', 'failed');
  assert.ok(told.get('c3').at(-1).value.message);
  assert.deepEqual(faults, []);
});

await seed.shows('B2.6c', 'surveyConsent is true: the customer is asked, and the answer is with the call', async () => {
  assert.equal(await posts(handoff('c4', { surveyConsent: 'true', customerLocale: 'en-US' })), 200);
  id = await accepts();
  await desk.click('button', 'Start video');
  await desk.reaches('waiting');
  await seed.customer.open(linkIn(await invite('c4')));
  await seed.customer.click('Join with video');
  await Promise.all([desk.reaches('live'), seed.customer.reaches('live')]);
  await desk.hangUp();
  await seed.customer.reaches('ended');
  await seed.customer.rate('up', 'Better than the bot.');
  await until('the survey is in the record', async () => (await seed.record(id)).escalation?.survey?.comment === 'Better than the bot.');
});

await seed.shows('B2.3', 'the connection is tested, cannot be switched off while it is used, and has no traffic when it is', async () => {
  const admin = await world.desk();
  await admin.signIn(server.admin);
  if (await admin.has('button', 'Got it')) await admin.click('button', 'Got it');
  await admin.click('button', 'Connectors');
  await admin.click('button', '~returns');
  await admin.click('button', 'Test connection');
  await admin.sees('The platform answered and knows us.');
  service.failOnce(({ path }) => path.endsWith('/token'), { status: 401, body: { error: 'invalid_client' } });
  await admin.click('button', 'Test connection');
  await admin.sees('The platform refuses our sign-in (401).');
  await admin.click('button', 'Test connection');
  await admin.sees('The platform answered and knows us.');
  const disable = async () => {
    await admin.click('button', '~Disable');
    await admin.click('button', 'Disable');
  };
  await disable();
  await admin.sees('is using this connector.');
  await admin.sees(customers.c4);
  world.display.save(`${seed.folder}/connectors-in-use.png`);
  await desk.wrapUp();
  await disable();
  await admin.find('button', 'Enable');
  const before = service.calls.length;
  assert.equal(await posts(handoff('c5')), 503, 'the service tries again later');
  assert.equal(service.calls.length, before, 'nothing goes out');
  await admin.click('button', 'Enable');
  await admin.find('button', '~Disable');
  await admin.close();
  assert.equal(await posts(handoff('c5')), 200);
  await accepts();
  await status('c5', 'accepted');
  await desk.wrapUp();
});

seed.cannot('B2.3b', 'disconnecting disables the bot\'s user; same region; published', 'users, regions and publishing are Microsoft\'s; here a connector that is taken out of the file is gone');
seed.cannot('B2.5', 'voice on or off for a whole bot', 'voice bots talk over Microsoft\'s telephony; the guard against switching off what is in use is B2.3');
seed.cannot('B2.6e', 'UninterruptibleMessage, TargetPhoneNumber, Hang up', 'actions of a voice bot on Microsoft\'s telephony; a bot that ends the conversation is B2.2e');
seed.cannot('B2.8', 'authentication variables are not passed on by voice bots, and unsupported regions have no voice', 'that happens before anything reaches us');
seed.cannot('B2.9', 'a voice bot reads asterisks aloud; a settings tile looks unconfigured', 'faults of their product; what our agents write is marked as plain text');
await seed.end();
