// Microsoft's own Direct Line client, unchanged, against the real server: it connects, sends, receives, types,
// loses its socket and comes back.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import XMLHttpRequest from 'xhr2';
import { startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

// The client is written for browsers.
globalThis.XMLHttpRequest = XMLHttpRequest;
globalThis.WebSocket = WebSocket;
const { ConnectionStatus, DirectLine } = createRequire(import.meta.url)('botframework-directlinejs');

let server;
let agent;
let inbox;

before(async () => {
  server = await startServer();
  agent = await server.signIn();
  inbox = await openInbox(agent);
});

after(async () => {
  inbox?.socket.terminate();
  await server?.close();
});

/** The agent's socket, as a desk opens it, with everything it was told. */
async function openInbox(session) {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/agent/socket`, { origin: server.url });
  const events = [];
  socket.on('message', (data) => {
    const event = JSON.parse(data);
    if (event.type === 'heartbeat') socket.send(JSON.stringify({ type: 'heartbeat' }));
    else events.push(event);
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const hello = { type: 'hello', access_token: session.access_token, desk: randomUUID(), take_over: false };
  socket.send(JSON.stringify(hello));
  await until('the inbox opens', () => events.find((event) => event.type === 'welcome'));
  return { socket, events };
}

/** A customer with Microsoft's client; every socket it opens is kept, so that a test can break one. */
async function customer(t) {
  const { body: start } = await server.request('POST', '/v1/webchat/tokens', { body: { name: 'Ada' } });
  const sockets = [];
  class KeptWebSocket extends WebSocket {
    constructor(...args) {
      super(...args);
      sockets.push(this);
    }
  }
  globalThis.WebSocket = KeptWebSocket;
  const activities = [];
  const statuses = [];
  const line = new DirectLine({
    domain: `${server.url}/v3/directline`,
    token: start.token,
    webSocket: true,
    timeout: 5000,
  });
  line.setUserId('ada');
  line.connectionStatus$.subscribe((status) => statuses.push(status));
  const subscription = line.activity$.subscribe((activity) => activities.push(activity));
  t.after(() => {
    subscription.unsubscribe();
    line.end();
  });
  await until('the client is online', () => statuses.includes(ConnectionStatus.Online));
  await until('its stream is open', () => sockets.at(-1)?.readyState === WebSocket.OPEN);
  return {
    line,
    sockets,
    activities,
    statuses,
    start,
    texts: () => activities.filter((activity) => activity.type === 'message').map((activity) => activity.text),
    post: (activity) =>
      new Promise((resolve, reject) =>
        line.postActivity({ from: { id: 'ada', name: 'Ada' }, ...activity }).subscribe(resolve, reject),
      ),
    say(text, clientActivityID) {
      const channelData = clientActivityID ? { clientActivityID } : undefined;
      return this.post({ type: 'message', text, channelData });
    },
  };
}

const conversationOf = (text) =>
  until(`the agent hears ${text}`, () =>
    inbox.events.find((event) => event.type === 'message' && event.body.text === text),
  ).then((event) => event.conversation);

const asAgent = (method, path, body) => server.request(method, path, { token: agent.access_token, body });

async function accepted(text) {
  const conversation = await conversationOf(text);
  const { status } = await asAgent('POST', `/v1/conversations/${conversation}/accept`, {});
  assert.equal(status, 200);
  return conversation;
}

const reply = (conversation, text) =>
  asAgent('POST', `/v1/conversations/${conversation}/messages`, { client_id: randomUUID(), text });

test('it sends and receives', async (t) => {
  const ada = await customer(t);
  const id = await ada.say('Where is my order?', 'first');
  assert.match(id, new RegExp(`^${ada.start.conversationId}\\|\\d{7}$`));
  const conversation = await accepted('Where is my order?');
  await reply(conversation, 'On its way');
  await until('both messages are in the chat', () => ada.texts().length === 2);
  assert.deepEqual(ada.texts(), ['Where is my order?', 'On its way']);
  const [own, answer] = ada.activities;
  assert.equal(own.id, id);
  assert.equal(own.from.id, 'ada');
  assert.equal(own.from.role, 'user');
  assert.equal(own.channelData.clientActivityID, 'first');
  assert.equal(answer.from.role, 'bot');
  assert.equal(answer.from.name, server.agent.name);
  assert.ok(Number.isFinite(Date.parse(answer.timestamp)));
});

test('a message sent twice arrives once', async (t) => {
  const ada = await customer(t);
  const first = await ada.say('Just once', 'same');
  assert.equal(await ada.say('Just once', 'same'), first);
  await ada.say('And another');
  await until('both are in the chat', () => ada.texts().includes('And another'));
  assert.deepEqual(ada.texts(), ['Just once', 'And another']);
});

test('typing is shown on both sides', async (t) => {
  const ada = await customer(t);
  await ada.say('Are you there?');
  const conversation = await accepted('Are you there?');
  await ada.post({ type: 'typing' });
  await until('the agent sees typing', () =>
    inbox.events.some((event) => event.type === 'typing' && event.conversation === conversation),
  );
  inbox.socket.send(JSON.stringify({ type: 'typing', conversation }));
  await until('the customer sees typing', () => ada.activities.some((activity) => activity.type === 'typing'));
  assert.deepEqual(ada.texts(), ['Are you there?']);
});

test('after a dropped socket it comes back and misses nothing', async (t) => {
  const ada = await customer(t);
  await ada.say('Before');
  const conversation = await accepted('Before');
  await until('the first message is in the chat', () => ada.texts().length === 1);
  ada.sockets.at(-1).terminate();
  await until('the agent sees the customer gone', () =>
    inbox.events.some((event) => event.type === 'conversation' && event.id === conversation && !event.customer_present),
  );
  await reply(conversation, 'While you were away');
  // The client waits three to fifteen seconds before it tries again.
  await until('the missed message is in the chat', () => ada.texts().includes('While you were away'), {
    within: 25_000,
  });
  assert.equal(ada.sockets.length, 2);
  await ada.say('Back again');
  await until('the chat goes on', () => ada.texts().includes('Back again'));
  assert.deepEqual(ada.texts(), ['Before', 'While you were away', 'Back again']);
  await until('delivery is known', async () => {
    const { body } = await asAgent('GET', `/v1/conversations/${conversation}`);
    return body.customer_present && body.delivered_seq >= 2;
  });
});

test('an invite arrives as text with its card beside it', async (t) => {
  const ada = await customer(t);
  await ada.say('Can you show me?');
  const conversation = await accepted('Can you show me?');
  const { body: started } = await asAgent('POST', `/v1/conversations/${conversation}/escalations`, {
    command_id: randomUUID(),
  });
  const invite = await until('the invite', () =>
    ada.activities.find((activity) => activity.channelData?.sightline?.type === 'invite'),
  );
  assert.equal(invite.channelData.sightline.url, started.escalation.url);
  assert.ok(invite.text.includes(started.escalation.url));
  await asAgent('POST', `/v1/escalations/${started.escalation.id}/end`, {});
  const line = await until('the line of history', () =>
    ada.activities.find((activity) => activity.channelData?.sightline?.type === 'event'),
  );
  assert.equal(line.text, 'The video invite was taken back');
});

test('the same client goes on after the conversation was closed', async (t) => {
  const ada = await customer(t);
  await ada.say('First question');
  const first = await accepted('First question');
  await asAgent('POST', `/v1/conversations/${first}/wrap-up`, { end_call: false });
  await asAgent('POST', `/v1/conversations/${first}/close`, { disposition: 'solved' });
  await ada.say('Second question');
  const second = await accepted('Second question');
  assert.notEqual(second, first);
  await reply(second, 'Yes?');
  await until('the answer', () => ada.texts().includes('Yes?'));
  assert.deepEqual(ada.texts(), ['First question', 'Second question', 'Yes?']);
});

test('a server that restarts is found again', async (t) => {
  const ada = await customer(t);
  await ada.say('Hello again');
  await conversationOf('Hello again');
  await server.kill();
  await server.start();
  inbox = await openInbox(agent);
  await until('the client is back', () => ada.sockets.at(-1).readyState === WebSocket.OPEN && ada.sockets.length > 1, {
    within: 40_000,
  });
  await ada.say('Still here');
  await conversationOf('Still here');
  await until('the chat goes on', () => ada.texts().includes('Still here'));
  assert.deepEqual(ada.texts(), ['Hello again', 'Still here']);
});
