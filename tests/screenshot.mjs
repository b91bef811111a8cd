// Takes docs/screenshot.png: the real window in a real call. `node tests/screenshot.mjs`, after a build.
import { join } from 'node:path';
import { repository } from './lib/paths.mjs';
import { startWorld } from './lib/world.mjs';

const world = await startWorld();
try {
  const desk = await world.desk();
  await desk.signIn(world.server.agent);
  if (await desk.has('button', 'Got it')) await desk.click('button', 'Got it');
  await desk.chooseTestDevices();

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
