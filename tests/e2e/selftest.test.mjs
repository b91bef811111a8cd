// `sightline selftest` as a script meets it: no display, exit codes, JSON and JUnit, and each broken thing by its name.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { binary, temporaryFolder } from '../lib/paths.mjs';
import { freePort } from '../lib/process.mjs';
import { startServer } from '../lib/server.mjs';

let server;
before(async () => {
  server = await startServer();
});
after(() => server?.close());

/** Runs it without a display and without anything of the person's own. */
function selftest(args, env = {}) {
  const data = temporaryFolder('selftest');
  const options = {
    env: {
      PATH: process.env.PATH,
      HOME: data,
      XDG_RUNTIME_DIR: data,
      SIGHTLINE_DATA_DIR: data,
      SIGHTLINE_MEDIA_DIR: data,
      ...env,
    },
    timeout: 120_000,
    maxBuffer: 4 * 1024 * 1024,
  };
  return new Promise((resolve) => {
    execFile(binary('sightline'), ['selftest', ...args], options, (error, out, err) => {
      resolve({ code: error ? error.code : 0, out, err });
    });
  });
}

async function checks(args, env) {
  const run = await selftest(['--json', ...args], env);
  const result = JSON.parse(run.out);
  assert.equal(result.exit_code, run.code, run.err);
  const found = (kind) => result.report.checks.find((check) => check.kind === kind);
  return { ...run, ...result, found };
}

const signedIn = () => ({ SIGHTLINE_EMAIL: server.agent.email, SIGHTLINE_PASSWORD: server.agent.password });

test('a desk that is signed in, the server, the line and the disk', async () => {
  const junit = join(temporaryFolder('junit'), 'report.xml');
  const run = await checks(
    ['--server', server.url, '--only', 'backend,clock,line,storage', '--junit', junit],
    signedIn(),
  );
  assert.ok([0, 1].includes(run.code), run.out);
  assert.equal(run.found('backend').outcome, 'pass');
  assert.equal(run.problem, null);
  assert.equal(run.report.checks.length, 4);
  assert.ok(run.found('line').figures.some(({ unit }) => unit === 'bits_per_second'), run.out);
  const xml = readFileSync(junit, 'utf8');
  assert.equal(xml.match(/<testcase /g).length, 4);
  assert.match(xml, /failures="0" errors="0"/);
  assert.ok(!(run.out + run.err + xml).includes(server.agent.password), 'no secret anywhere');
});

test('the test call, through the server’s echo peer', async () => {
  const run = await checks(['--server', server.url, '--only', 'call'], signedIn());
  const call = run.found('call');
  assert.ok(!['call_failed', 'call_without_picture', 'too_late'].includes(call.finding), run.out);
  assert.ok(call.figures.find(({ name }) => name === 'pictures_there')?.value > 30 || call.finding, run.out);
});

test('a missing camera is named, and nothing of the server’s is needed for it', async () => {
  const run = await checks(['--server', 'http://127.0.0.1:9', '--only', 'camera,keyring']);
  assert.equal(run.code, 2);
  assert.equal(run.found('camera').finding, 'camera_missing');
  assert.ok(run.found('camera').remedy);
});

test('a server that is away is named, and what needs it is not', async () => {
  const away = await freePort();
  const run = await checks(['--server', `http://127.0.0.1:${away}`, '--only', 'backend,line,call'], signedIn());
  assert.equal(run.code, 2);
  assert.equal(run.found('backend').finding, 'backend_unreachable');
  assert.deepEqual(['line', 'call'].map((kind) => run.found(kind).outcome), ['skipped', 'skipped']);
});

test('a portal that answers in its place is told apart', async () => {
  const portal = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.end('HTTP/1.1 302 Found\r\nlocation: http://portal.example/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    });
  });
  await new Promise((resolve) => portal.listen(0, '127.0.0.1', resolve));
  try {
    const run = await checks(['--server', `http://127.0.0.1:${portal.address().port}`, '--only', 'backend']);
    assert.equal(run.code, 2);
    assert.equal(run.found('backend').finding, 'portal');
  } finally {
    portal.close();
  }
});

test('what cannot be run says so with a code of its own', async () => {
  const wrong = await checks(['--server', server.url, '--only', 'backend,line'], { ...signedIn(), SIGHTLINE_PASSWORD: 'no' });
  assert.equal(wrong.code, 3);
  assert.equal(wrong.problem.code, 'wrong_credentials');

  const unknown = await selftest(['--onyl', 'camera']);
  assert.equal(unknown.code, 3);
  assert.match(unknown.err, /--only/);

  const file = join(temporaryFolder('file'), 'in the way');
  writeFileSync(file, '');
  const nowhere = await selftest(['--server', server.url, '--only', 'storage', '--junit', join(file, 'report.xml')]);
  assert.equal(nowhere.code, 3);

  const help = await selftest(['--help']);
  assert.equal(help.code, 0);
  assert.match(help.out, /relayed_call/);
});
