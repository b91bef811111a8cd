// Azure's own clients and our connector make the same requests, down to the signature.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ChatClient } from '@azure/communication-chat';
import { AzureCommunicationTokenCredential } from '@azure/communication-common';
import { CommunicationIdentityClient } from '@azure/communication-identity';
import { createHttpHeaders } from '@azure/core-rest-pipeline';
import { EventGridDeserializer, isSystemEvent } from '@azure/eventgrid';
import { bots } from './connectors.mjs';

const endpoint = 'https://example.communication.azure.com';
const key = randomBytes(64).toString('base64');
const user = '8:acs:00000000-0000-4000-8000-000000000001_1';
const thread = '19:abc@thread.v2';
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = `${part({ alg: 'none' })}.${part({ exp: Math.floor(Date.now() / 1000) + 3600 })}.`;

let ours;
before(() => (ours = bots()));
after(() => ours.close());

/** In the network's place: keeps the request and gives this answer. */
function network(answer = {}, status = 201) {
  const kept = {
    async sendRequest(request) {
      kept.request = request;
      const bodyAsText = status === 204 ? '' : JSON.stringify(answer);
      return { request, status, headers: createHttpHeaders({ 'content-type': 'application/json' }), bodyAsText };
    },
  };
  return kept;
}

/** Method, address, words and the headers that count. */
function comparable({ method, url, headers, body }, names) {
  const all = typeof headers.toJSON === 'function' ? headers.toJSON() : headers;
  const small = Object.fromEntries(Object.entries(all).map(([name, value]) => [name.toLowerCase(), value]));
  return { method, url, body: JSON.parse(body), headers: names.map((name) => [name, small[name]]) };
}

const signed = ['x-ms-date', 'x-ms-content-sha256', 'authorization'];
const spoken = ['authorization', 'content-type'];

test('users are made and signed in with the same signature', async () => {
  const accessToken = { token: 't', expiresOn: '2030-01-01T00:00:00Z' };
  for (const [call, act, answer, status] of [
    ['create_identity', (client) => client.createUserAndToken(['chat']), { identity: { id: user }, accessToken }, 201],
    ['issue_token', (client) => client.getToken({ communicationUserId: user }, ['chat']), accessToken, 200],
  ]) {
    const httpClient = network(answer, status);
    await act(new CommunicationIdentityClient(`endpoint=${endpoint}/;accesskey=${key}`, { httpClient }));
    const theirs = comparable(httpClient.request, signed);
    const at = Date.parse(theirs.headers[0][1]);
    const mine = await ours.ask({ do: 'acs_call', call, endpoint, key, user, at });
    assert.deepEqual(comparable(mine, signed), theirs);
  }
});

test('what a user does in a thread is the same request', async () => {
  const act = {
    send: (client) =>
      client.sendMessage({ content: 'Grüße' }, { senderDisplayName: 'Grace', type: 'text' }),
    typing: (client) => client.sendTypingNotification(),
    read_receipt: (client) => client.sendReadReceipt({ chatMessageId: 'm1' }),
    set_context: (client) => client.updateProperties({ metadata: { Topic: 'Returns' } }),
  };
  for (const [call, perform] of Object.entries(act)) {
    const httpClient = network({ id: '1' }, { send: 201, set_context: 204 }[call] ?? 200);
    const credential = new AzureCommunicationTokenCredential(token);
    await perform(new ChatClient(endpoint, credential, { httpClient }).getChatThreadClient(thread));
    const question = { thread, token, text: 'Grüße', message: 'm1', context: { Topic: 'Returns' } };
    const mine = await ours.ask({ do: 'acs_call', call, endpoint, ...question });
    assert.deepEqual(comparable(mine, spoken), comparable(httpClient.request, spoken), call);
  }
});

test('a thread is made by the same request', async () => {
  const httpClient = network({ chatThread: { id: thread, topic: 'Returns', createdOn: '2030-01-01T00:00:00Z' } });
  const client = new ChatClient(endpoint, new AzureCommunicationTokenCredential(token), { httpClient });
  const guest = { id: { communicationUserId: user }, displayName: 'Ada' };
  await client.createChatThread({ topic: 'Returns' }, { participants: [guest], idempotencyToken: 'key-1' });
  const mine = await ours.ask({ do: 'acs_call', call: 'create_thread', endpoint, token, user, topic: 'Returns' });
  const names = [...spoken, 'repeatability-request-id'];
  const theirs = comparable(httpClient.request, names);
  // Theirs adds the kind of the identity, which the raw id says already.
  const { communicationIdentifier: identifier } = theirs.body.participants[0];
  assert.deepEqual(identifier, { rawId: user, communicationUser: { id: user } });
  delete identifier.communicationUser;
  assert.deepEqual(comparable(mine, names), theirs);
});

test('events are read as the deserializer reads them', async () => {
  const event = {
    specversion: '1.0',
    id: 'e1',
    source: '/subscriptions/s',
    type: 'Microsoft.Communication.ChatMessageReceivedInThread',
    time: '2026-01-01T00:00:01Z',
    data: {
      threadId: thread,
      messageId: 'm1',
      messageBody: 'Hello',
      type: 'Text',
      version: 1,
      composeTime: '2026-01-01T00:00:00Z',
      senderDisplayName: 'Ada',
      senderCommunicationIdentifier: { rawId: user, communicationUser: { id: user } },
      metadata: { Topic: 'Returns' },
    },
  };
  const [theirs] = await new EventGridDeserializer().deserializeCloudEvents([event]);
  assert.ok(isSystemEvent('Microsoft.Communication.ChatMessageReceivedInThread', theirs));
  const mine = await ours.ask({ do: 'acs_event', method: 'POST', body: [event] });
  assert.deepEqual(mine.events, [
    {
      message: theirs.data.messageId,
      thread: theirs.data.threadId,
      from: { customer: theirs.data.senderCommunicationIdentifier.rawId, name: theirs.data.senderDisplayName },
      text: theirs.data.messageBody,
      at: Date.parse(theirs.data.composeTime),
      context: theirs.data.metadata,
    },
  ]);
});

test('either handshake is answered', async () => {
  const options = await ours.ask({ do: 'acs_event', method: 'OPTIONS', origin: 'eventgrid.example' });
  assert.deepEqual(Object.fromEntries(options.answer)['webhook-allowed-origin'], 'eventgrid.example');
  const validation = [
    {
      id: 'v1',
      topic: '/subscriptions/s',
      subject: '',
      eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
      eventTime: '2026-01-01T00:00:00Z',
      dataVersion: '2',
      metadataVersion: '1',
      data: { validationCode: 'code-1', validationUrl: 'https://rp.example/validate' },
    },
  ];
  const [theirs] = await new EventGridDeserializer().deserializeEventGridEvents(validation);
  const mine = await ours.ask({ do: 'acs_event', method: 'POST', body: validation });
  assert.deepEqual(JSON.parse(mine.answer), { validationResponse: theirs.data.validationCode });
});
