// Takes the pictures of the README: the real window in a real call, in a real self-test, and the board beside it.
// `node tests/screenshots.mjs [call|readiness]`, after a build.
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { everyAddress } from './lib/addresses.mjs';
import { startDisplay } from './lib/display.mjs';
import { repository, temporaryFolder } from './lib/paths.mjs';
import { until } from './lib/wait.mjs';
import { startWorld } from './lib/world.mjs';
import { writeY4m } from './lib/y4m.mjs';

const save = (display, name) => display.save(join(repository, 'docs', `${name}.png`));
const pictures = { call: takeCall, readiness: takeReadiness };
for (const name of process.argv[2] ? [process.argv[2]] : Object.keys(pictures)) await pictures[name]();
process.exit(0);

/** `docs/screenshot.png`: an agent and a customer who see each other. */
async function takeCall() {
  const world = await startWorld();
  try {
    const media = temporaryFolder('media');
    await film(world, join(media, 'Desk camera.y4m'), 640, 360);
    const desk = await world.desk({ env: { SIGHTLINE_MEDIA_DIR: media } });
    await enter(desk, world.server.agent);
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
    save(world.display, 'screenshot');
  } finally {
    await world.close();
  }
}

/** `docs/self-test-running.png`, `docs/self-test.png`, `docs/board.png`: a desk that passes, and one whose camera is gone. */
async function takeReadiness() {
  const world = await startWorld({
    serverEnv: { SIGHTLINE_READINESS: 'required', SIGHTLINE_TURN: '127.0.0.1:0', SIGHTLINE_TURN_ALLOW: everyAddress() },
  });
  const elsewhere = await startDisplay();
  try {
    const hush = world.sound.speak(300);
    const [media, theirs] = [temporaryFolder('media'), temporaryFolder('media')];
    for (const folder of [media, theirs]) await film(world, join(folder, 'Desk camera.y4m'), 1280, 720);
    const devices = { camera: 'File: Desk camera.y4m', microphone: 'Microphone', speaker: 'Speaker' };

    const other = await world.desk({ display: elsewhere, env: { SIGHTLINE_MEDIA_DIR: theirs } });
    await enter(other, world.server.otherAgent);
    await passes(other, devices);
    renameSync(join(theirs, 'Desk camera.y4m'), join(temporaryFolder('drawer'), 'Desk camera.y4m'));

    const desk = await world.desk({ env: { SIGHTLINE_MEDIA_DIR: media } });
    await enter(desk, world.server.agent);
    await passes(desk, devices, async () => {
      await runs(desk, 'call');
      await desk.script(() => document.querySelector('[data-testid=call-part]').scrollIntoView({ block: 'center' }));
      const { x, y, width, height } = await desk.picture(16 / 9);
      // Over the middle of the tile stands its text until a picture is drawn there.
      await until('the far end is shown', () => Math.max(...world.display.colourAt(x + width / 2, y + height / 4)) > 60);
      await desk.settled();
      save(world.display, 'self-test-running');
    });
    await desk.script(() => document.querySelector('.scroll.body').scrollTo(0, 0));
    await desk.settled();
    save(world.display, 'self-test');

    const supervisor = await world.desk();
    await enter(supervisor, world.server.supervisor);
    await supervisor.click('button', 'Readiness board');
    const name = world.server.otherAgent.name;
    await supervisor.sees('Unplugged', 20_000);
    await supervisor.click('button', `~${name} Online`);
    await supervisor.sees('Last tests');
    await supervisor.settled();
    save(world.display, 'board');
    await hush();
  } finally {
    await world.close();
    await elsewhere.close();
  }
}

async function enter(desk, account) {
  await desk.signIn(account);
  if (await desk.has('button', 'Got it')) await desk.click('button', 'Got it');
}

function runs(desk, kind) {
  const state = (kind) => document.querySelector(`[data-check=${kind}]`)?.dataset.state;
  return until(`${kind} runs`, async () => (await desk.script(state, kind)) === 'running', { within: 60_000 });
}

/** A whole self-test, with something to do in its middle. */
async function passes(desk, devices, meanwhile = async () => {}) {
  await desk.chooseDevices(devices);
  await desk.script(() => document.querySelector('[data-readiness]').click());
  await desk.click('button', 'Start the self-test');
  await desk.click('button', 'I hear it', { within: 40_000 });
  await meanwhile();
  await until('the desk is ready for video', () => desk.script(() => document.querySelector('[data-readiness]')?.dataset.readiness === 'video'), {
    within: 120_000,
  });
}

/** As from a camera: the same agent with another grain in each picture. */
async function film(world, path, width, height) {
  const still = await drawAgent(world, width, height);
  const grainy = () => still.map((value, at) => ((at + 1) % 4 ? value + Math.floor(Math.random() * 5) - 2 : value));
  writeY4m(path, width, height, ...Array.from({ length: 4 }, grainy));
}

/** An agent at a desk, in plain shapes. */
async function drawAgent(world, width, height) {
  const { page } = await world.browser.customer();
  const pixels = await page.evaluate(([width, height]) => {
    const draw = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
    draw.scale(width / 640, height / 360);
    const wall = draw.createLinearGradient(0, 0, 640, 360);
    wall.addColorStop(0, '#dfe4ea');
    wall.addColorStop(1, '#aab6c4');
    draw.fillStyle = wall;
    draw.fillRect(0, 0, 640, 360);
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
    return btoa(Array.from(draw.getImageData(0, 0, width, height).data, (byte) => String.fromCharCode(byte)).join(''));
  }, [width, height]);
  await page.context().close();
  return Uint8ClampedArray.from(Buffer.from(pixels, 'base64'));
}
