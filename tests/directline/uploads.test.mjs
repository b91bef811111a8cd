// Microsoft's own Direct Line client, unchanged, sends files to the real server and gets them back, also after a reconnect.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import XMLHttpRequest from 'xhr2';
import { startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

/** What xhr2 lacks of a browser's: a form as the body. The bytes are Node's own. */
class FormXMLHttpRequest extends XMLHttpRequest {
  send(body) {
    if (!(body instanceof FormData)) return super.send(body);
    const whole = new Response(body);
    super.setRequestHeader('content-type', whole.headers.get('content-type'));
    void whole.arrayBuffer().then((bytes) => super.send(new Uint8Array(bytes)));
  }
}

globalThis.XMLHttpRequest = FormXMLHttpRequest;
globalThis.WebSocket = WebSocket;
const { ConnectionStatus, DirectLine } = createRequire(import.meta.url)('botframework-directlinejs');

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

let server;
/** The client reads a file from an address, as Web Chat gives it one of the browser's own (blob:). */
let browser;
let fileAt;

before(async () => {
  server = await startServer();
  browser = createServer((request, response) => {
    const [kind, body] = request.url === '/page.html' ? ['text/html', '<script>'] : ['image/png', PNG];
    response.writeHead(200, { 'content-type': kind, 'access-control-allow-origin': '*' }).end(body);
  });
  await new Promise((resolve) => browser.listen(0, '127.0.0.1', resolve));
  fileAt = (name) => `http://127.0.0.1:${browser.address().port}/${name}`;
});

after(async () => {
  browser?.close();
  await server?.close();
});

async function customer(t) {
  const { body: start } = await server.request('POST', '/v1/webchat/tokens', { body: { name: 'Ada' } });
  const activities = [];
  const statuses = [];
  const line = new DirectLine({ domain: `${server.url}/v3/directline`, token: start.token, webSocket: true, timeout: 5000 });
  line.setUserId('ada');
  line.connectionStatus$.subscribe((status) => statuses.push(status));
  const subscription = line.activity$.subscribe((activity) => activities.push(activity));
  t.after(() => {
    subscription.unsubscribe();
    line.end();
  });
  await until('the client is online', () => statuses.includes(ConnectionStatus.Online));
  return {
    activities,
    start,
    post: (activity) =>
      new Promise((resolve, reject) =>
        line.postActivity({ type: 'message', from: { id: 'ada', name: 'Ada' }, ...activity }).subscribe(resolve, reject),
      ),
  };
}

test('a file is uploaded, comes back on the stream and is there for whoever has its address', async (t) => {
  const ada = await customer(t);
  const id = await ada.post({
    text: 'My receipt',
    attachments: [{ contentType: 'image/png', contentUrl: fileAt('receipt.png'), name: 'receipt.png' }],
    channelData: { clientActivityID: 'one' },
  });
  assert.equal(id, `${ada.start.conversationId}|0000001`);
  const shown = await until('the file is in the chat', () => ada.activities.find((activity) => activity.attachments?.length));
  assert.equal(shown.text, 'My receipt');
  assert.equal(shown.channelData.clientActivityID, 'one');
  const [file] = shown.attachments;
  assert.deepEqual([file.contentType, file.name], ['image/png', 'receipt.png']);
  const response = await fetch(file.contentUrl);
  assert.equal(response.headers.get('content-type'), 'image/png');
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), PNG);
});

test('two files of one name are two files', async (t) => {
  const ada = await customer(t);
  const attachment = { contentType: 'image/png', contentUrl: fileAt('a.png'), name: 'a.png' };
  await ada.post({ attachments: [attachment, attachment] });
  const shown = await until('the files are in the chat', () => ada.activities.find((activity) => activity.attachments?.length));
  assert.equal(shown.attachments.length, 2);
  assert.notEqual(shown.attachments[0].contentUrl, shown.attachments[1].contentUrl);
});

test('a file that is not taken is refused, and the chat goes on', async (t) => {
  const ada = await customer(t);
  const attachments = [{ contentType: 'text/html', contentUrl: fileAt('page.html'), name: 'page.html' }];
  assert.equal(await ada.post({ attachments }).catch((error) => error.status), 415);
  assert.equal(typeof (await ada.post({ text: 'Then in words' })), 'string');
  await until('the words are in the chat', () => ada.activities.some(({ text }) => text === 'Then in words'));
  assert.ok(ada.activities.every((activity) => !activity.attachments?.length));
});
