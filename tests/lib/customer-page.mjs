// What runs in the customer's page before the product does: a camera and a microphone of our own, and the means to
// look at and listen to what arrives. The product's code is not touched.

/**
 * Replaces the devices. `devices` is "both", "none", "microphone", "denied", or "browser" for the browser's own; with
 * `clicks` the microphone is silent but for a short beep at every full second of Unix time. The barcode begins at
 * `barcodeTop`, a share of the height. The page's first `blocked` peer connections find no way to anybody
 * (`window.__blocked` are left); without `pictures` none that the page sends gets out, until `window.__pictures` is true.
 */
export function installDevices({ devices, tone, clicks = false, width, height, barcode, barcodeTop = 0, blocked = 0, pictures = true }) {
  // Every peer connection of the page, so that what arrives can be heard whatever element plays it.
  const connections = (window.__connections = []);
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(config) {
      const block = window.__blocked > 0;
      if (block) window.__blocked -= 1;
      // Relays only, and no relay: it gathers nothing, sends nothing and hears nothing.
      super(block ? { ...config, iceServers: [], iceTransportPolicy: 'relay' } : config);
      connections.push(this);
    }
  };
  window.__blocked = blocked;
  window.__pictures = pictures;
  const replaceTrack = RTCRtpSender.prototype.replaceTrack;
  RTCRtpSender.prototype.replaceTrack = function (track) {
    return track?.kind === 'video' && !window.__pictures ? Promise.resolve() : replaceTrack.call(this, track);
  };
  if (devices === 'browser') return;

  const columns = 24;

  /** A moving picture with the time barcode; see barcode.mjs. */
  function camera() {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const draw = canvas.getContext('2d', { alpha: false });
    const cell = { width: width / columns, height: height / 16 };
    const portrait = draw.createLinearGradient(0, 0, width, height);
    portrait.addColorStop(0, '#1f6f8b');
    portrait.addColorStop(1, '#f2a65a');
    let step = 0;
    const paint = () => {
      step += 1;
      draw.fillStyle = portrait;
      draw.fillRect(0, 0, width, height);
      // A head and shoulders that sway, so that every frame differs and a screenshot looks like a call.
      const sway = Math.sin(step / 20) * width * 0.03;
      const disc = (colour, x, y, rx, ry, from = 0, to = 2 * Math.PI) => {
        draw.fillStyle = colour;
        draw.beginPath();
        draw.ellipse(width * x + sway, height * y, width * rx, height * ry, 0, from, to);
        draw.fill();
      };
      disc('#7a2e4d', 0.5, 1.06, 0.44, 0.3); // shoulders
      disc('#3b2a24', 0.5, 0.5, 0.215, 0.22); // hair
      disc('#e8c4a0', 0.5, 0.54, 0.165, 0.165); // face
      disc('#3b2a24', 0.5, 0.42, 0.185, 0.075); // fringe
      disc('#3b2a24', 0.435, 0.53, 0.016, 0.014); // eyes
      disc('#3b2a24', 0.565, 0.53, 0.016, 0.014);
      disc('#b5544d', 0.5, 0.605, 0.06, 0.035, 0, Math.PI); // smile
      if (!barcode) return;
      const time = Date.now() % 2 ** 32;
      const bytes = [24, 16, 8, 0].map((shift) => Math.floor(time / 2 ** shift) & 0xff);
      const check = bytes.reduce((sum, byte) => sum ^ byte, 0x5a);
      const bits = `1010${[...bytes, check].map((byte) => byte.toString(2).padStart(8, '0')).join('')}0101`;
      for (let n = 0; n < 48; n++) {
        draw.fillStyle = bits[n] === '1' ? '#fff' : '#000';
        draw.fillRect((n % columns) * cell.width, barcodeTop * height + Math.floor(n / columns) * cell.height, cell.width + 1, cell.height + 1);
      }
    };
    paint();
    const timer = setInterval(paint, 1000 / 30);
    const [track] = canvas.captureStream(30).getVideoTracks();
    whenStopped(track, () => clearInterval(timer));
    return track;
  }

  function microphone() {
    const audio = new AudioContext();
    const source = new OscillatorNode(audio, { frequency: tone });
    const level = new GainNode(audio, { gain: 0.3 });
    const out = audio.createMediaStreamDestination();
    source.connect(level).connect(out);
    source.start();
    const ticking = clicks ? setInterval(tick, 250) : undefined;
    let planned = 0;
    if (clicks) level.gain.value = 0;
    /** Plans the next beep; the clock of the sound is read anew each time, so that it does not drift away. */
    function tick() {
      const now = Date.now();
      const next = (Math.floor(now / 1000) + 1) * 1000;
      if (next === planned) return;
      planned = next;
      const at = audio.currentTime + (next - now) / 1000;
      level.gain.setValueAtTime(0.6, at);
      level.gain.setValueAtTime(0, at + 0.04);
    }
    const [track] = out.stream.getAudioTracks();
    whenStopped(track, () => {
      clearInterval(ticking);
      void audio.close();
    });
    return track;
  }

  /** Page code stops its tracks itself, which fires no event. */
  function whenStopped(track, then) {
    const original = track.stop.bind(track);
    track.stop = () => {
      original();
      then();
    };
  }

  const list = [];
  const add = (kind, label) =>
    list.push({ kind, label, deviceId: `test-${kind}`, groupId: 'test', toJSON: () => ({ kind, label }) });
  if (devices === 'both' || devices === 'denied') add('videoinput', 'Test camera');
  if (devices !== 'none') add('audioinput', 'Test microphone');
  add('audiooutput', 'Test speaker');

  const media = navigator.mediaDevices;
  media.enumerateDevices = async () => list;
  window.__asked = 0;
  media.getUserMedia = async ({ video, audio } = {}) => {
    window.__asked += 1;
    if (devices === 'denied') throw new DOMException('Permission denied', 'NotAllowedError');
    const missing = (video && !list.some(({ kind }) => kind === 'videoinput')) || (audio && devices === 'none');
    if (missing) throw new DOMException('Requested device not found', 'NotFoundError');
    const stream = new MediaStream();
    if (video) stream.addTrack(camera());
    if (audio) stream.addTrack(microphone());
    return stream;
  };
}

/** Runs in the page of either side: notes in `window.__said` which of these words appear, in their order. */
export function followWords(words) {
  const said = (window.__said = []);
  const look = () => {
    const shown = document.body.innerText;
    said.push(...words.filter((each) => shown.includes(each) && !said.includes(each)));
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  look();
}

/** Runs in the page: samples the barcode of the picture in video#remote for a while; the age of each new frame. */
export async function watchRemote({ lasting }) {
  const video = document.querySelector('video#remote');
  if (!video) return { ages: [], frames: 0, size: null };
  const canvas = document.createElement('canvas');
  const draw = canvas.getContext('2d', { willReadFrequently: true });
  const columns = 24;
  const ages = [];
  let frames = 0;
  let last = null;
  const read = () => {
    frames += 1;
    const { videoWidth: width, videoHeight: height } = video;
    if (!width) return;
    // Only the top eighth, at eight pixels a cell.
    Object.assign(canvas, { width: columns * 8, height: 16 });
    draw.drawImage(video, 0, 0, width, height / 8, 0, 0, canvas.width, canvas.height);
    const now = Date.now();
    const { data } = draw.getImageData(0, 0, canvas.width, canvas.height);
    const levels = Array.from({ length: 48 }, (_, n) => {
      const x = (n % columns) * 8 + 4;
      const y = Math.floor(n / columns) * 8 + 4;
      return data[(y * canvas.width + x) * 4 + 1];
    });
    const middle = (Math.min(...levels) + Math.max(...levels)) / 2;
    const bits = levels.map((level) => (level > middle ? '1' : '0')).join('');
    const bytes = [0, 1, 2, 3, 4].map((n) => parseInt(bits.slice(4 + 8 * n, 12 + 8 * n), 2));
    const sum = bytes.slice(0, 4).reduce((sum, byte) => sum ^ byte, 0x5a);
    if (!bits.startsWith('1010') || !bits.endsWith('0101') || sum !== bytes[4]) return;
    const time = bytes.slice(0, 4).reduce((value, byte) => value * 256 + byte, 0);
    if (time === last) return;
    last = time;
    const difference = (((now % 2 ** 32) - time) % 2 ** 32 + 2 ** 32) % 2 ** 32;
    ages.push(difference > 2 ** 31 ? difference - 2 ** 32 : difference);
  };
  let watching = true;
  const next = () => {
    if (!watching) return;
    read();
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
  await new Promise((resolve) => setTimeout(resolve, lasting));
  watching = false;
  return { ages, frames, size: { width: video.videoWidth, height: video.videoHeight } };
}

/** Runs in the page: the colour in the middle of video#remote; null without a picture. */
export function remoteColour() {
  const video = document.querySelector('video#remote');
  if (!video?.videoWidth) return null;
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
  const draw = canvas.getContext('2d');
  draw.drawImage(video, video.videoWidth / 2, video.videoHeight / 2, 1, 1, 0, 0, 1, 1);
  return [...draw.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

/** Runs in the page: notes when each new frame of video#remote comes, until `countedFrames` asks. */
export function countFrames() {
  const video = document.querySelector('video#remote');
  const times = (window.__counted = [performance.now()]);
  const next = () => {
    if (window.__counted !== times) return;
    times.push(performance.now());
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
}

/** Runs in the page: how many frames came since, and the longest time in ms without one. */
export function countedFrames() {
  const times = [...window.__counted, performance.now()];
  window.__counted = null;
  return { frames: times.length - 2, longestGap: Math.max(...times.slice(1).map((time, n) => time - times[n])) };
}

/** Runs in the page: the share of the energy near a tone in what arrives, at best over a while. */
export async function hearRemote({ tone, lasting, atLeast }) {
  const tracks = (window.__connections ?? [])
    .filter((connection) => connection.connectionState !== 'closed')
    .flatMap((connection) => connection.getReceivers())
    .map((receiver) => receiver.track)
    .filter((track) => track?.kind === 'audio' && track.readyState === 'live');
  if (tracks.length === 0) return 0;
  const audio = new AudioContext();
  const analyser = new AnalyserNode(audio, { fftSize: 8192, smoothingTimeConstant: 0 });
  audio.createMediaStreamSource(new MediaStream(tracks)).connect(analyser);
  const spectrum = new Float32Array(analyser.frequencyBinCount);
  const bin = audio.sampleRate / analyser.fftSize;
  let best = 0;
  for (const end = performance.now() + lasting; performance.now() < end && best < atLeast; ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    analyser.getFloatFrequencyData(spectrum);
    let [near, all] = [0, 0];
    spectrum.forEach((decibel, index) => {
      const power = 10 ** (decibel / 10);
      if (!Number.isFinite(power)) return;
      all += power;
      if (Math.abs(index * bin - tone) < 30) near += power;
    });
    if (all > 1e-9) best = Math.max(best, near / all);
  }
  await audio.close();
  return best;
}
