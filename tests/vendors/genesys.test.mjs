// Genesys's own client makes the calls that ours have to equal.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import platform from 'purecloud-platform-client-v2';
import { connect } from './connectors.mjs';

const settings = {
  region: 'mypurecloud.ie',
  integration_id: 'integration',
  webhook_secret: 'keyring:not-a-secret',
  client_id: 'client',
  client_secret: 'keyring:nor-this',
};
/** What the example signs its connectors in with. */
const token = 'not-a-token';
const at = 1767225600000;
const time = '2026-01-01T00:00:00.000Z';

const desk = connect();
after(desk.close);

/** What the client would send, instead of sending it. */
async function clientCall(make) {
  let sent;
  class Recorder extends platform.AbstractHttpClient {
    async request(options) {
      sent = options;
      return { status: 200, data: {}, headers: {} };
    }
    enableHooks() {}
  }
  const client = platform.ApiClient.instance;
  client.setEnvironment(settings.region);
  client.setHttpClient(new Recorder());
  client.setAccessToken(token);
  await make(platform);
  const address = new URL(sent.url);
  for (const [name, value] of Object.entries(sent.params ?? {})) address.searchParams.set(name, value);
  const body = typeof sent.data === 'string' ? JSON.parse(sent.data) : sent.data;
  return { method: sent.method, url: address.href, authorization: sent.headers.Authorization, body: body && Object.keys(body).length ? body : null };
}

function described({ method, url, headers, body }) {
  const authorization = headers.find(([name]) => name === 'authorization')[1];
  return { method, url, authorization, body: body ? JSON.parse(body) : null };
}

const kept = JSON.stringify({ id: 'c1', participants: [{ id: 'p1', purpose: 'customer' }] });

const calls = [
  [
    'a message',
    'send',
    { message: { thread: 'customer-7', key: 'k1', agent: 'Ada', text: 'Grüße', at } },
    ({ ConversationsApi }) =>
      new ConversationsApi().postConversationsMessageInboundOpenMessage(
        'integration',
        { channel: { from: { id: 'customer-7', idType: 'Opaque', nickname: 'Ada' }, messageId: 'k1', time }, text: 'Grüße' },
        { prefetchConversationId: true },
      ),
  ],
  [
    'a receipt',
    'receipt',
    { thread: 'customer-7', id: 'm1', at },
    ({ ConversationsApi }) =>
      new ConversationsApi().postConversationsMessageInboundOpenReceipt('integration', {
        id: 'm1',
        channel: { to: { id: 'customer-7' }, time },
        status: 'Delivered',
        isFinalReceipt: true,
      }),
  ],
  [
    'attributes',
    'write_context',
    { thread: 'customer-7', kept, context: { Target_Channel: 'Video' } },
    ({ ConversationsApi }) => new ConversationsApi().patchConversationParticipantAttributes('c1', 'p1', { attributes: { Target_Channel: 'Video' } }),
  ],
  ['a test of the connection', 'probe', {}, ({ ConversationsApi }) => new ConversationsApi().getConversationsMessagingIntegrationsOpenIntegrationId('integration')],
];

for (const [name, op, rest, make] of calls) {
  test(`the client makes the same call: ${name}`, async () => {
    const { call } = await desk.ask({ platform: 'genesys', settings, op, ...rest });
    assert.deepEqual(described(call), await clientCall(make));
  });
}
