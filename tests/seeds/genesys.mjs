// Genesys Cloud, from messaging to video (B3): a flow of Genesys gives a conversation over with the guide's variables, and it
// becomes a video call with an agent who may have one. The guide's payloads are in no public interface of Genesys, so their
// meaning stands in this deployment's file; Genesys itself is reached by Open Messaging, whose calls are checked against
// the types of Genesys's own client.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { everyAddress } from '../lib/addresses.mjs';
import { followWords } from '../lib/customer-page.mjs';
import { agentSees, customerSees } from '../lib/flows.mjs';
import { startEndpoint } from '../lib/endpoint.mjs';
import { temporaryFolder } from '../lib/paths.mjs';
import { until } from '../lib/wait.mjs';
import { writeCamera } from '../lib/y4m.mjs';
import { Seed, vendor } from './seed.mjs';

const seed = new Seed('genesys');
const integration = '00000000-0000-4000-8000-000000000001';
const queue = '4f2b9c1e-0000-4000-8000-000000000007';
const secrets = { GENESYS_WEBHOOK_SECRET: 'an-example-webhook-secret', GENESYS_CLIENT_SECRET: 'an-example-client-secret' };
const cap = 600_000;

// The types of Genesys's client: what a body may hold, and has to.
const types = readFileSync(join(vendor.resolve('purecloud-platform-client-v2'), '..', '..', '..', 'index.d.ts'), 'utf8');
const misspelt = [];
function conforms(body, name) {
  const [, fields] = new RegExp(`export interface ${name} \\{ ([^}]*(?:\\{[^}]*\\}[^}]*)*?)\\n\\t\\}`).exec(types);
  const known = new Map([...fields.matchAll(/"(\w+)"(\?)?: (?:Array<)?(?:Models\.(\w+))?/g)].map(([, field, optional, model]) => [field, { optional, model }]));
  for (const [field, value] of Object.entries(body)) {
    const type = known.get(field);
    if (!type) misspelt.push(`${name}.${field}`);
    else if (type.model && typeof value === 'object') for (const one of [value].flat()) conforms(one, type.model);
  }
  for (const [field, { optional }] of known) if (!optional && body[field] === undefined) misspelt.push(`${name} without ${field}`);
}

/** What Genesys keeps with the customer of each of its conversations; what is not ours must survive. */
const kept = new Map();
const conversationOf = (thread) => `conversation-of-${thread}`;
const attributes = (thread) => kept.get(conversationOf(thread)) ?? {};
let sent = 0;
const genesys = seed.keep(
  await startEndpoint(({ method, path, headers, json, form }) => {
    if (path === '/oauth/token') {
      const right = `Basic ${Buffer.from(`client:${secrets.GENESYS_CLIENT_SECRET}`).toString('base64')}`;
      return headers.authorization === right && form.grant_type === 'client_credentials' ? { body: { access_token: 'an-example-token', expires_in: 86_400 } } : { status: 401, body: { error: 'invalid_client' } };
    }
    if (headers.authorization !== 'Bearer an-example-token') return { status: 401, body: { code: 'bad.credentials' } };
    const open = `/api/v2/conversations/messages/${integration}/inbound/open`;
    if (path === `${open}/message`) {
      conforms(json, 'OpenInboundNormalizedMessage');
      const id = conversationOf(json.channel.from.id);
      if (!kept.has(id)) kept.set(id, { theirs: 'kept' });
      return { status: 202, body: { id: `theirs-${++sent}`, conversationId: id } };
    }
    if (path === `${open}/receipt`) {
      conforms(json, 'OpenInboundNormalizedReceipt');
      return { status: 202, body: { id: json.id } };
    }
    const [, id, attribute] = /^\/api\/v2\/conversations\/([^/]+)(\/participants\/customer-1\/attributes)?$/.exec(path) ?? [];
    if (!kept.has(id)) return { status: 404, body: { code: 'not.found' } };
    if (method === 'PATCH' && attribute) {
      conforms(json, 'ParticipantAttributes');
      Object.assign(kept.get(id), json.attributes);
      return { status: 202, body: {} };
    }
    return { body: { id, participants: [{ id: 'flow-1', purpose: 'workflow' }, { id: 'customer-1', purpose: 'customer', attributes: kept.get(id) }] } };
  }),
);

/** A webhook as Genesys signs it; how long our answer took. */
async function says(notice) {
  conforms(notice, 'OpenNormalizedMessage');
  const body = JSON.stringify(notice);
  const signature = createHmac('sha256', secrets.GENESYS_WEBHOOK_SECRET).update(body).digest('base64');
  const began = performance.now();
  const answer = await fetch(seed.hook('genesys'), { method: 'POST', headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` }, body });
  assert.equal(answer.status, 200, `Genesys's webhook was answered with ${answer.status}`);
  return performance.now() - began;
}
const channel = (thread, nickname) => ({
  id: integration,
  platform: 'Open',
  type: 'Private',
  to: { id: thread, idType: 'Opaque' },
  from: { id: integration, idType: 'Opaque', nickname },
  time: new Date().toISOString(),
});
let number = 0;
const writes = (thread, nickname, text, metadata) =>
  says({ id: `in-${++number}`, channel: channel(thread, nickname), type: 'Text', text, direction: 'Outbound', ...(metadata ? { metadata } : {}) });
/** What the guide has a flow set before its transfer. */
const guide = { Escalation_Source: 'Chat', Target_Channel: 'Video', Agent_Skill_Requirement: 'Video_Certified', 'routing.queueId': queue, 'routing.contactTypeId': 'video-escalation-type' };

const media = temporaryFolder('media');
writeCamera(join(media, 'Desk.y4m'));
await seed.start({
  config: `[connectors.genesys]
kind = "genesys"
region = "mypurecloud.ie"
integration_id = "${integration}"
webhook_secret = "env:GENESYS_WEBHOOK_SECRET"
client_id = "client"
client_secret = "env:GENESYS_CLIENT_SECRET"
api_base = "${genesys.url}"
login_base = "${genesys.url}"

[queues.default]
title = "Support"

[queues.video]
title = "Video consultation"
id = "${queue}"
mode = "push"
priority = 10
max_bitrate = ${cap}
video_skill = "Video_Capable"

[skills.Video_Capable]
also = ["Video_Certified"]

[[rules]]
name = "Escalated to video"
when = { Target_Channel = "Video" }
requires = ["Escalation_Source"]
queue = "default"
queue_from = "routing.queueId"
skill_from = "Agent_Skill_Requirement"
priority = 100

[agents."maria@example.test"]
skills = { Video_Capable = 5 }
`,
  secrets,
  env: { SIGHTLINE_READINESS: 'required', SIGHTLINE_TURN: '127.0.0.1:0', SIGHTLINE_TURN_ALLOW: everyAddress() },
  deskEnv: { SIGHTLINE_MEDIA_DIR: media },
});
const { desk, server, world } = seed;
const call = async (method, path, person) => server.request(method, path, { token: (await server.signIn(person)).access_token });
const why = async () => (await call('GET', `/v1/conversations/${id}/why`, server.supervisor)).body;
const card = () => desk.script(() => document.querySelector('[data-testid=assignment]')?.innerText ?? null);
const links = () => genesys.calls.filter(({ json, status }) => status < 300 && json?.text?.includes('/j/')).map(({ json }) => json.text.split(/\s/).find((word) => word.includes('/j/')));
const newLink = (before) => until('the link has gone out over Genesys', () => links()[before]);
const STEPS = ['Trying another way', 'Trying a way around', 'Trying with sound only'];
const supervisor = await seed.present(server.supervisor);
await seed.present(server.otherAgent);
let id, first, link, hush;

await seed.shows('B3.0', 'whoever writes over Genesys is the one our agent talks with: answer, receipts and delivery go both ways', async () => {
  await writes('customer-1', 'Ada Moreno', 'My router blinks red.');
  await desk.accept('Ada Moreno');
  first = await desk.conversation();
  await genesys.heard("the receipt of the customer's words", ({ path, json }) => path.endsWith('/receipt') && json.id === 'in-1' && json.status === 'Delivered');
  const words = 'Good morning. Shall we look at it together?';
  await desk.send(words);
  const { json } = await genesys.heard('the answer', (sent) => sent.json?.text === words);
  assert.deepEqual([json.channel.from.id, json.channel.from.nickname], ['customer-1', server.agent.name]);
  const { seq } = (await seed.record(first)).messages.find(({ body }) => body.text === words);
  await until('the delivery is in the record', async () => {
    const receipt = { id: 'theirs-1', channel: channel('customer-1', server.agent.name), type: 'Receipt', status: 'Delivered', isFinalReceipt: true, direction: 'Outbound' };
    await says(receipt);
    return (await seed.record(first)).delivered_seq >= seq;
  });
});

await seed.shows('B3.6', 'before the escalation the desk has to be ready: video cannot be started, and the window says why', async () => {
  assert.match(await desk.videoBlock(), /not been tested/);
  await desk.wrapUp();
});

await seed.shows('B3.2', "the flow's variables place the transfer: queue by Genesys's id, skill and priority by the rule", async () => {
  await writes('customer-1', 'Ada Moreno', 'Yes, by video, please.', guide);
  id = await supervisor.conversationOf('Ada Moreno', { not: [first] });
  const { queue: name, rule, priority } = await why();
  assert.deepEqual([name, rule, priority], ['Video consultation', 'Escalated to video', 100]);
  const { context, max_bitrate: most } = await seed.record(id);
  for (const [variable, value] of Object.entries(guide)) assert.equal(context[variable], value, variable);
  assert.equal(most, cap);
});

await seed.shows('B3.3', 'one has the skill and an untested desk, one lacks the skill: nobody is asked, and a supervisor reads why', async () => {
  const { agents, waits } = await why();
  const reasons = Object.fromEntries(agents.map(({ name, reason }) => [name, reason]));
  assert.match(reasons[server.agent.name], /not ready/);
  assert.match(reasons[server.otherAgent.name], /Lacks a skill/);
  assert.match(waits, /Nobody can take it/);
  assert.equal(await card(), null);
});

await seed.shows('B3.6b', 'the self-test passes, and in the same moment its agent is asked; the one without the skill is not', async () => {
  hush = world.sound.speak(700);
  await desk.chooseDevices({ camera: 'File: Desk.y4m', microphone: 'Microphone', speaker: 'Speaker' });
  await desk.session.keys('t');
  await desk.click('button', 'Start the self-test');
  await desk.click('button', 'I hear it', { within: 60_000 });
  await until('the desk may have video', async () => {
    // A computer that others use at the same time may be too slow at that moment: it is tested again, as a person would.
    if (await desk.has('button', '~again : Video at full size')) await desk.click('button', '~again : Video at full size');
    return desk.script(() => document.querySelector('[data-readiness]')?.dataset.readiness === 'video');
  }, { within: 180_000, every: 500 });
  await until('the agent is asked', async () => (await card())?.includes('Ada Moreno'), { within: 20_000 });
  const { agents, because } = await why();
  assert.equal(because, 'Nobody else could take it.');
  assert.match(agents.find(({ name }) => name === server.otherAgent.name).reason, /Lacks a skill/);
});

await seed.shows('B3.4', 'the same contact: what was said before is shown, and the conversation continues the first one', async () => {
  await desk.click('button', 'Accept');
  await desk.find('textbox', 'Message');
  assert.equal(await desk.conversation(), id);
  assert.equal((await seed.record(id)).previous.id, first);
  await desk.sees('My router blinks red.');
  await desk.sees('Yes, by video, please.');
});

await seed.shows('B3.8', 'the target of the transfer is a wish for video, and one click grants it: the link goes out over the channel', async () => {
  await desk.sees('would like a video call');
  await desk.click('button', 'Start video');
  await desk.reaches('waiting');
  link = await newLink(0);
  await until('Genesys keeps that there is a room', () => attributes('customer-1').videoRoom === 'created');
  assert.equal(attributes('customer-1').theirs, 'kept', 'attributes of others are left alone');
  assert.equal(attributes('customer-1').Target_Channel, 'Video');
});

await seed.shows('B3.5', "the queue's media policy caps the call, which is encrypted by DTLS 1.2 or later", async () => {
  seed.customer = await world.browser.customer({ viewport: { width: 390, height: 780 } });
  await seed.customer.open(link);
  await seed.customer.click('Join with video');
  await Promise.all([desk.reaches('live'), seed.customer.reaches('live')]);
  await until('Genesys keeps that they are connected', () => attributes('customer-1').videoRoom === 'connected');
  /** Runs in the page: what the desk's offer allows, what the encoder aims at, and what was sent so far. */
  const sending = async () => {
    const connection = window.__connections.findLast(({ connectionState }) => connectionState === 'connected');
    const found = { allowed: [...connection.remoteDescription.sdp.matchAll(/b=TIAS:(\d+)/g)].map(([, bits]) => Number(bits)), aims: 0, video: 0, audio: 0, at: performance.now() };
    for (const stats of (await connection.getStats()).values()) {
      if (stats.type === 'outbound-rtp') found[stats.kind] += stats.bytesSent;
      if (stats.type === 'outbound-rtp' && stats.kind === 'video') found.aims += stats.targetBitrate ?? 0;
      if (stats.type === 'transport') Object.assign(found, { dtls: stats.dtlsState, version: stats.tlsVersion });
    }
    return found;
  };
  // The first pictures of a call are whole ones, and larger.
  await agentSees(world, desk, { lasting: 4000 });
  const before = await seed.customer.evaluate(sending);
  await agentSees(world, desk, { lasting: 6000 });
  const after = await seed.customer.evaluate(sending);
  const rate = (kind) => Math.round(((after[kind] - before[kind]) * 8000) / (after.at - before.at));
  console.log(`        the offer allows ${after.allowed}; the browser aims at ${after.aims} for pictures and sent ${rate('video')}, and ${rate('audio')} of sound, bits a second`);
  assert.ok(after.allowed.length > 0 && after.allowed.every((bits) => bits <= cap), 'what the offer allows');
  assert.ok(after.aims > 0 && after.aims <= cap, 'what the encoder aims at');
  assert.ok(rate('audio') > 0 && rate('audio') < 80_000, 'what sound takes');
  assert.ok(rate('video') > 0 && rate('video') < cap * 1.25, 'what was sent; an encoder hits its aim on average only');
  assert.equal(after.dtls, 'connected');
  assert.ok(['FEFD', 'FEFC'].includes(after.version?.toUpperCase()), `DTLS version ${after.version}`);
});

await seed.shows('B3.4b', 'before, in and after the video it is one conversation, here and there', async () => {
  await writes('customer-1', 'Ada Moreno', 'Can you see the red light?');
  await desk.sees('Can you see the red light?');
  await desk.hangUp();
  await until('Genesys keeps that it is over', () => attributes('customer-1').videoRoom === 'disconnected');
  await writes('customer-1', 'Ada Moreno', 'It is green now.');
  await desk.sees('It is green now.');
  const { messages, state } = await seed.record(id);
  assert.equal(state, 'active');
  const said = messages.filter(({ author }) => author.type === 'customer').map(({ body }) => body.text);
  assert.deepEqual(said, ['Yes, by video, please.', 'Can you see the red light?', 'It is green now.']);
  assert.deepEqual([...kept.keys()], [conversationOf('customer-1')], "Genesys's own conversation is one, too");
});

await seed.shows('B3.B', 'a session that has ended says so, also to whoever opens its link again', async () => {
  await seed.customer.reaches('ended');
  const again = await world.browser.customer();
  await again.open(link);
  await again.sees(/call is over|in use/);
  assert.equal(await again.has('Join with video'), false);
  await again.close();
});

/** The next call of the conversation, up to the customer's tap, with what both sides are told from there. */
async function joins(options) {
  if ((await desk.phase()) === 'live') await desk.hangUp();
  await seed.customer.close();
  const before = links().length;
  await desk.click('button', 'Start video');
  await desk.reaches('waiting');
  seed.customer = await world.browser.customer({ viewport: { width: 390, height: 780 }, ...options });
  await seed.customer.open(await newLink(before));
  await seed.customer.appears('Join with video');
  await Promise.all([desk.script(followWords, STEPS), seed.customer.evaluate(followWords, STEPS)]);
  await seed.customer.click('Join with video');
}

await seed.shows('B3.6c', 'two handshakes fail and the third way passes: both are told, and see each other', async () => {
  await joins({ blocked: 2 });
  await Promise.all([desk.reaches('live', 30_000), seed.customer.reaches('live', 30_000)]);
  await Promise.all([agentSees(world, desk), customerSees(seed.customer, { frames: 0 })]);
  assert.deepEqual(await desk.script(() => window.__said), STEPS.slice(0, 2));
});

await seed.shows('B3.6d', 'two handshakes fail and pictures do not pass on the third way: the call goes on with sound, and both know why', async () => {
  await joins({ blocked: 2, pictures: false });
  const words = 'Video does not get through; you can hear each other';
  await Promise.all([desk.sees(words, 30_000), seed.customer.sees(words, 30_000)]);
  assert.equal(await desk.phase(), 'live');
  assert.equal(await world.sound.hears(440), true, 'the agent hears the customer');
});

await seed.shows('B3.6e', 'all of them fail: nobody stares at "connecting", both are told, and the chat goes on', async () => {
  await joins({ blocked: 1000 });
  await Promise.all([desk.reaches('ended', 30_000), seed.customer.reaches('ended', 30_000)]);
  assert.deepEqual(await desk.script(() => window.__said), STEPS);
  await seed.customer.sees('Picture and sound did not come through');
  await until('Genesys keeps that it failed', () => attributes('customer-1').videoRoom === 'error');
  await writes('customer-1', 'Ada Moreno', 'Then let us write.');
  await desk.sees('Then let us write.');
});

await seed.shows('B3.2b', 'a variable is missing: nothing is dropped or guessed, the chat waits in the general queue with a note that says which', async () => {
  await desk.wrapUp();
  const { Escalation_Source, Target_Channel } = guide;
  await writes('customer-2', 'Ben Ortiz', 'I was told that you would see me.', { Escalation_Source, Target_Channel });
  id = await supervisor.conversationOf('Ben Ortiz');
  assert.equal((await why()).queue, 'Support');
  await desk.accept('Ben Ortiz');
  await desk.sees('The variable Agent_Skill_Requirement is missing.');
});

await seed.shows('B3.7', 'context in less than 500 ms: the webhook with its variables, and the conversation with all of them, 40 times each', async () => {
  const { access_token: token } = await server.signIn(server.supervisor);
  const times = { webhook: [], lookup: [] };
  for (let n = 0; n < 40; n++) {
    times.webhook.push(await writes('customer-2', 'Ben Ortiz', `Message ${n}`, { ...guide, attempt: String(n) }));
    const began = performance.now();
    const { body } = await server.request('GET', `/v1/conversations/${id}`, { token });
    times.lookup.push(performance.now() - began);
    assert.equal(body.context.attempt, String(n), 'it is there at once');
  }
  for (const [what, all] of Object.entries(times)) {
    const [middle, worst] = [all.toSorted((a, b) => a - b)[20], Math.max(...all)].map(Math.round);
    console.log(`        ${what}: ${middle} ms in the middle, ${worst} ms at worst`);
    assert.ok(worst < 500, `${what} took ${worst} ms`);
  }
});

await seed.shows('spec', "every field of every call, either way, is one of Genesys's types", async () => {
  assert.deepEqual([...new Set(misspelt)], []);
  await desk.wrapUp();
  await hush?.();
});

seed.cannot('B3.1', "the guide's ContactType and MediaPolicy as payloads", "no public interface of Genesys knows them; their meaning is this deployment's queue, rule, skill and cap");
seed.cannot('B3.7b', 'Edge, and outbound UDP 1024-65535', 'Chromium stands for Edge here, Firefox is in tests/e2e/firefox.test.mjs; networks without UDP are in tests/e2e/relay.test.mjs');
seed.cannot('B3.8b', 'intent and sentiment', "their recognition is the flow's; what it decides arrives as the same variables");
await seed.end();
