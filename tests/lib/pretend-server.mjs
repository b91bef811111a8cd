// The customer's pages as the server serves them, with answers that a scenario makes up: every page can be looked at
// without a desk. The far side of a call is a second connection in the page itself.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { repository } from './paths.mjs';

const dist = join(repository, 'ui', 'guest', 'dist');
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; " +
  "font-src 'self'; connect-src 'self' ws:; worker-src 'self' blob:; form-action 'none'; base-uri 'none'";
const KINDS = { js: 'text/javascript', css: 'text/css', html: 'text/html; charset=utf-8' };
const PIXEL = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

/** Serves the built pages; `accent` is the company's colour. */
export async function servePages({ accent = '' } = {}) {
  const server = createServer(({ url, headers }, answer) => {
    const { pathname } = new URL(url, 'http://x');
    // Another site, at another name of this computer.
    if (pathname === '/shop') {
      const script = `<script src="http://127.0.0.1:${server.address().port}/widget.js" async></script>`;
      const shop = `<!doctype html><html lang="en"><title>Shop</title><main><h1>Kettles</h1></main>${script}</html>`;
      return answer.writeHead(200, { 'content-type': KINDS.html }).end(shop);
    }
    try {
      const language = /^\w\w/.exec(headers['accept-language'] ?? '')?.[0] ?? 'en';
      const name = pathname.startsWith('/assets/') || pathname === '/widget.js' ? pathname.slice(1) : page(pathname, language);
      let body = readFileSync(join(dist, name));
      if (name.endsWith('.html')) {
        body = String(body).replace('company" content=""', 'company" content="Kettle and Co"').replace('accent" content=""', `accent" content="${accent}"`);
      }
      answer.writeHead(200, { 'content-type': KINDS[name.split('.').pop()], 'content-security-policy': POLICY }).end(body);
    } catch {
      answer.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address();
  return { url: `http://127.0.0.1:${port}`, shop: `http://localhost:${port}`, close: () => server.close() };
}

function page(path, language) {
  const name = path.startsWith('/j/') ? 'join' : 'chat';
  return language === 'en' ? `${name}.html` : `${name}.${language}.html`;
}

const inMinutes = (minutes) => Date.now() + minutes * 60_000;

/** A chat with this history. What the page sends is kept in `sent`. */
export async function pretendChat(page, { history = [], refuse = null } = {}) {
  const sent = [];
  const started = { conversationId: 'c', token: 't', expires_in: 3600 };
  const streamUrl = 'wss://elsewhere.example/v3/directline/conversations/c/stream?t=1';
  if (history.length > 0) {
    await page.addInitScript(() => sessionStorage.setItem('sightline.conversation', '{"id":"c","token":"t","name":"Ana"}'));
  }
  await page.route(/\/v[13]\//, (route) => {
    const { pathname } = new URL(route.request().url());
    if (/\/files\//.test(pathname)) return route.fulfill({ contentType: 'image/png', body: PIXEL });
    if (route.request().method() === 'GET' && pathname.endsWith('/activities')) {
      return route.fulfill({ json: { activities: history, watermark: String(history.length) } });
    }
    if (pathname.endsWith('/activities')) {
      sent.push(route.request().postDataJSON());
      return refuse ? route.fulfill({ status: 413, json: refuse }) : route.fulfill({ json: { id: `c|${sent.length + 900}` } });
    }
    if (pathname.startsWith('/v1/invites/')) return route.fulfill({ status: 404, json: problem('invite_unknown') });
    return route.fulfill({ json: { ...started, streamUrl } });
  });
  await page.routeWebSocket(/\/rooms\/socket/, () => {});
  let line;
  await page.routeWebSocket(/\/stream/, (socket) => (line = socket));
  return { sent, say: (...activities) => line.send(JSON.stringify({ activities })) };
}

export const problem = (code) => ({ code, message: 'In English.', next_step: 'In English.' });

/** An activity of the history, so many minutes ago. */
export function activity(number, who, text, more = {}) {
  const from = who === 'me' ? { id: 'customer', role: 'user' } : { id: who, name: who, role: 'bot' };
  return {
    type: 'message',
    id: `c|${String(number).padStart(7, '0')}`,
    timestamp: new Date(inMinutes(number - 12)).toISOString(),
    from,
    text,
    ...more,
  };
}

export const inviteActivity = (number, who) =>
  activity(number, who, '', {
    channelData: { sightline: { type: 'invite', code: 'abc', url: 'https://x/j/abc', agent_name: who, expires_at: inMinutes(14) } },
  });

/** A link: how it stands, and how far the call behind it comes (`waiting`, `live` or `ended`). */
export async function pretendLink(page, { state = 'open', reach = 'waiting', company = 'Kettle and Co', sound = 'call' } = {}) {
  const view = {
    state, company, sound, agent_name: 'Maria Lopez', expires_at: inMinutes(14), survey: true, locale: null,
  };
  await page.route(/\/v1\//, (route) => {
    const { pathname } = new URL(route.request().url());
    if (state === 'unknown') return route.fulfill({ status: 404, json: problem('invite_unknown') });
    if (pathname.endsWith('/warm')) return route.fulfill({ json: { room_token: 'r', offer: null, ice_servers: [], ice_policy: 'all' } });
    if (pathname.endsWith('/survey') || pathname.endsWith('/decline')) return route.fulfill({ status: 204 });
    return route.fulfill({ json: view });
  });
  await page.routeWebSocket(/\/rooms\/socket/, (socket) => {
    const send = (event) => socket.send(JSON.stringify(event));
    const other = reach === 'waiting' ? { place: 'absent' } : { place: 'here', session: 1 };
    const media = { microphone: reach !== 'waiting', camera: reach !== 'waiting', screen: false };
    socket.onMessage(async (text) => {
      const said = JSON.parse(text);
      if (said.type === 'hello') {
        send({ type: 'welcome', connection: 'x', resume: 'y', room: 'z', you: 'customer', other, other_media: media, offer: null, heartbeat_ms: 5000, silence_ms: 60_000 });
      }
      if (said.type === 'join') {
        send({ type: 'joined' });
        if (reach !== 'waiting') send({ type: 'offer', negotiation: 1, sdp: await page.evaluate(offerFromHere) });
      }
      if (said.type === 'answer') await page.evaluate((sdp) => window.__far.setRemoteDescription({ type: 'answer', sdp }), said.sdp);
      if (said.type === 'candidate' && said.candidate) {
        await page.evaluate((candidate) => window.__far.addIceCandidate({ candidate, sdpMid: '0', sdpMLineIndex: 0 }), said.candidate);
      }
      if (said.type === 'media_flowing' && reach === 'ended') send({ type: 'ended', reason: 'agent_hung_up' });
    });
  });
}

/** Runs in the page: a far side that shows a face in plain shapes. */
async function offerFromHere() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
  const draw = canvas.getContext('2d');
  const paint = () => {
    draw.fillStyle = '#c9d3dd';
    draw.fillRect(0, 0, 640, 360);
    for (const [colour, y, rx, ry] of [['#27496d', 380, 190, 130], ['#a8572f', 165, 90, 108], ['#f0cdb0', 185, 72, 88]]) {
      draw.fillStyle = colour;
      draw.beginPath();
      draw.ellipse(320, y, rx, ry, 0, 0, 7);
      draw.fill();
    }
  };
  paint();
  setInterval(paint, 50);
  const far = (window.__far = new RTCPeerConnection());
  const silence = new AudioContext().createMediaStreamDestination();
  far.addTransceiver(silence.stream.getAudioTracks()[0]);
  far.addTransceiver(canvas.captureStream(20).getVideoTracks()[0]);
  far.addTransceiver('video');
  await far.setLocalDescription();
  await new Promise((done) => {
    if (far.iceGatheringState === 'complete') done();
    far.onicegatheringstatechange = () => far.iceGatheringState === 'complete' && done();
  });
  return far.localDescription.sdp;
}
