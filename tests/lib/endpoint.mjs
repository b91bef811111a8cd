// A platform's interface on loopback: keeps every call and answers as the journey needs it.
import { createServer } from 'node:http';
import { until } from './wait.mjs';

/**
 * Starts it. `answer(call)` gives `{ status, headers, body }`; a body that is no text goes out as JSON. A call is
 * `{ method, path, query, headers, body, json, form }`.
 */
export async function startEndpoint(answer) {
  const calls = [];
  const faults = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const url = new URL(request.url, 'http://endpoint');
    const kind = request.headers['content-type'] ?? '';
    const call = {
      method: request.method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body,
      json: kind.includes('json') && body ? JSON.parse(body) : null,
      form: kind.includes('urlencoded') ? Object.fromEntries(new URLSearchParams(body)) : null,
      at: Date.now(),
    };
    const fault = faults.findIndex(({ matches }) => matches(call));
    const said = fault >= 0 ? faults.splice(fault, 1)[0].answer : ((await answer(call)) ?? { status: 404, body: {} });
    calls.push({ ...call, status: said.status ?? 200 });
    const text = typeof said.body === 'string' ? said.body : JSON.stringify(said.body ?? {});
    response.writeHead(said.status ?? 200, { 'content-type': 'application/json', ...said.headers });
    response.end(text);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    calls,
    /** The next call that matches is answered so instead; a fault of our own invention. */
    failOnce: (matches, answer) => faults.push({ matches, answer }),
    /** Waits for a call that was answered well. */
    heard: (what, matches, within = 15_000) =>
      until(what, () => calls.find((call) => call.status < 300 && matches(call)) ?? null, { within }),
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
  };
}
