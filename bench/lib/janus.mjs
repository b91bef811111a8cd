// J: the same two browsers through Janus' VideoRoom on host A, as Debian packages it, set up in a temporary folder.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { start, stop } from '../../tests/lib/process.mjs';
import { temporaryFolder } from '../../tests/lib/paths.mjs';
import { until } from '../../tests/lib/wait.mjs';
import { openChromium } from './chromium.mjs';
import { hostA } from './network.mjs';
import { callOverPage } from './peer.mjs';

const port = 8188;
const library = '/usr/lib/x86_64-linux-gnu/janus';
/** Each call has a room of its own, so that nobody of the last one is still in it. */
const rooms = 200;

export async function startJanus({ network, pages, footage }) {
  const folder = temporaryFolder('janus');
  const others = (kind, wanted) => readdirSync(join(library, kind)).filter((file) => file.endsWith('.so') && file !== wanted).join(',');
  const write = (name, text) => writeFileSync(join(folder, name), text);
  mkdirSync(join(folder, 'none'));
  write('janus.jcfg', `
    general: {
      configs_folder = "${folder}"
      plugins_folder = "${library}/plugins"
      transports_folder = "${library}/transports"
      events_folder = "${folder}/none"
      loggers_folder = "${folder}/none"
      debug_level = 3
    }
    media: { rtp_port_range = "20000-29999" }
    nat: { ice_enforce_list = "${hostA}", full_trickle = true }
    plugins: { disable = "${others('plugins', 'libjanus_videoroom.so')}" }
    transports: { disable = "${others('transports', 'libjanus_websockets.so')}" }
  `);
  write('janus.transport.websockets.jcfg', `
    general: { json = "compact", ws = true, ws_port = ${port}, ws_ip = "${hostA}", wss = false }
    admin: { admin_ws = false, admin_wss = false }
  `);
  const room = (number) => `
    room-${number}: {
      description = "benchmark"
      publishers = 2
      bitrate = 2500000
      audiocodec = "opus"
      videocodec = "vp8"
      record = false
    }`;
  write('janus.plugin.videoroom.jcfg', `general: { }\n${Array.from({ length: rooms }, (_, n) => room(n + 1)).join('\n')}`);
  const server = start('janus', ['-F', folder, '-C', join(folder, 'janus.jcfg'), '-o'], { log: join(folder, 'janus.log') });
  await until('Janus listens', () => listens(hostA, port));
  const browser = await openChromium({ footage });
  let calls = 0;
  return {
    call: ({ within = 15_000 } = {}) => {
      const query = `room=${(calls++ % rooms) + 1}&server=${encodeURIComponent(`ws://${hostA}:${port}/`)}`;
      return callOverPage({ network, footage, browser, url: `${pages.url}/janus.html?${query}`, within });
    },
    async close() {
      await browser.close();
      await stop(server);
    },
  };
}

const listens = (host, port) =>
  new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => resolve(true) || socket.destroy());
    socket.once('error', () => resolve(false));
  });
