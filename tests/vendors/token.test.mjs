// Microsoft's bot library and our connector judge the same tokens.
import assert from 'node:assert/strict';
import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { BotFrameworkAuthenticationFactory, PasswordServiceClientCredentialFactory } from 'botframework-connector';
import { bots } from './connectors.mjs';

const issuer = 'https://api.botframework.com';
const audience = '00000000-0000-4000-8000-000000000001';
const activity = {
  type: 'message',
  id: 'm1',
  text: 'Hello',
  channelId: 'msteams',
  serviceUrl: 'https://smba.example/emea/',
  from: { id: 'ada-1', name: 'Ada' },
  conversation: { id: 'c1' },
};

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwks = {
  keys: [
    { ...pair.publicKey.export({ format: 'jwk' }), use: 'sig', kid: 'endorsed', endorsements: ['msteams', 'webchat'] },
    { ...pair.publicKey.export({ format: 'jwk' }), use: 'sig', kid: 'bare' },
  ],
};

let ours;
let metadata;
let theirs;

before(async () => {
  ours = bots();
  metadata = createServer((req, res) => {
    const { port } = metadata.address();
    const document = { issuer, jwks_uri: `http://127.0.0.1:${port}/keys` };
    res.end(JSON.stringify(req.url === '/keys' ? jwks : document));
  });
  await new Promise((resolve) => metadata.listen(0, '127.0.0.1', resolve));
  theirs = BotFrameworkAuthenticationFactory.create(
    '',
    true,
    'https://login.microsoftonline.com/botframework.com',
    issuer,
    issuer,
    undefined,
    `http://127.0.0.1:${metadata.address().port}/metadata`,
    undefined,
    undefined,
    new PasswordServiceClientCredentialFactory(audience, 'only for tests'),
    { requiredEndorsements: [] },
    undefined,
    {},
  );
});

after(() => {
  ours.close();
  metadata.close();
});

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function token({ header = {}, claims = {}, key = pair.privateKey } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: issuer, aud: audience, nbf: now - 60, exp: now + 3600, serviceurl: activity.serviceUrl, ...claims };
  const { alg, kid } = { alg: 'RS256', kid: 'endorsed', ...header };
  const signed = `${part({ typ: 'JWT', alg, kid })}.${part(all)}`;
  const signature = {
    RS256: () => createSign('RSA-SHA256').update(signed).sign(key, 'base64url'),
    HS256: () => createHmac('sha256', key).update(signed).digest('base64url'),
    none: () => '',
  };
  return `Bearer ${signed}.${signature[alg]()}`;
}

const verdicts = async (authorization, changes = {}) => {
  const body = { ...activity, ...changes };
  const quiet = console.error;
  console.error = () => {};
  const accepted = await theirs.authenticateRequest(body, authorization).then(
    () => true,
    () => false,
  );
  console.error = quiet;
  const answer = await ours.ask({ do: 'bot', authorization, audience, issuer, jwks, body, at: Date.now() });
  return { theirs: accepted, ours: answer.refused === undefined };
};

const both = (verdict) => ({ theirs: verdict, ours: verdict });

test('a right token is believed', async () => {
  assert.deepEqual(await verdicts(token()), both(true));
  const now = Math.floor(Date.now() / 1000);
  assert.deepEqual(await verdicts(token({ claims: { exp: now - 200 } })), both(true), 'clocks may be apart');
});

const now = Math.floor(Date.now() / 1000);
const pem = pair.publicKey.export({ format: 'pem', type: 'spki' });
for (const [name, wrong, changes] of [
  ['audience', { claims: { aud: '00000000-0000-4000-8000-000000000002' } }],
  ['issuer', { claims: { iss: 'https://issuer.example' } }],
  ['service address', { claims: { serviceurl: 'https://elsewhere.example/' } }],
  ['expiry', { claims: { exp: now - 400 } }],
  ['beginning', { claims: { nbf: now + 400 } }],
  ['key', { key: stranger.privateKey }],
  ['key id', { header: { kid: 'unknown' } }],
  ['algorithm: none', { header: { alg: 'none' } }],
  ['algorithm: the public key as a shared secret', { header: { alg: 'HS256' }, key: pem }],
  ['channel', {}, { channelId: 'slack' }],
]) {
  test(`a token with another ${name} is not believed`, async () => {
    assert.deepEqual(await verdicts(token(wrong), changes), both(false));
  });
}

test('a key without endorsements speaks for every channel there, and for none here', async () => {
  assert.deepEqual(await verdicts(token({ header: { kid: 'bare' } })), { theirs: true, ours: false });
});
