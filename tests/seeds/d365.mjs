// Dynamics 365 Contact Center, WhatsApp to chat to video (B0): the customer writes over WhatsApp's Cloud API, gets a link
// into the web chat, and is in a video call with the same agent. The platform's side is written to its documents; its
// signature is Meta's.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { throughout, until } from '../lib/wait.mjs';
import { startEndpoint } from '../lib/endpoint.mjs';
import { Seed } from './seed.mjs';

const seed = new Seed('d365');
const secrets = { WA_APP_SECRET: 'an-example-app-secret', WA_TOKEN: 'an-example-token', WA_VERIFY: 'an-example-word' };
let sent = 0;
const meta = seed.keep(
  await startEndpoint(({ headers, json, path }) => {
    if (headers.authorization !== `Bearer ${secrets.WA_TOKEN}`) return { status: 401, body: { error: { code: 190 } } };
    if (!path.endsWith('/messages')) return { body: { id: '106540352242922' } };
    if (json.status === 'read') return { body: { success: true } };
    return { body: { messaging_product: 'whatsapp', contacts: [{ wa_id: json.to }], messages: [{ id: `wamid.${++sent}` }] } };
  }),
);

/** A webhook as Meta sends it. */
async function says(value) {
  const body = JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: '1', changes: [{ field: 'messages', value: { messaging_product: 'whatsapp', metadata: { display_phone_number: '15550100', phone_number_id: '106540352242922' }, ...value } }] }] });
  const signature = createHmac('sha256', secrets.WA_APP_SECRET).update(body).digest('hex');
  const answer = await fetch(seed.hook('whatsapp'), { method: 'POST', headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` }, body });
  assert.equal(answer.status, 200, `Meta's webhook was answered with ${answer.status}`);
}
let number = 0;
const writes = (body, wa = '4915550100', name = 'Ada Moreno') =>
  says({ contacts: [{ profile: { name }, wa_id: wa }], messages: [{ from: wa, id: `wamid.in${++number}`, timestamp: String(Math.floor(Date.now() / 1000)), type: 'text', text: { body } }] });

await seed.start({
  config: `[connectors.whatsapp]
kind = "whatsapp"
phone_number_id = "106540352242922"
access_token = "env:WA_TOKEN"
app_secret = "env:WA_APP_SECRET"
verify_token = "env:WA_VERIFY"
graph_base = "${meta.url}"

[web_chat]
customer_gone_after_s = 2
`,
  secrets,
  env: { SIGHTLINE_ROUTING: 'push' },
});
const { desk, server, world } = seed;
const token = async (person) => (await server.signIn(person)).access_token;
const call = async (method, path, person, body) => server.request(method, path, { token: await token(person), body });

let first, second, link;

await writes('My machine blinks red.');
await desk.click('button', 'Accept', { within: 20_000 });
await desk.sees('My machine blinks red.');
first = await desk.conversation();

await seed.shows('B0.1', 'one click posts the link straight into the chat, not into the draft', async () => {
  await desk.click('button', 'Send chat link');
  const message = await meta.heard('the link has gone out over WhatsApp', ({ json }) => json?.text?.body?.includes('/c/'));
  link = message.json.text.body.split(/\s/).find((word) => word.includes('/c/'));
  assert.ok(!/agent|email|conversation/i.test(link.replace(server.url, '')), 'the link names nobody');
});

await seed.shows('B0.1b', 'the shape of before is there for senders that need it, signed and expiring', async () => {
  const made = await call('POST', `/v1/conversations/${first}/chat-link`, server.agent, { client_id: crypto.randomUUID(), video: true, shape: 'dynamics' });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  const query = new URL(made.body.url).searchParams;
  for (const name of ['conversationId', 'agentId', 'email', 'sig', 'exp']) assert.ok(query.get(name), name);
});

await desk.wrapUp();
await desk.misses('Close conversation');

await seed.shows('B0.2', 'the page starts the chat by itself, with the context', async () => {
  seed.customer = await world.browser.customer();
  await seed.customer.open(link);
  await desk.click('button', 'Accept', { within: 20_000 });
  second = await until('the second conversation is open', async () => {
    const open = await desk.conversation();
    return open && open !== first ? open : null;
  });
  const { context } = await seed.record(second);
  assert.ok(context.PreviousConversationId || context.ConversationId, JSON.stringify(context));
  assert.ok([true, 'true', 'True'].includes(context.VideoCall), JSON.stringify(context));
});

await seed.shows('B0.3', 'it is a second conversation, linked to the first, and both histories are shown', async () => {
  const record = await seed.record(second);
  assert.equal(record.previous.id, first);
  assert.equal(record.channel, 'web_chat');
  await desk.sees('Earlier, on WhatsApp');
  await desk.sees('My machine blinks red.');
});

await seed.shows('B0.4', 'the same agent gets it', async () => {
  assert.equal((await seed.record(second)).owner_name, server.agent.name);
});

await seed.shows('B0.5', 'the video starts by itself', async () => {
  await desk.reaches('waiting', 20_000);
});

await seed.shows('B0.6', 'both sides see each other; the customer could have taken sound only, or not now', async () => {
  await seed.customer.appears('Join with video');
  assert.ok(await seed.customer.has('Join with sound only'));
  assert.ok(await seed.customer.has('Not now'));
  await seed.customer.click('Join with video');
  await Promise.all([desk.reaches('live'), seed.customer.reaches('live')]);
  assert.ok((await seed.customer.watch(3000)).ages.length > 20);
});

await seed.shows('B0.7', 'the call takes the agent\'s capacity: nothing is assigned meanwhile', async () => {
  await writes('Is anybody there?', '4915550200', 'Ben Ortiz');
  assert.equal(await desk.script(() => document.querySelector('[data-testid=assignment]') !== null), false, 'the agent is not asked');
});

await seed.shows('B0.11', 'a supervisor joins and leaves, seen by all, and both stand in the audit log (the other acts: tests/e2e/wall.test.mjs)', async () => {
  const joined = await call('POST', `/v1/conversations/${second}/join`, server.supervisor, {});
  assert.equal(joined.status, 200, JSON.stringify(joined.body));
  await desk.sees(server.supervisor.name);
  const left = await call('POST', `/v1/conversations/${second}/leave`, server.supervisor, {});
  assert.equal(left.status, 200, JSON.stringify(left.body));
  const audit = await call('GET', '/v1/audit?limit=50', server.supervisor);
  const acts = (audit.body.entries ?? []).map(({ act }) => act);
  assert.ok(acts.includes('joined') && acts.includes('left'), JSON.stringify(acts));
});

await seed.shows('B0.8', 'states: active, wrap-up, closed; a live call refuses the wrap-up', async () => {
  const refused = await call('POST', `/v1/conversations/${second}/wrap-up`, server.agent, { end_call: false });
  assert.equal(refused.body.code, 'call_live');
  await desk.hangUp();
  await seed.customer.reaches('ended');
  await desk.click('button', 'Wrap up');
  await until('it is in wrap-up', async () => (await seed.record(second)).state === 'wrap_up');
  await desk.closeConversation();
  await until('it is closed', async () => (await seed.record(second)).state === 'closed');
});

await seed.shows('B0.9', 'presence: free again, the agent is asked; a declined question leaves the agent undisturbed', async () => {
  await desk.click('button', 'Decline', { within: 20_000 });
  await desk.sees("I'm back");
  await desk.click('button', "I'm back");
  await desk.click('button', 'Accept', { within: 20_000 });
  await desk.sees('Is anybody there?');
});

await seed.shows('B0.12', 'context: primitives only, at most 100, names in their case', async () => {
  const start = (context) => server.request('POST', '/v1/webchat/tokens', { body: { context } });
  assert.equal((await start({ Key: { value: 'x', isDisplayable: true } })).status, 200);
  assert.ok((await start({ Key: [1] })).status >= 400, 'a list is no primitive');
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`v${n}`, n]));
  assert.ok((await start(many)).status >= 400, '101 variables');
});

seed.cannot('B0.5b', 'CCaaS_StartSecondaryChannel', 'it is an action of Dataverse, documented only in the sample; here the room is ours');
const gone = 'The customer was gone for 2 seconds, so the chat has ended';
const talk = async (name, text) => {
  const customer = await world.browser.customer();
  await customer.startChat(`${server.url}/chat`, { name, text });
  return customer;
};

await seed.shows('B0.10', 'a customer whose page is gone ends the chat by it: the agent has the wrap-up, and a line says why (after 2 s here, 3 minutes by default)', async () => {
  await desk.wrapUp();
  const leaving = await talk('Clara Diaz', 'I have to go in a moment.');
  await desk.click('button', 'Accept', { within: 20_000 });
  await desk.sees('I have to go in a moment.');
  const active = await desk.conversation();
  await leaving.close();
  await desk.sees(gone, 15_000);
  assert.equal((await seed.record(active)).state, 'wrap_up');
  await desk.find('button', 'Close conversation');
});

await seed.shows('B0.10b', 'one that nobody has taken is closed; who only reloads the page stays', async () => {
  await desk.closeConversation();
  const unanswered = await talk('Emil Fonda', 'Nobody has taken this.');
  const open = await seed.inInbox('Emil Fonda');
  assert.equal((await seed.record(open)).state, 'open');
  await unanswered.close();
  const closed = await until('the chat that nobody took is closed', async () => {
    const record = await seed.record(open);
    return record.state === 'closed' ? record : null;
  });
  assert.equal(closed.messages.at(-1).body.text, gone);

  const reloading = await talk('Dora Evans', 'I only reload the page.');
  await reloading.reload();
  await reloading.sees('I only reload the page.');
  await desk.click('button', 'Accept', { within: 20_000 });
  const there = await desk.conversation();
  await throughout('who reloads stays', async () => (await seed.record(there)).state === 'active', { lasting: 4000 });
  await desk.wrapUp();
  await reloading.close();
});

await seed.end();
