// Conversations that are assigned: a video call goes to a desk that can carry it at that moment. Its camera is unplugged
// while the agent is being asked, and the question is on the colleague's screen.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { keepEvidence } from '../lib/evidence.mjs';
import { temporaryFolder } from '../lib/paths.mjs';
import { until } from '../lib/wait.mjs';
import { startWorld } from '../lib/world.mjs';
import { writeCamera } from '../lib/y4m.mjs';

let world, first, second, hush;
keepEvidence(() => ({ ...world, desk: first, otherDesk: second }));
before(async () => {
  world = await startWorld({ serverEnv: { SIGHTLINE_READINESS: 'required', SIGHTLINE_ROUTING: 'push' } });
  hush = world.sound.speak(700);
  first = await readyDesk(world.server.agent);
  second = await readyDesk(world.server.otherAgent);
});
after(async () => {
  await hush?.();
  await world?.close();
});

/** A desk with a camera of its own that has passed its self-test, as agents do it before a shift. */
async function readyDesk(account) {
  const media = temporaryFolder('media');
  const [camera, drawer] = [join(media, 'Desk.y4m'), join(temporaryFolder('drawer'), 'Desk.y4m')];
  writeCamera(camera);
  const desk = await world.desk({ env: { SIGHTLINE_MEDIA_DIR: media } });
  await desk.signIn(account);
  await desk.chooseDevices({ camera: 'File: Desk.y4m', microphone: 'Microphone', speaker: 'Speaker' });
  await desk.session.keys('t');
  await desk.click('button', 'Start the self-test');
  await desk.click('button', 'I hear it', { within: 60_000 });
  await standing(desk, 'video', 120_000);
  await desk.session.keys('Escape');
  return Object.assign(desk, { unplug: () => renameSync(camera, drawer), plug: () => renameSync(drawer, camera) });
}

const standing = (desk, wanted, within = 30_000) =>
  until(`the desk is ${wanted}`, async () =>
    (await desk.script(() => document.querySelector('[data-readiness]')?.dataset.readiness ?? null)) === wanted, { within });

/** What the card asks, or null. */
const card = (desk) => desk.script(() => document.querySelector('[data-testid=assignment]')?.innerText ?? null);
const isAsked = (desk, name) =>
  until(`the desk is asked about ${name}`, async () => {
    const asked = await card(desk);
    return asked?.includes(name) ? asked : null;
  });

const inInbox = (desk, name) =>
  desk.script((name) => [...document.querySelectorAll('[data-conversation]')].some((row) => row.textContent.includes(name)), name);

/** A customer who comes from a page that asks for video: its backend opens the chat, and the page writes in it. */
async function wantsVideo(name) {
  const started = await world.server.request('POST', '/v1/webchat/tokens', { body: { name, context: { VideoCall: 'True' } } });
  const { conversationId: id, token } = started.body;
  const body = { type: 'message', text: 'Can you see it?', from: { id: 'me', name } };
  const sent = await world.server.request('POST', `/v3/directline/conversations/${id}/activities`, { token, body });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
}

test('the camera is unplugged while the agent is asked: the colleague is asked, and the first one reads why', async () => {
  await wantsVideo('Ana Moreno');
  // The first desk has been without work for longer.
  const asked = await isAsked(first, 'Ana Moreno');
  assert.match(asked, /Video call wanted/);
  assert.equal(await card(second), null, 'one agent is asked at a time');

  first.unplug();
  await isAsked(second, 'Ana Moreno');
  await first.sees('Your camera was unplugged. It went to a colleague.');
  assert.equal(await card(first), null);
  await standing(first, 'audio');

  await second.click('button', 'Accept');
  await second.find('textbox', 'Message');
  assert.equal(await second.videoBlock(), null, 'the call can begin');
  assert.equal(await card(second), null);
});

test('nobody else can: the customer waits, and is assigned when the camera is back and was looked at', async () => {
  await wantsVideo('Luis Ortega');
  // Who waits is not on the screen of an agent who cannot take it.
  assert.equal(await card(first), null);
  assert.equal(await inInbox(first, 'Luis Ortega'), false);
  first.plug();
  await isAsked(first, 'Luis Ortega');
  // The card takes no focus, so Escape is no answer; one key turns it down.
  await first.session.keys('Escape');
  assert.match(await card(first), /Luis Ortega/);
  await first.session.keys('d');
  await first.sees('No conversations are assigned to you');
  await first.click('button', "I'm back");
  await isAsked(first, 'Luis Ortega');
  await first.session.keys('a');
  await first.find('textbox', 'Message');
});

test('a conversation is handed to the colleague with a note, and goes when the colleague has said yes', async () => {
  // The video that the first customer asked for has started by itself.
  await second.click('button', 'Cancel video');
  await second.reaches('ended');
  await second.wrapUp();
  await first.openConversation('Luis Ortega');
  await first.click('button', 'Transfer');
  const name = await second.script(() => document.querySelector('.me')?.getAttribute('aria-label')?.split(',')[0] ?? null);
  await first.sees(name);
  await first.askColleague(name, 'Would rather show it.');

  const asked = await isAsked(second, 'Luis Ortega');
  assert.match(asked, /Would rather show it\./);
  assert.equal(await inInbox(first, 'Luis Ortega'), true, 'the customer stays until the yes');
  await second.click('button', 'Accept');
  await second.find('textbox', 'Message');
  await second.sees('Would rather show it.');
  await first.sees('took over Luis Ortega');
  await until('it has left the first inbox', async () => !(await inInbox(first, 'Luis Ortega')));
});
