// A screen shared by the agent: the customer's page shows it large beside the face, and it stops. What the call was
// like is kept by the server.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { agentSees, call, customerSees, finish } from '../lib/flows.mjs';
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

/** In the page: colours of the shared screen on a grid, and its size; null while it is not shown. */
const sharedColours = () => {
  const video = document.querySelector('video#screen');
  if (!video || video.hidden || !video.videoWidth) return null;
  const canvas = Object.assign(document.createElement('canvas'), { width: video.videoWidth, height: video.videoHeight });
  const draw = canvas.getContext('2d', { willReadFrequently: true });
  draw.drawImage(video, 0, 0);
  const colours = [];
  for (let row = 0; row < 12; row++) {
    for (let column = 0; column < 16; column++) {
      const [x, y] = [Math.floor(((column + 0.5) * canvas.width) / 16), Math.floor(((row + 0.5) * canvas.height) / 12)];
      colours.push([...draw.getImageData(x, y, 1, 1).data.slice(0, 3)]);
    }
  }
  const box = video.getBoundingClientRect();
  return { width: canvas.width, height: canvas.height, colours, shown: box.width / innerWidth };
};

/** The same grid of the agent's real screen. */
const screenColours = ({ width, height, colourAt }) =>
  Array.from({ length: 192 }, (_, n) =>
    colourAt(Math.floor((((n % 16) + 0.5) * width) / 16), Math.floor(((Math.floor(n / 16) + 0.5) * height) / 12)),
  );

const alike = (a, b) => a.filter((colour, n) => colour.every((value, c) => Math.abs(value - b[n][c]) < 40)).length / a.length;

async function share(name) {
  await desk.click('button', 'Share a screen');
  await desk.click('button', name, { within: 20_000 });
  await desk.sees('You are sharing', 20_000);
}

test("the agent's whole screen is seen by the customer as it is, beside the face, until Stop", async () => {
  const customer = await call(world, desk);
  await share('Whole screen');
  await until(
    "the customer sees the agent's screen",
    async () => {
      const seen = await customer.evaluate(sharedColours);
      if (!seen || seen.width !== world.display.width || seen.height !== world.display.height) return false;
      // The chat stands beside it.
      return seen.shown > 0.6 && alike(seen.colours, screenColours(world.display)) > 0.85;
    },
    { within: 20_000 },
  );
  // On the agent's side the bar lies over the picture's barcode: she is asked again after Stop.
  await customerSees(customer, { frames: 5 });

  await desk.click('button', 'Stop');
  await until('the screen is gone from the page', async () => (await customer.evaluate(sharedColours)) === null);
  await Promise.all([agentSees(world, desk), customerSees(customer)]);
  assert.deepEqual(customer.faults, []);
  await finish(desk, customer);
});

test('sharing ends with the call, and the figures of the call are kept', async () => {
  const customer = await call(world, desk);
  await share('Test page');
  await until('the customer sees the page', async () => (await customer.evaluate(sharedColours))?.width === 1920, { within: 20_000 });
  const { access_token: token } = await world.server.signIn();
  const conversation = await world.server.request('GET', `/v1/conversations/${await desk.conversation()}`, { token });
  const { id } = conversation.body.escalation;
  await desk.hangUp();
  await customer.reaches('ended');
  const stats = await until("the server has the call's figures", async () => {
    const { body } = await world.server.request('GET', `/v1/escalations/${id}/stats`, { token });
    return body.summary && body;
  });
  const last = stats.moments.at(-1).quality;
  assert.ok(last.bitrate_in > 0 && last.bitrate_out > 0 && last.frames_decoded > 0, JSON.stringify(last));
  assert.ok(last.fps_out > 0 && last.width_out > 0 && last.busy > 0 && last.processors > 0, JSON.stringify(last));
  // And in one line where the agent reads it.
  await desk.sees('quality.');
  await finish(desk, customer);
});
