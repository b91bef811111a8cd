// Before a shift: the desk is tested in its window, one thing after the other breaks, and each time the desk, the board
// and the command line name that thing, within seconds; mended, everything is green again without a restart.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { everyAddress } from '../lib/addresses.mjs';
import { keepEvidence } from '../lib/evidence.mjs';
import { call, chat, finish } from '../lib/flows.mjs';
import { binary, temporaryFolder } from '../lib/paths.mjs';
import { freePort, start, stop } from '../lib/process.mjs';
import { until } from '../lib/wait.mjs';
import { startWorld } from '../lib/world.mjs';
import { writeCamera } from '../lib/y4m.mjs';

const [media, data] = [temporaryFolder('media'), temporaryFolder('desk')];
const plugged = join(media, 'Desk.y4m');
const drawer = join(temporaryFolder('drawer'), 'Desk.y4m');

const relaySecret = randomBytes(24).toString('base64url');

let world, desk, board, relayPort, relay, hush;
keepEvidence(() => ({ ...world, desk }));

/** coturn with the configuration that the server writes, so that it can go away alone. */
async function startRelay() {
  const folder = temporaryFolder('coturn');
  const settings = { SIGHTLINE_TURN: `127.0.0.1:${relayPort}`, SIGHTLINE_TURN_SECRET: relaySecret, SIGHTLINE_TURN_ALLOW: everyAddress() };
  const config = await new Promise((resolve, reject) => {
    execFile(binary('sightline-server'), ['coturn-config'], { env: { ...process.env, ...settings } }, (error, out) =>
      error ? reject(error) : resolve(out),
    );
  });
  const file = (name) => join(folder, name);
  writeFileSync(file('turnserver.conf'), config, { mode: 0o600 });
  relay = start('turnserver', ['-c', file('turnserver.conf'), '--userdb', file('users'), '--pidfile', file('pid'), '--log-file', 'stdout'], {
    log: file('coturn.log'),
  });
}

before(async () => {
  writeCamera(plugged);
  relayPort = await freePort();
  await startRelay();
  world = await startWorld({
    serverEnv: {
      SIGHTLINE_READINESS: 'required',
      SIGHTLINE_TURN_URLS: ['udp', 'tcp'].map((transport) => `turn:127.0.0.1:${relayPort}?transport=${transport}`).join(' '),
      SIGHTLINE_TURN_SECRET: relaySecret,
    },
  });
  hush = world.sound.speak(700);
  desk = await world.desk({ data, env: { SIGHTLINE_MEDIA_DIR: media } });
  await desk.signIn(world.server.agent);
  await desk.chooseDevices({ camera: 'File: Desk.y4m', microphone: 'Microphone', speaker: 'Speaker' });
  board = await world.desk();
  await board.signIn(world.server.supervisor);
  await board.click('button', 'Readiness board');
});
after(async () => {
  await hush?.();
  await world?.close();
  if (relay) await stop(relay);
});

/** The rail's word for this desk. */
const readiness = () => desk.script(() => document.querySelector('[data-readiness]')?.dataset.readiness ?? null);
const becomes = (wanted, within = 30_000) =>
  until(`the desk is ${wanted}`, async () => (await readiness()) === wanted, { within });
/** The agent's row on the supervisor's board. */
const row = () =>
  board.script((name) => {
    const found = [...document.querySelectorAll('tbody tr')].find((row) => row.textContent.includes(name));
    return found ? { standing: found.dataset.standing, missing: found.querySelector('.missing').textContent } : null;
  }, world.server.agent.name);
const boardSays = (standing, missing = '') =>
  until(`the board says ${standing} ${missing}`, async () => {
    const is = await row();
    return is?.standing === standing && is.missing.includes(missing);
  }, { within: 30_000 });

/** What the command line finds on the same desk, by the checks that were asked for. */
async function commandLine(...kinds) {
  const env = {
    PATH: process.env.PATH,
    HOME: data,
    XDG_RUNTIME_DIR: data,
    SIGHTLINE_DATA_DIR: data,
    SIGHTLINE_MEDIA_DIR: media,
    SIGHTLINE_EMAIL: world.server.agent.email,
    SIGHTLINE_PASSWORD: world.server.agent.password,
    ...world.sound.env,
  };
  const run = await new Promise((resolve) => {
    const args = ['selftest', '--json', '--server', world.server.url, '--only', kinds.join(',')];
    execFile(binary('sightline'), args, { env, timeout: 120_000 }, (error, out) => resolve({ code: error ? error.code : 0, out }));
  });
  const { report, exit_code: code } = JSON.parse(run.out);
  assert.equal(code, run.code);
  return { code, ...Object.fromEntries(report.checks.map((check) => [check.kind, check.finding ?? check.outcome])) };
}

test('a desk that nobody has tested starts no video, says why, and leads to the test; passed, it does', async () => {
  const customer = await chat(world, desk);
  assert.match(await desk.videoBlock(), /not been tested/);
  await boardSays('unknown');
  await desk.click('button', 'Open the self-test');
  await desk.click('button', 'Start the self-test');
  await until('the camera is looked at', () => desk.script(() => document.querySelector('[data-check=camera]')?.dataset.state === 'running'));
  await desk.click('button', 'I hear it', { within: 40_000 });
  await becomes('video', 120_000);
  await boardSays('video');
  const states = await desk.script(() =>
    Object.fromEntries([...document.querySelectorAll('[data-check]')].map(({ dataset }) => [dataset.check, dataset.state])),
  );
  assert.ok(!Object.values(states).includes('fail'), JSON.stringify(states));
  for (const kind of ['camera', 'microphone', 'speaker', 'relay_udp', 'relay_tcp', 'call', 'relayed_call']) {
    assert.match(states[kind], /pass|warn/, kind);
  }
  await desk.session.keys('Escape');
  await desk.openConversation(customer.name);
  assert.equal(await desk.videoBlock(), null);
  await finish(desk, customer);
});

test('the camera is unplugged: named at once, here, on the board and on the command line; plugged in, all is well', async () => {
  const customer = await chat(world, desk);
  renameSync(plugged, drawer);
  await becomes('audio');
  await boardSays('audio', 'Desk.y4m');
  assert.match(await desk.videoBlock(), /Desk\.y4m was unplugged/);
  const found = await commandLine('camera', 'microphone', 'backend');
  assert.deepEqual(found, { code: 2, backend: 'pass', camera: 'camera_missing', microphone: 'pass' });

  renameSync(drawer, plugged);
  await becomes('video');
  await boardSays('video');
  assert.equal(await desk.videoBlock(), null);
  await finish(desk, customer);
});

test('the system mutes the microphone: no device has gone, and it is named all the same', async () => {
  await world.sound.mute('microphone', true);
  await becomes('not_ready');
  await boardSays('not_ready', 'muted by the system');
  const found = await commandLine('camera', 'microphone');
  assert.deepEqual(found, { code: 2, camera: 'pass', microphone: 'microphone_muted' });
  await world.sound.mute('microphone', false);
  await becomes('video');
  await boardSays('video');
});

test('the relay is blocked: nothing else is accused, and video is back when the relay is', async () => {
  await stop(relay);
  await becomes('audio', 60_000);
  await boardSays('audio', 'Relay over UDP: blocked');
  const found = await commandLine('backend', 'relay_udp', 'relay_tcp');
  assert.deepEqual(found, { code: 2, backend: 'pass', relay_udp: 'relay_unreachable', relay_tcp: 'relay_unreachable' });
  await startRelay();
  await becomes('video', 60_000);
  await boardSays('video');
});

test('the server is away: said as such, and the lease is there when it is back', async () => {
  await world.server.kill();
  await desk.sees('The server cannot be reached');
  const found = await commandLine('backend', 'camera', 'line');
  assert.deepEqual(found, { code: 2, backend: 'backend_unreachable', camera: 'pass', line: 'skipped' });
  await world.server.start();
  await desk.online(30_000);
  await becomes('video');
  await board.online(30_000);
  await boardSays('video');
  const customer = await call(world, desk);
  await finish(desk, customer);
});
