// `make demo`: the main job, played with the real parts. A customer writes in a real browser, the agent answers in
// the real window, one click turns the chat into a call, both see and hear each other, and everything ends in place.
//
// Writes screenshots of window and page at each step into target/demo/. The last line of output is one JSON object
// of figures; exit code 0 only when every step held.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { output } from './lib/paths.mjs';
import { Story } from './lib/story.mjs';
import { median } from './lib/wait.mjs';
import { startWorld } from './lib/world.mjs';

const tones = { customer: 440, agent: 1000 };
const lines = {
  customer: ['My coffee machine blinks red and I cannot tell which light it is.', 'I am holding the camera to it now.'],
  agent: ['Hello Ana, that sounds annoying. Shall we look at it together by video?', 'Thank you, I can see it clearly.'],
};

const story = new Story(output('demo'));
const figures = {
  accept_to_first_frame_ms: { agent: null, customer: null },
  frames_drawn: { agent: 0, customer: 0 },
  heard: { agent: false, customer: false },
  picture_delay_ms_p50: { agent: null, customer: null },
  message_ids_lost: null,
};

let world, desk, customer, conversation;
const look = async (path) => {
  await desk?.settled();
  world?.display.save(`${path}-window.png`);
  await customer?.screenshot(`${path}-customer.png`);
};
const step = (name, play) => story.step(name, play, look);

await step('A server, a display, a sound device and a browser start', async () => {
  world = await startWorld();
});

await step('The agent opens the desk and signs in', async () => {
  desk = await world.desk();
  await desk.signIn(world.server.agent);
  // On a machine without a keyring the window says so once.
  if (await desk.has('button', 'Got it')) await desk.click('button', 'Got it');
});

await step('The agent chooses a camera and a microphone', async () => {
  await desk.chooseTestDevices();
});

await step('A customer opens the web chat and writes', async () => {
  customer = await world.browser.customer({ tone: tones.customer });
  await customer.startChat(`${world.server.url}/chat`, { name: 'Ana Duarte', text: lines.customer[0] });
});

await step('The agent sees who waits and accepts', async () => {
  await desk.sees('Ana Duarte');
  await desk.accept('Ana Duarte');
  await desk.sees(lines.customer[0]);
  conversation = await desk.conversation();
});

await step('The agent replies and the customer reads it', async () => {
  await desk.send(lines.agent[0]);
  await customer.sees(lines.agent[0]);
});

await step('One click: the invite goes out on the same conversation', async () => {
  await desk.click('button', 'Start video');
  await desk.reaches('waiting');
});

await step('The customer opens the invite and looks at the preview', async () => {
  await customer.openInvite();
});

await step('The customer joins and both are live', async () => {
  await customer.click('Join with video');
  await Promise.all([desk.reaches('live'), customer.reaches('live')]);
});

await step('Each sees the other, by the time in the picture', async () => {
  const [agentAges, customerSaw] = await Promise.all([
    world.display.watchBarcode(await desk.picture(), { lasting: 4000 }),
    customer.watch(4000),
  ]);
  assert.ok(agentAges.length >= 20, `the agent's window showed ${agentAges.length} different frames in 4 s`);
  assert.ok(customerSaw.ages.length >= 20, `the customer's page showed ${customerSaw.ages.length} different frames in 4 s`);
  await desk.hangUpShows();
  figures.picture_delay_ms_p50 = { agent: median(agentAges), customer: median(customerSaw.ages) };

  const [diary, drawn] = [await customer.diary(), await desk.drawn()];
  figures.frames_drawn = { agent: drawn.frames, customer: diary.frames_presented };
  figures.accept_to_first_frame_ms = {
    agent: Math.round(drawn.firstFrameAt - diary.accept_at),
    customer: Math.round(diary.first_frame_at - diary.accept_at),
  };
  for (const [who, ms] of Object.entries(figures.accept_to_first_frame_ms)) {
    assert.ok(ms > 0 && ms < 10_000, `${who}: ${ms} ms from the tap to the first frame`);
  }
});

await step('Each hears the other, by the tone', async () => {
  const [agent, other] = await Promise.all([world.sound.hears(tones.customer), customer.hears(tones.agent)]);
  figures.heard = { agent, customer: other };
  assert.ok(agent, "the customer's tone is in what the agent's speaker plays");
  assert.ok(other, "the agent's tone is in what arrives at the customer");
});

await step('They go on chatting beside the picture', async () => {
  await customer.send(lines.customer[1]);
  await desk.sees(lines.customer[1]);
  await desk.send(lines.agent[1]);
  await customer.sees(lines.agent[1]);
});

await step('The agent turns the camera off and on again', async () => {
  await desk.click('button', 'Turn camera off');
  await desk.click('button', 'Turn camera on');
  const { ages } = await customer.watch(3000);
  assert.ok(ages.some((age) => age < 3000), 'the picture comes back');
});

await step('The agent hangs up and the customer rates the call', async () => {
  await desk.hangUp();
  await customer.reaches('ended');
  await customer.rate('up');
});

await step('The agent wraps up with a disposition and closes', async () => {
  await desk.wrapUp();
});

await step('Every message is in the conversation once', async () => {
  const lost = await lostMessages();
  figures.message_ids_lost = lost.length;
  assert.deepEqual(lost, []);
});

/** Lines that are not in the server's record exactly once, or not in order. */
async function lostMessages() {
  const { access_token: token } = await world.server.signIn(world.server.supervisor);
  const path = `/v1/conversations/${conversation}/messages?after=0&limit=200`;
  const { body } = await world.server.request('GET', path, { token });
  const texts = body.messages.filter(({ body }) => body.type === 'text').map(({ body }) => body.text);
  const expected = [lines.customer[0], lines.agent[0], lines.customer[1], lines.agent[1]];
  assert.deepEqual(body.messages.map(({ seq }) => seq), body.messages.map((_, index) => index + 1));
  return expected.filter((line) => texts.filter((text) => text === line).length !== 1);
}

await world?.close();
const ok = !story.failed && story.steps.every((step) => step.ok);
console.log(`${ok ? 'Every step held' : 'A step did not hold'}; pictures in ${join('target', 'demo')}`);
console.log(JSON.stringify({ ok, steps: story.steps, ...figures }));
process.exit(ok ? 0 : 1);
