// Takes docs/screenshot.png: the real window in a real call. `node tests/screenshot.mjs`, after a build.
import { join } from 'node:path';
import { repository, temporaryFolder } from './lib/paths.mjs';
import { startWorld } from './lib/world.mjs';
import { writeY4m } from './lib/y4m.mjs';

const world = await startWorld();
try {
  const media = temporaryFolder('media');
  writeY4m(join(media, 'Desk camera.y4m'), 640, 360, await drawAgent());
  const desk = await world.desk({ env: { SIGHTLINE_MEDIA_DIR: media } });
  await desk.signIn(world.server.agent);
  if (await desk.has('button', 'Got it')) await desk.click('button', 'Got it');
  await desk.chooseDevices({ camera: 'File: Desk camera.y4m', microphone: 'Test tone' });

  const about = (context) => `${world.server.url}/chat#context=${encodeURIComponent(JSON.stringify(context))}`;
  const ana = await world.browser.customer({ barcode: false });
  await ana.startChat(about({ order: 'K-20417', product: 'Duo 3 espresso machine', country: 'PT' }), {
    name: 'Ana Duarte',
    text: 'My coffee machine blinks red and I cannot tell which light it is.',
  });
  await desk.accept('Ana Duarte');
  await desk.send('Hello Ana, shall we look at it together by video?');
  await ana.send('Yes please!');
  for (const [name, text] of [
    ['Luis Ferreira', 'The grinder makes a strange noise since this morning.'],
    ['Meera Nair', 'Can I change the delivery address of my order?'],
  ]) {
    const waiting = await world.browser.customer();
    await waiting.startChat(`${world.server.url}/chat`, { name, text });
  }
  await desk.click('button', 'Start video');
  await desk.reaches('waiting');
  await ana.openInvite();
  await ana.click('Join with video');
  await Promise.all([desk.reaches('live'), ana.reaches('live')]);
  await ana.send('It is the small one on the left.');
  await desk.sees('It is the small one on the left.');
  await desk.send('I see it. That is the water filter: press and hold it for five seconds.');
  await ana.watch(5000); // until the picture is sharp
  await desk.settled();
  world.display.save(join(repository, 'docs', 'screenshot.png'));
} finally {
  await world.close();
}
process.exit(0);

/** An agent at a desk, in plain shapes. */
async function drawAgent() {
  const { page } = await world.browser.customer();
  const pixels = await page.evaluate(() => {
    const [width, height] = [640, 360];
    const draw = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
    const wall = draw.createLinearGradient(0, 0, width, height);
    wall.addColorStop(0, '#dfe4ea');
    wall.addColorStop(1, '#aab6c4');
    draw.fillStyle = wall;
    draw.fillRect(0, 0, width, height);
    const disc = (colour, x, y, rx, ry, from = 0, to = 2 * Math.PI) => {
      draw.fillStyle = colour;
      draw.beginPath();
      draw.ellipse(x, y, rx, ry, 0, from, to);
      draw.fill();
    };
    disc('#4a7c59', 90, 250, 46, 70); // a plant
    disc('#8a5a3b', 90, 340, 34, 50);
    disc('#27496d', 320, 400, 190, 130); // shoulders
    disc('#a8572f', 320, 170, 92, 112); // hair
    disc('#f0cdb0', 320, 185, 72, 88); // face
    disc('#a8572f', 320, 118, 82, 36); // fringe
    disc('#2f2a28', 290, 178, 7, 8); // eyes
    disc('#2f2a28', 350, 178, 7, 8);
    disc('#b5544d', 320, 222, 28, 20, 0, Math.PI); // smile
    return [...draw.getImageData(0, 0, width, height).data];
  });
  await page.context().close();
  return Uint8Array.from(pixels);
}
