// Twilio's own library signs for our verifier, judges our signatures, and makes the calls that ours have to equal.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import twilio from 'twilio';
import { connect } from './connectors.mjs';

const { getExpectedTwilioSignature, validateRequest, validateRequestWithBody } = twilio;

const token = 'not-a-secret';
/** Secrets stand in settings as places; the example finds `keyring:x` to be `x`. */
const account = {
  account_sid: 'AC1',
  auth_token: ['keyring:an-older-one', `keyring:${token}`],
  key_sid: 'SK1',
  key_secret: 'keyring:nor-this',
};
const url = 'https://desk.example/v1/connect/twilio';
const at = 1767225600000;

const desk = connect();
after(desk.close);

const platforms = {
  'twilio-conversations': account,
  'twilio-messaging': { ...account, from: 'whatsapp:+15550001', template_sid: 'HX1', hook: url },
};
const ask = (platform, op, rest, settings = platforms[platform]) => desk.ask({ platform, settings, op, ...rest });

const message = (thread, link) => ({ thread, key: 'k', agent: 'Ada Lövelace', text: 'Grüße & 1+1=2', link, at });

/** A form as a browser or Twilio writes it. */
const form = (fields) => new URLSearchParams(Object.entries(fields).flatMap(([name, value]) => [value].flat().map((one) => [name, one]))).toString();

const receive = (platform, address, body, signature) =>
  ask(platform, 'receive', { request: { method: 'POST', url: address, headers: [['X-Twilio-Signature', signature]], body, at } });

const added = { EventType: 'onMessageAdded', ConversationSid: 'CH1', MessageSid: 'IM1', Author: '+4915550100', Body: 'x', Source: 'SMS' };

const requests = [
  ['a plain event', url, added],
  ['letters of every kind', url, { ...added, Body: 'Grüße 😀 & = + % \r\n "q"', Empty: '' }],
  ['names that differ in case', url, { ...added, from: 'a', From: 'b', FROM: 'c', a0: '1', A0: '2' }],
  ['a name that comes twice', url, { ...added, Tag: ['b', 'a', 'b'] }],
  ['a query', `${url}?tenant=1&x=%27y%27`, added],
  ['a port', 'https://desk.example:8443/in', added],
  ['sign-in within the address', 'https://user:pass@desk.example/in', added],
];

for (const [name, address, fields] of requests) {
  test(`what Twilio's library signs is accepted: ${name}`, async () => {
    const signature = getExpectedTwilioSignature(token, address, fields);
    const { events } = await receive('twilio-conversations', address, form(fields), signature);
    assert.equal(events?.length, 1);
  });

  test(`what we sign is accepted by Twilio's library: ${name}`, async () => {
    const { headers } = await ask('twilio-conversations', 'sign', { key: token, url: address, body: form(fields), at });
    assert.ok(validateRequest(token, headers[0][1], address, fields));
    assert.ok(!validateRequest('another', headers[0][1], address, fields));
  });

  test(`what Twilio's library refuses is refused: ${name}`, async () => {
    const signature = getExpectedTwilioSignature(token, address, fields);
    const wrong = [
      [address, { ...fields, Body: 'other' }, signature],
      [address, { ...fields, More: '1' }, signature],
      [`${address}x`, fields, signature],
      [address.replace('https:', 'http:'), fields, signature],
      [address, fields, getExpectedTwilioSignature('another', address, fields)],
      [address, fields, signature.toLowerCase()],
      [address, fields, ''],
    ];
    for (const [at, sent, signed] of wrong) {
      assert.ok(!validateRequest(token, signed, at, sent), 'the library refuses it');
      assert.deepEqual(await receive('twilio-conversations', at, form(sent), signed), { reject: 'WrongSignature' });
    }
  });
}

test('the port that a proxy adds or removes: the library and we agree', async () => {
  const pairs = [[url, url.replace('.example', '.example:443')], [url.replace('.example', '.example:443'), url], [url, url.replace('.example', '.example:80')]];
  for (const [signed, arrived] of pairs) {
    const signature = getExpectedTwilioSignature(token, signed, added);
    assert.ok(validateRequest(token, signature, arrived, added));
    assert.equal((await receive('twilio-conversations', arrived, form(added), signature)).events?.length, 1);
  }
});

test('a body that is no form: the library and we agree in both directions', async () => {
  const body = JSON.stringify({ ...added, Body: 'Grüße' });
  const address = `${url}?bodySHA256=${createHash('sha256').update(body).digest('hex')}`;
  const signature = getExpectedTwilioSignature(token, address, null);
  assert.equal((await receive('twilio-conversations', address, body, signature)).events?.length, 1);
  const { headers } = await ask('twilio-conversations', 'sign', { key: token, url: address, body, at });
  assert.ok(validateRequestWithBody(token, headers[0][1], address, body));

  const spoilt = body.replace('IM1', 'IM2');
  assert.ok(!validateRequestWithBody(token, signature, address, spoilt));
  assert.deepEqual(await receive('twilio-conversations', address, spoilt, signature), { reject: 'WrongSignature' });
});

/** What the library would send, instead of sending it. */
async function libraryCall(make) {
  let sent;
  const httpClient = {
    request: async (options) => {
      sent = options;
      const body = { meta: { key: 'conversations' }, conversations: [] };
      return { statusCode: options.method === 'get' ? 200 : 201, body };
    },
  };
  const client = twilio(account.key_sid, 'nor-this', { accountSid: account.account_sid, httpClient });
  await make(client);
  const basic = Buffer.from(`${sent.username}:${sent.password}`).toString('base64');
  const address = new URL(sent.uri);
  for (const [name, value] of Object.entries(sent.params ?? {})) address.searchParams.set(name, value);
  return { method: sent.method.toUpperCase(), url: address.href, authorization: sent.headers?.Authorization ?? `Basic ${basic}`, fields: entries(sent.data) };
}

/** Fields in the order of their names; JSON inside them by its meaning. */
function entries(fields) {
  const meaning = (value) => (/^\{/.test(value) ? JSON.parse(value) : value);
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined).sort().map(([name, value]) => [name, meaning(String(value))]));
}

function described({ method, url, headers, body }) {
  const authorization = headers.find(([name]) => name === 'authorization')[1];
  return { method, url, authorization, fields: entries(Object.fromEntries(new URLSearchParams(body))) };
}

const link = 'https://desk.example/j/abc';
const { text: Body, agent: Author } = message();
const conversation = (client) => client.conversations.v1.conversations('CH1');

const calls = [
  ['a message into a conversation', 'twilio-conversations', 'send', { message: message('CH1') }, (client) => conversation(client).messages.create({ author: Author, body: Body })],
  [
    'a video card into a conversation',
    'twilio-conversations',
    'send',
    { message: message('CH1', link) },
    (client) => conversation(client).messages.create({ author: Author, body: Body, attributes: JSON.stringify({ hasVideo: true, videoUrl: link, uniqueCode: 'abc' }) }),
  ],
  [
    'attributes of a conversation',
    'twilio-conversations',
    'write_context',
    { thread: 'CH1', kept: JSON.stringify({ attributes: '{"theirs":1}' }), context: { ours: 'x' } },
    (client) => conversation(client).update({ attributes: '{"theirs":1,"ours":"x"}' }),
  ],
  ['a test of Conversations', 'twilio-conversations', 'probe', {}, (client) => client.conversations.v1.conversations.page({ pageSize: 1 })],
  [
    'a message to a number',
    'twilio-messaging',
    'send',
    { message: message('whatsapp:+4915550100') },
    (client) => client.messages.create({ to: 'whatsapp:+4915550100', from: 'whatsapp:+15550001', body: Body, statusCallback: url }),
  ],
  [
    'a template to a number',
    'twilio-messaging',
    'send_template',
    { message: message('whatsapp:+4915550100', link) },
    (client) => client.messages.create({ to: 'whatsapp:+4915550100', from: 'whatsapp:+15550001', contentSid: 'HX1', contentVariables: JSON.stringify({ 1: link }), statusCallback: url }),
  ],
  ['a test of the account', 'twilio-messaging', 'probe', {}, (client) => client.api.v2010.accounts('AC1').fetch()],
];

for (const [name, platform, op, rest, make] of calls) {
  test(`the library makes the same call: ${name}`, async () => {
    const { call } = await ask(platform, op, rest);
    assert.deepEqual(described(call), await libraryCall(make));
  });
}

test('a task of Flex: the library makes the same call', async () => {
  const settings = { ...account, workspace_sid: 'WS1' };
  const rest = { thread: 'WT1', kept: JSON.stringify({ attributes: '{}' }), context: { videoRoom: 'created' } };
  const { call } = await ask('twilio-conversations', 'write_context', rest, settings);
  const expected = await libraryCall((client) => client.taskrouter.v1.workspaces('WS1').tasks('WT1').update({ attributes: '{"videoRoom":"created"}' }));
  assert.deepEqual(described(call), expected);
});

test('a messaging service and an address for receipts: the library makes the same call', async () => {
  const settings = { ...account, messaging_service_sid: 'MG1', hook: url };
  const { call } = await ask('twilio-messaging', 'send', { message: message('+4915550100') }, settings);
  const expected = await libraryCall((client) => client.messages.create({ to: '+4915550100', messagingServiceSid: 'MG1', body: Body, statusCallback: url }));
  assert.deepEqual(described(call), expected);
});

// The form fields that Twilio's specification allows, as far as ours could be among them: twilio/twilio-oai at d50069b4,
// spec/json/twilio_conversations_v1.json and twilio_api_v2010.json. A misspelt field would be ignored without a word.
const allowed = {
  'https://conversations.twilio.com/v1/Conversations/CH1/Messages': ['Author', 'Body', 'DateCreated', 'DateUpdated', 'Attributes', 'MediaSid', 'ContentSid', 'ContentVariables', 'Subject'],
  'https://conversations.twilio.com/v1/Conversations/CH1': ['FriendlyName', 'Attributes', 'MessagingServiceSid', 'State', 'UniqueName'],
  'https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json': ['To', 'From', 'MessagingServiceSid', 'Body', 'MediaUrl', 'ContentSid', 'ContentVariables', 'StatusCallback'],
};

test("every form field is one of the specification's", async () => {
  for (const [, platform, op, rest] of calls.filter(([, , op]) => op !== 'probe')) {
    const { call } = await ask(platform, op, rest);
    for (const name of new URLSearchParams(call.body).keys()) assert.ok(allowed[call.url].includes(name), `${call.url}: ${name}`);
  }
});
