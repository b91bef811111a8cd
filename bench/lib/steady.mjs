// A call that goes on, with the machine to itself: processor time, memory, and the age of the picture on the screen.
// Both sides in a real window of the same size on the same display, and the remote picture equally large in both.
import { installDevices } from '../../tests/lib/customer-page.mjs';
import { output } from '../../tests/lib/paths.mjs';
import { pause } from '../../tests/lib/wait.mjs';
import { windowSize } from './chromium.mjs';
import { ears } from './ears.mjs';
import { startPeer } from './peer.mjs';
import { countCpu, memory, withSwitch } from './processes.mjs';
import { startSightline } from './sightline.mjs';
import { size } from './footage.mjs';

const mark = '--sightline-bench=agent';
/** Until both ends send what the cap allows. */
const SETTLE_MS = 12_000;
/** Where the desk shows neither the agent's own picture nor buttons above the customer's. */
const BARCODE_TOP = 0.6;

/** Calls of both sides in turn, `rounds` times, each measured for `lasting` ms; measured once a run. */
export async function steadyCalls(world) {
  world.steady ??= measureAll(world);
  return world.steady;
}

async function measureAll(world) {
  const { quick } = world.options;
  const [rounds, lasting] = quick ? [1, 15_000] : [2, 60_000];
  await world.clear();
  await world.network.set({});
  const results = [];
  let place = null;
  for (let round = 0; round < rounds; round++) {
    const ours = await oneOfOurs(world, lasting, round);
    place ??= ours.place;
    results.push(ours, await oneOfTheirs(world, lasting, round, place));
  }
  return results;
}

async function oneOfOurs(world, lasting, round) {
  const sightline = await startSightline(world.shared);
  const { desk } = sightline;
  try {
    const call = await sightline.call();
    await pause(SETTLE_MS);
    const place = await desk.picture(size.width / size.height);
    const usage = await measure(world, desk.pid(), lasting, async () => ({ customer: await call.stats(), drawn: (await desk.drawn()).frames }));
    await call.end();
    world.progress(`ours, round ${round + 1}: ${usage.cpu.cores.toFixed(3)} cores, ${usage.memory.mb.toFixed(0)} MB`);
    return { side: 'ours', round, place, ...usage };
  } finally {
    await sightline.close();
  }
}

async function oneOfTheirs(world, lasting, round, place) {
  const peer = await startPeer({ ...world.shared, args: [mark] });
  try {
    const call = await peer.call();
    await call.fit(place);
    await pause(SETTLE_MS);
    const usage = await measure(world, withSwitch(mark), lasting, async () => ({ customer: await call.stats('customer'), agent: await call.stats('agent') }));
    await call.end();
    world.progress(`C, round ${round + 1}: ${usage.cpu.cores.toFixed(3)} cores, ${usage.memory.mb.toFixed(0)} MB`);
    return { side: 'c', round, place, ...usage };
  } finally {
    await peer.close();
  }
}

async function measure(world, pid, lasting, look) {
  const before = await look();
  const stop = countCpu(pid);
  const stopScreen = countCpu(world.display.pid);
  await pause(lasting);
  const [cpu, screen] = [stop(), stopScreen()];
  const after = await look();
  return { cpu, display_server_cores: screen.cores, memory: memory(pid), picture: pictures(before, after) };
}

/** Sizes and frame rates of both directions between two looks. */
function pictures(before, after) {
  const seconds = (after.customer.at - before.customer.at) / 1000;
  const rate = (side, way) => (after[side][way].frames - before[side][way].frames) / seconds;
  const video = (side, way) => ({ width: after[side][way].width, height: after[side][way].height, fps: rate(side, way) });
  const bits = (way) => ((after.customer[way].bytes - before.customer[way].bytes) * 8) / seconds;
  return {
    to_customer: { ...video('customer', 'in'), bps: bits('in') },
    to_agent: { ...video('customer', 'out'), bps: bits('out'), limited_by: after.customer.out.limited_by },
    agent_shows_fps: after.drawn === undefined ? rate('agent', 'in') : (after.drawn - before.drawn) / seconds,
  };
}

/** Why figures of these calls cannot be compared; null when they can. */
export function unequal(results) {
  for (const { side, picture } of results) {
    for (const [way, { width, height, fps }] of Object.entries({ 'to the customer': picture.to_customer, 'to the agent': picture.to_agent })) {
      if (width !== size.width || height !== size.height) return `${side}: ${width}x${height} ${way}`;
      if (fps < size.fps * 0.9) return `${side}: ${fps.toFixed(1)} frames/s ${way}`;
    }
    if (picture.agent_shows_fps < size.fps * 0.9) return `${side}: ${picture.agent_shows_fps.toFixed(1)} frames/s shown to the agent`;
  }
  return null;
}

/** The ages of the customer's frames on the agent's screen, and when clicks are heard, for both sides. */
export async function pictureAges(world) {
  const lasting = world.options.quick ? 8_000 : 15_000;
  await world.clear();
  await world.network.set({});
  const init = [installDevices, { devices: 'both', tone: 440, clicks: true, barcode: true, barcodeTop: BARCODE_TOP, ...size }];
  const listen = async (place, side) => {
    world.display.save(output('bench', `P5-${side}.png`));
    const ear = ears(world.sound, lasting);
    const code = { ...place, y: place.y + BARCODE_TOP * place.height };
    const ages = await world.display.watchBarcode(code, { lasting, every: 4 });
    return { ages, clicks: await ear };
  };
  const results = [];
  for (let round = 0; round < (world.options.quick ? 1 : 2); round++) {
    const sightline = await startSightline(world.shared);
    try {
      const call = await sightline.call({ init });
      await pause(SETTLE_MS);
      results.push({ side: 'ours', round, ...(await listen(await sightline.desk.picture(size.width / size.height), 'ours')) });
      await call.end();
    } finally {
      await sightline.close();
    }
    const peer = await startPeer(world.shared);
    try {
      const call = await peer.call({ init });
      await call.fit({ x: 0, y: 0, width: windowSize.width * 0.7, height: windowSize.width * 0.7 * (size.height / size.width) });
      await pause(SETTLE_MS);
      results.push({ side: 'c', round, ...(await listen(await call.place(), 'c')) });
      await call.end();
    } finally {
      await peer.close();
    }
  }
  return results;
}
