// Chromium on either host, headless or in a real window: always a fresh process with a fresh profile.
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchChromium } from '../../tests/lib/chromium.mjs';
import { hostA } from './network.mjs';

/** As large as the desk's window in the benchmark. */
export const windowSize = { width: 1366, height: 850 };

/**
 * `prefix` runs it on another host (`network.inB`), `footage` is what its camera shows, `origins` may use devices
 * without TLS. With `display` it has a real window there, `sound` gives it a sound device.
 */
export async function openChromium({ prefix = [], footage, display, sound, args = [] } = {}) {
  return launchChromium({
    executablePath: prefix.length ? wrapper(prefix) : '/usr/bin/chromium',
    headless: !display,
    env: { ...process.env, ...display?.env, ...sound?.env },
    args: [
      ...(footage ? [`--use-file-for-fake-video-capture=${footage}`] : []),
      ...(display ? ['--window-position=0,0', `--window-size=${windowSize.width},${windowSize.height}`] : []),
      `--unsafely-treat-insecure-origin-as-secure=${insecureOrigins.join(',')}`,
      ...args,
    ],
  });
}

const insecureOrigins = [];

/** Lets pages of a port on host A use camera and microphone, in every Chromium opened from now on. */
export function trust(port) {
  insecureOrigins.push(`http://${hostA}:${port}`);
}

/** Playwright wants one program to start, so the way into a namespace is a program. */
function wrapper(prefix) {
  const path = join(tmpdir(), 'chromium-on-b');
  if (!existsSync(path)) {
    writeFileSync(path, `#!/bin/sh\nexec ${prefix.join(' ')} /usr/bin/chromium "$@"\n`);
    chmodSync(path, 0o755);
  }
  return path;
}

/** Keeps every peer connection of a page where the benchmark finds it. Runs before the page's own code. */
export function keepConnections() {
  const connections = (window.__connections = []);
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      connections.push(this);
    }
  };
}

/** Runs in a page: what its newest connection sends and receives, in absolute counts. */
export async function connectionStats() {
  const connection = window.__connections?.findLast(({ connectionState }) => connectionState === 'connected');
  if (!connection) return null;
  const all = [...(await connection.getStats()).values()];
  const of = (type, kind) =>
    all.filter((entry) => entry.type === type && entry.kind === kind).sort((a, b) => (b.bytesSent ?? b.bytesReceived ?? 0) - (a.bytesSent ?? a.bytesReceived ?? 0))[0] ?? {};
  const [videoIn, videoOut, audioIn] = [of('inbound-rtp', 'video'), of('outbound-rtp', 'video'), of('inbound-rtp', 'audio')];
  const pair = all.find((entry) => entry.type === 'candidate-pair' && entry.nominated && entry.state === 'succeeded') ?? {};
  return {
    at: performance.timeOrigin + performance.now(),
    in: {
      width: videoIn.frameWidth, height: videoIn.frameHeight, frames: videoIn.framesDecoded, bytes: videoIn.bytesReceived,
      dropped: videoIn.framesDropped, freezes: videoIn.freezeCount, freeze_s: videoIn.totalFreezesDuration,
    },
    out: {
      width: videoOut.frameWidth, height: videoOut.frameHeight, frames: videoOut.framesEncoded, bytes: videoOut.bytesSent,
      limited_by: videoOut.qualityLimitationReason,
    },
    audio_in: {
      samples: audioIn.totalSamplesReceived, concealed: audioIn.concealedSamples,
      silent_concealed: audioIn.silentConcealedSamples, lost: audioIn.packetsLost, packets: audioIn.packetsReceived,
    },
    rtt_ms: pair.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1000,
  };
}
