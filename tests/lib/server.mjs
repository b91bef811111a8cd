// A real server on a port and a database of its own.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { firstLine, start, stop } from './process.mjs';
import { binary, temporaryFolder } from './paths.mjs';
import { until } from './wait.mjs';

/** One of each role; the passwords live as long as the test. */
const people = () =>
  [
    ['agent', 'Maria Keller', 'maria@example.test'],
    ['agent', 'Jonas Weiss', 'jonas@example.test'],
    ['supervisor', 'Ines Ferrer', 'ines@example.test'],
    ['admin', 'Ola Berg', 'ola@example.test'],
  ].map(([role, name, email]) => ({ role, name, email, password: randomBytes(12).toString('base64url') }));

export async function startServer({ env = {}, data = temporaryFolder('server') } = {}) {
  const accounts = people();
  const server = {
    data,
    accounts,
    agent: accounts[0],
    otherAgent: accounts[1],
    supervisor: accounts[2],
    admin: accounts[3],
    log: join(data, 'server.log'),

    /** Starts it, or starts it again on the same port and database. */
    async start() {
      const child = start(binary('sightline-server'), [], {
        env: {
          SIGHTLINE_BIND: `127.0.0.1:${server.port ?? 0}`,
          SIGHTLINE_DATABASE: join(data, 'sightline.db'),
          SIGHTLINE_COMPANY: 'Kettle and Co',
          SIGHTLINE_FIRST_ACCOUNTS_STDIN: '1',
          // Only the tests of readiness ask for a self-test first.
          SIGHTLINE_READINESS: 'advised',
          ...env,
        },
        log: server.log,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      child.stdin.on('error', () => {});
      child.stdin.end(JSON.stringify(accounts));
      server.child = child;
      const listening = await firstLine(child, 'the server', (line) => {
        try {
          return JSON.parse(line).listening;
        } catch {
          return null;
        }
      });
      server.url = listening.startsWith('http') ? listening : `http://${listening}`;
      server.port = Number(new URL(server.url).port);
      await until('the server is healthy', async () => (await fetch(`${server.url}/healthz`)).ok);
    },

    /** Ends it without a word. */
    async kill() {
      await stop(server.child, 'SIGKILL');
    },

    async request(method, path, { token, body, headers = {} } = {}) {
      const answer = await fetch(server.url + path, {
        method,
        headers: {
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
      });
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, body: text ? parsed(text) : null };
    },

    /** Signs in through the API, beside the desk's own session. */
    async signIn(person = server.agent) {
      const { body } = await server.request('POST', '/v1/auth/sign-in', {
        body: { email: person.email, password: person.password },
      });
      return body;
    },

    close: () => stop(server.child),
  };
  await server.start();
  return server;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
