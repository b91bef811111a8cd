// Calls that nothing but a relay carries: the one inside the server, over UDP and over TCP, and coturn with the
// configuration that the server writes. And what either side learns of the other's addresses where calls are relay-only.
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { agentSees, agentSeesColours, customerSees, finish, invited } from '../lib/flows.mjs';
import { keepEvidence } from '../lib/evidence.mjs';
import { binary, temporaryFolder } from '../lib/paths.mjs';
import { freePort, start, stop } from '../lib/process.mjs';
import { until } from '../lib/wait.mjs';
import { startWorld } from '../lib/world.mjs';

let world, desk;
keepEvidence(() => ({ ...world, desk }));

/** Everything runs on this machine, whose addresses no relay reaches unless they are named. */
const own = Object.values(networkInterfaces())
  .flat()
  .filter(({ internal, address }) => !internal && !address.startsWith('fe80'));
const here = own.find(({ family }) => family === 'IPv4')?.address;
const allow = own.map(({ address, family }) => `${address}/${family === 'IPv4' ? 32 : 128}`).join(' ');

async function open(serverEnv, browserArgs) {
  world = await startWorld({ serverEnv: { SIGHTLINE_TURN_ALLOW: allow, ...serverEnv }, browserArgs });
  desk = await world.desk();
  await desk.signIn(world.server.agent);
  await desk.chooseTestDevices();
}

async function close() {
  await world?.close();
  world = desk = undefined;
}
after(close);

/** In the page, before the product: relay only, and of the relay's addresses only those of one transport. */
function onlyRelayed(transport) {
  const of = (url) => (url.startsWith('turns:') ? 'tls' : url.split('transport=')[1]);
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(config) {
      const iceServers = config.iceServers
        .map((server) => ({ ...server, urls: [server.urls].flat().filter((url) => of(url) === transport) }))
        .filter(({ urls }) => urls.length > 0);
      super({ ...config, iceServers, iceTransportPolicy: 'relay' });
    }
  };
}

/** Everything that crosses between the page and the server, by socket and by request. */
function listen(page) {
  const crossed = { heard: [], said: [] };
  page.on('websocket', (socket) => {
    socket.on('framereceived', ({ payload }) => crossed.heard.push(String(payload)));
    socket.on('framesent', ({ payload }) => crossed.said.push(String(payload)));
  });
  page.on('request', (request) => crossed.said.push(request.postData() ?? ''));
  page.on('response', (response) => response.text().then((text) => crossed.heard.push(text), () => {}));
  return crossed;
}

/** Kinds of the candidates in what crossed, each once. */
const kinds = (texts) => [...new Set([...texts.join('\n').matchAll(/candidate:[^"\\]* typ (\w+)/g)].map(([, kind]) => kind))];

/** Runs in the page: the way that its connection takes, as the browser says. */
async function wayTaken() {
  for (const connection of window.__connections) {
    const stats = await connection.getStats();
    for (const { type, selectedCandidatePairId } of stats.values()) {
      if (type !== 'transport' || !selectedCandidatePairId) continue;
      const { candidateType, relayProtocol } = stats.get(stats.get(selectedCandidatePairId).localCandidateId);
      return { candidateType, relayProtocol };
    }
  }
  return null;
}

/** Runs in the page: the kinds of all candidates that its connections have had, own and the desk's. */
async function pathsTried() {
  const kinds = { local: new Set(), remote: new Set() };
  for (const connection of window.__connections) {
    for (const { type, candidateType } of (await connection.getStats()).values()) {
      if (type === 'local-candidate') kinds.local.add(candidateType);
      if (type === 'remote-candidate') kinds.remote.add(candidateType);
    }
  }
  return { local: [...kinds.local], remote: [...kinds.remote] };
}

const isWarm = (customer) =>
  until('the page is connected', () =>
    customer.evaluate(() => window.__connections.some(({ connectionState }) => connectionState === 'connected')));

async function talk(customer, transport) {
  await customer.openInvite();
  await customer.click('Join with video');
  await Promise.all([desk.reaches('live'), customer.reaches('live')]);
  await Promise.all([agentSees(world, desk), customerSees(customer)]);
  assert.deepEqual(await customer.evaluate(wayTaken), { candidateType: 'relay', relayProtocol: transport });
}

/** A call of a browser that may use nothing else; what crossed meanwhile. */
async function callThroughRelay(transport) {
  let crossed;
  const prepare = (page) => {
    crossed = listen(page);
    return page.addInitScript(onlyRelayed, transport);
  };
  const customer = await invited(world, desk, { prepare });
  await talk(customer, transport);
  assert.deepEqual(customer.faults, []);
  await finish(desk, customer);
  return crossed;
}

test('relay-only: neither side learns an address of the other, before the tap or after; the relay carries the call', async () => {
  // The relay is at loopback, so that any other address of this machine is the desk's or the browser's own.
  await open({ SIGHTLINE_TURN: '127.0.0.1:0', SIGHTLINE_TURN_ALLOW: '127.0.0.1/32', SIGHTLINE_ICE_POLICY: 'relay-only' });
  let crossed;
  const customer = await invited(world, desk, { prepare: (page) => void (crossed = listen(page)) });
  const nothingTold = () => {
    assert.deepEqual(kinds(crossed.heard), ['relay'], "the desk's candidates, in what the page heard");
    assert.deepEqual(kinds(crossed.said), ['relay'], "the page's candidates, in what it said");
    const everything = [...crossed.heard, ...crossed.said].join('\n');
    for (const { address } of own) assert.ok(!everything.includes(address), `${address} was told`);
  };
  await isWarm(customer);
  assert.equal(await desk.phase(), 'waiting', 'nobody has tapped');
  nothingTold();
  await talk(customer, 'udp');
  nothingTold();
  await finish(desk, customer);
});

test('the relay inside the server carries a browser that may use nothing else, over TCP', async () => {
  await callThroughRelay('tcp');
});

test('the relay inside the server carries it over TLS, as a browser sees it that trusts the certificate', async () => {
  await close();
  const folder = temporaryFolder('relay-tls');
  const [key, certificate] = ['key.pem', 'certificate.pem'].map((name) => join(folder, name));
  const made = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=relay.test -addext subjectAltName=IP:127.0.0.1';
  execFileSync('openssl', ['req', ...made.split(' '), '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  const shown = new X509Certificate(readFileSync(certificate)).publicKey.export({ type: 'spki', format: 'der' });
  const trusted = createHash('sha256').update(shown).digest('base64');
  await open(
    {
      SIGHTLINE_TURN: '127.0.0.1:0', SIGHTLINE_TURN_ALLOW: '127.0.0.1/32', SIGHTLINE_TURN_TLS: `127.0.0.1:${await freePort()}`,
      SIGHTLINE_TURN_CERT: certificate, SIGHTLINE_TURN_KEY: key,
    },
    [`--ignore-certificate-errors-spki-list=${trusted}`],
  );
  await callThroughRelay('tls');
});

test('coturn with the configuration that the server writes carries it, over UDP and over TCP', async () => {
  await close();
  const [folder, port, secret] = [temporaryFolder('coturn'), await freePort(), randomBytes(24).toString('base64url')];
  const file = (name) => join(folder, name);
  const settings = { SIGHTLINE_TURN: `${here}:${port}`, SIGHTLINE_TURN_SECRET: secret, SIGHTLINE_TURN_ALLOW: allow };
  const written = execFileSync(binary('sightline-server'), ['coturn-config'], { env: { ...process.env, ...settings } });
  writeFileSync(file('turnserver.conf'), written, { mode: 0o600 });
  const coturn = start('turnserver', ['-c', file('turnserver.conf'), '--userdb', file('users'), '--pidfile', file('pid'), '--log-file', 'stdout'], {
    log: file('coturn.log'),
  });
  try {
    await until('coturn listens', () => reached(port));
    const urls = ['udp', 'tcp'].map((transport) => `turn:${here}:${port}?transport=${transport}`).join(' ');
    await open({ SIGHTLINE_TURN_URLS: urls, SIGHTLINE_TURN_SECRET: secret });
    const { heard } = await callThroughRelay('udp');
    assert.ok(kinds(heard).includes('host'), 'where calls may be direct, the desk says where it is');
    await callThroughRelay('tcp');
    await close();
  } finally {
    await stop(coturn);
  }
});

test('Firefox, relay-only: its call too goes through the relay and nothing else, and both see each other', async () => {
  // It makes no connection to loopback, so the relay is where the machine is.
  await open({ SIGHTLINE_TURN: `${here}:0`, SIGHTLINE_ICE_POLICY: 'relay-only' });
  const customer = await invited(world, desk, { browser: 'firefox', devices: 'browser' });
  await customer.openInvite();
  await customer.click('Join with video');
  await Promise.all([desk.reaches('live'), customer.reaches('live')]);
  await Promise.all([agentSeesColours(world, desk), customerSees(customer)]);
  assert.deepEqual(await customer.evaluate(pathsTried), { local: ['relay'], remote: ['relay'] });
  assert.deepEqual(customer.faults, []);
  await finish(desk, customer);
});

const reached = (port) =>
  new Promise((answer) => {
    const socket = connect(port, here, () => socket.end(() => answer(true)));
    socket.on('error', () => answer(false));
  });
