// A sound server of our own, without a sound card: a speaker that can be listened to, a microphone that can be fed.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { start, stop } from './process.mjs';
import { temporaryFolder } from './paths.mjs';
import { until } from './wait.mjs';
import { rate, share, sine } from './tone.mjs';

/** What can be unplugged, as a module of the sound server with its arguments. */
const devices = {
  speaker: `module-null-sink sink_name=spk rate=${rate} sink_properties=device.description=Speaker`,
  microphone: 'module-virtual-source source_name=mic master=micfeed.monitor source_properties=device.description=Microphone',
};

export async function startSound() {
  const folder = temporaryFolder('sound');
  const home = join(folder, 'home');
  mkdirSync(home, { mode: 0o700 });
  const socket = join(folder, 'native');
  const script = join(folder, 'pulse.pa');
  writeFileSync(
    script,
    [
      `load-module module-native-protocol-unix auth-anonymous=1 socket=${socket}`,
      `load-module ${devices.speaker}`,
      `load-module module-null-sink sink_name=micfeed rate=${rate}`,
      `load-module ${devices.microphone}`,
      // A customer whose browser needs a sound device plays where the agent's speaker is not.
      `load-module module-null-sink sink_name=customer rate=${rate} sink_properties=device.description=Customer`,
      'set-default-sink spk',
      'set-default-source mic',
      '',
    ].join('\n'),
  );
  const env = { PULSE_SERVER: `unix:${socket}`, PULSE_RUNTIME_PATH: folder };
  const child = start('pulseaudio', ['-n', '-F', script, '--exit-idle-time=-1', '--daemonize=no', '--use-pid-file=no'], {
    env: { ...env, HOME: home, XDG_RUNTIME_DIR: folder },
    log: join(folder, 'pulse.log'),
  });
  await until('the sound server listens', () => existsSync(socket));
  const format = ['--raw', '--format=s16le', `--rate=${rate}`, '--channels=1'];
  const feeds = new Set();
  const control = async (...words) => (await promisify(execFile)('pactl', words, { env: { ...process.env, ...env } })).stdout;

  return {
    env,
    customerEnv: { ...env, PULSE_SINK: 'customer' },

    /** Speaks a tone into the microphone until the returned function is called; in bursts, for one that lasts is noise. */
    speak(frequency) {
      const feed = start('pacat', ['--playback', '--device=micfeed', '--latency-msec=40', ...format], {
        env,
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      const burst = Buffer.concat([sine(frequency, 0.25), Buffer.alloc(0.35 * rate * 2)]);
      // Not by its "drain", which does not come after a write that went through at once.
      const write = () => feed.stdin.write(burst, (error) => error ?? write());
      feed.stdin.on('error', () => {});
      write();
      feeds.add(feed);
      return () => stop(feed);
    },

    /** Takes a device away, as when its plug is pulled. */
    async unplug(name) {
      const modules = await control('list', 'short', 'modules');
      const loaded = modules.split('\n').map((line) => line.split('\t'));
      const found = loaded.find(([, module, given]) => devices[name] === `${module} ${given}`);
      await control('unload-module', found[0]);
    },

    /** Plugs it in again. */
    async plug(name) {
      await control('load-module', ...devices[name].split(' '));
      await control(...(name === 'speaker' ? ['set-default-sink', 'spk'] : ['set-default-source', 'mic']));
    },

    /** The system's own switch, which no program's is stronger than. */
    async mute(name, muted) {
      await control(...(name === 'speaker' ? ['set-sink-mute', 'spk'] : ['set-source-mute', 'mic']), muted ? '1' : '0');
    },

    /** What the speaker plays for a while, and when its first sample was played (Unix ms). */
    async record(seconds) {
      const latency = 20;
      const ear = start('parec', ['--device=spk.monitor', `--latency-msec=${latency}`, ...format], {
        env,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const wanted = seconds * rate * 2;
      const chunks = [];
      let length = 0;
      // Chunks come late, never early: the earliest says when it began.
      let began = Infinity;
      for await (const chunk of ear.stdout) {
        chunks.push(chunk);
        length += chunk.length;
        began = Math.min(began, Date.now() - (length / 2 / rate) * 1000);
        if (length >= wanted) break;
      }
      await stop(ear);
      const bytes = Buffer.concat(chunks);
      return { samples: new Int16Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 2)), began };
    },

    /** What the speaker plays for a while. */
    async listen(seconds) {
      return (await this.record(seconds)).samples;
    },

    /** Whether the speaker plays mostly this tone, within a deadline. */
    async hears(frequency, { within = 8000, atLeast = 0.3 } = {}) {
      let best = 0;
      for (const deadline = Date.now() + within; Date.now() < deadline; ) {
        best = Math.max(best, share(await this.listen(0.6), frequency));
        if (best >= atLeast) return true;
      }
      return false;
    },

    /** The speaker stops playing this tone, within a deadline. */
    async quiet(frequency, { within = 8000, atMost = 0.05 } = {}) {
      let least = 1;
      for (const deadline = Date.now() + within; Date.now() < deadline; ) {
        least = Math.min(least, share(await this.listen(0.6), frequency));
        if (least <= atMost) return;
      }
      throw new Error(`the speaker still plays ${frequency} Hz: ${least.toFixed(2)} of what is heard`);
    },

    async close() {
      for (const feed of feeds) await stop(feed);
      await stop(child);
    },
  };
}
