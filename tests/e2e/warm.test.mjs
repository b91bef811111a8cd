// Connecting ahead of the tap: while the invitation is read the connection is made, and nothing else happens.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { agentSees, customerSees, finish, inviteUrl, invited } from '../lib/flows.mjs';
import { keepEvidence } from '../lib/evidence.mjs';
import { startWorld } from '../lib/world.mjs';
import { until } from '../lib/wait.mjs';

let world, desk;
keepEvidence(() => ({ ...world, desk }));
before(async () => {
  world = await startWorld();
  desk = await world.desk();
  await desk.signIn(world.server.agent);
  await desk.chooseTestDevices();
});
after(() => world?.close());

/** Runs in the page: its peer connections that are up, and the media on all of them. Probes of the line carry none. */
async function traffic() {
  const all = window.__connections;
  let media = 0;
  for (const connection of all) {
    for (const report of (await connection.getStats()).values()) {
      if (report.type === 'inbound-rtp') media += report.bytesReceived;
      if (report.type === 'outbound-rtp') media += report.bytesSent;
    }
  }
  return { made: all.length, up: all.filter((one) => one.connectionState === 'connected').length, media, asked: window.__asked };
}

/** Runs in the page: the call's own page beneath the invitation. */
function standingBy() {
  const place = document.querySelector('.standby');
  const video = (window.__remote = place.querySelector('#remote'));
  return {
    unseen: getComputedStyle(video).visibility === 'hidden',
    inert: place.inert,
    player: video.srcObject !== null,
    playing: video.readyState > 0,
    size: [video.clientWidth, video.clientHeight],
  };
}

/** Runs in the page: the same place and the same player. */
function afterTheTap() {
  const video = document.querySelector('#remote');
  const { clientWidth, clientHeight } = video;
  return {
    same: video === window.__remote,
    size: [clientWidth, clientHeight],
    unseen: getComputedStyle(video).visibility === 'hidden',
    inert: video.closest('[inert]') !== null,
  };
}

const trafficOf = (customer) => customer.evaluate(traffic);

const isWarm = (customer) => until('the page is connected', async () => (await trafficOf(customer)).up === 1);

/** A phone that opens the link. */
async function phoneAt(url) {
  const phone = await world.browser.customer({ viewport: { width: 390, height: 780 } });
  await phone.open(url);
  await phone.appears('Join with video');
  return phone;
}

async function joins(customer) {
  await customer.click('Join with video');
  await Promise.all([desk.reaches('live'), customer.reaches('live')]);
  await Promise.all([agentSees(world, desk), customerSees(customer)]);
}

test('the link page connects before the tap, without a device or a byte of media; the tap starts it', async () => {
  const customer = await invited(world, desk);
  const url = await inviteUrl(world, desk);
  // What messengers do for a preview of the link warms nothing.
  for (let preview = 0; preview < 3; preview++) assert.equal((await fetch(url)).status, 200);

  const phone = await phoneAt(url);
  await desk.sees('has opened the link');
  await isWarm(phone);
  const before = await trafficOf(phone);
  assert.deepEqual(before, { made: 1, up: 1, media: 0, asked: 0 });
  assert.equal(await desk.phase(), 'waiting');
  const page = await phone.evaluate(standingBy);
  assert.deepEqual({ ...page, size: null }, { unseen: true, inert: true, player: true, playing: false, size: null });

  await joins(phone);
  assert.deepEqual(await phone.evaluate(afterTheTap), { same: true, size: page.size, unseen: false, inert: false }, 'the tap uncovers what stood there');
  const { made, asked } = await trafficOf(phone);
  assert.deepEqual({ made, asked }, { made: 1, asked: 1 }, 'the connection from before the tap carries the call');
  assert.deepEqual(phone.faults, []);
  await phone.close();
  await finish(desk, customer);
});

test('the card in the chat connects while it is read', async () => {
  const customer = await invited(world, desk);
  await desk.sees('has opened the link');
  await isWarm(customer);
  assert.equal((await trafficOf(customer)).media, 0);
  await customer.openInvite();
  await joins(customer);
  assert.equal((await trafficOf(customer)).made, 1);
  await finish(desk, customer);
});

test('declined and taken back while connected: both sides say so', async () => {
  const customer = await invited(world, desk);
  const phone = await phoneAt(await inviteUrl(world, desk));
  await isWarm(phone);
  await desk.click('button', 'Cancel video');
  await phone.sees('This link was taken back');
  assert.equal((await trafficOf(phone)).asked, 0);
  await phone.close();
  await desk.reaches('ended');

  await desk.click('button', 'Start video');
  await desk.reaches('waiting');
  await customer.openInvite();
  await desk.sees('has opened the link');
  await customer.click('Not now');
  await desk.reaches('ended');
  await finish(desk, customer);
});

test('two browsers: the one that taps has the call, the other one is told', async () => {
  const customer = await invited(world, desk);
  const url = await inviteUrl(world, desk);
  const first = await phoneAt(url);
  await isWarm(first);
  const second = await phoneAt(url);
  await isWarm(second);
  await joins(first);
  await second.sees('in use on another device');
  assert.equal((await trafficOf(second)).media, 0, 'nothing of the call was sent to it');
  await second.close();
  await first.close();
  await finish(desk, customer);
});

test('a page that goes and comes back is warm again; the desk sees both', async () => {
  const customer = await invited(world, desk);
  const url = await inviteUrl(world, desk);
  await customer.close();
  const phone = await phoneAt(url);
  await isWarm(phone);
  await phone.reload();
  await phone.appears('Join with video');
  await isWarm(phone);
  await desk.sees('has opened the link');
  await joins(phone);
  await finish(desk, phone);
});

test('server and desk restart while the page is connected', async () => {
  const customer = await invited(world, desk);
  const phone = await phoneAt(await inviteUrl(world, desk));
  await isWarm(phone);
  await customer.close();

  await world.server.kill();
  await until('the desk notices', async () => (await desk.link()) !== 'online');
  await world.server.start();
  await desk.sees('has opened the link', 20_000);
  assert.deepEqual(await trafficOf(phone), { made: 1, up: 1, media: 0, asked: 0 }, 'the connection stood all the time');

  const { data } = desk;
  await desk.kill();
  desk = await world.desk({ data });
  if (await desk.needsSignIn()) await desk.signIn(world.server.agent);
  await desk.sees('has opened the link', 20_000);
  await until('the page is connected to the new desk', async () => {
    const { made, up } = await trafficOf(phone);
    return made > 1 && up === 1;
  });
  await joins(phone);
  await finish(desk, phone);
});
