// Ours: the real window and the real server on host A, the customer's browser on host B.
import { writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { openDesk } from '../../tests/lib/desk.mjs';
import { temporaryFolder } from '../../tests/lib/paths.mjs';
import { startServer } from '../../tests/lib/server.mjs';
import { ChromiumCustomer as Customer } from '../../tests/lib/chromium.mjs';
import { until } from '../../tests/lib/wait.mjs';
import { connectionStats, keepConnections, openChromium, trust, windowSize } from './chromium.mjs';
import { hostA } from './network.mjs';

const name = 'Ana Duarte';

export async function startSightline({ network, footage, display, sound, deskEnv = {} }) {
  // The one chat outlives its page, however long a row is.
  const config = join(temporaryFolder('bench-deployment'), 'sightline.toml');
  writeFileSync(config, '[web_chat]\ncustomer_gone_after_s = 0\n');
  const server = await startServer({ env: { SIGHTLINE_BIND: `${hostA}:0`, SIGHTLINE_CONFIG: config } });
  trust(server.port);
  const desk = await openDesk({ display, sound, server, env: { SIGHTLINE_MEDIA_DIR: dirname(footage), ...deskEnv } });
  await desk.session.setWindowRect({ x: 0, y: 0, ...windowSize });
  await desk.signIn(server.agent);
  if (await desk.has('button', 'Got it')) await desk.click('button', 'Got it');
  await desk.chooseDevices({ camera: `File: ${basename(footage)}`, microphone: 'Test tone' });
  let { access_token: token } = await server.signIn();

  // One conversation carries every call of a row, as one chat carries several calls for a person.
  const chat = await openChromium({ prefix: network.inB });
  const writer = new Customer({ context: await chat.newContext(), faults: [] });
  writer.page = await writer.context.newPage();
  await writer.startChat(`${server.url}/chat`, { name, text: 'My coffee machine blinks red.' });
  await desk.accept(name);
  await chat.close();
  const conversation = await desk.conversation();

  const inviteUrl = async () => {
    const ask = () => server.request('GET', `/v1/conversations/${conversation}`, { token });
    let answer = await ask();
    // A token lives for a quarter of an hour, a row for longer.
    if (answer.status === 401) {
      ({ access_token: token } = await server.signIn());
      answer = await ask();
    }
    return answer.body.escalation.url;
  };

  return {
    server,
    desk,

    /** The agent's camera off or on, in a call. */
    camera: (_call, on) => desk.click('button', on ? 'Turn camera on' : 'Turn camera off'),

    /** One click on the agent's side and the link that comes of it. */
    async invite() {
      await desk.click('button', 'Start video', { within: 15_000 });
      await desk.reaches('waiting');
      return inviteUrl().catch(async (error) => {
        await this.cancel();
        throw error;
      });
    },

    /** Ends a call, or takes the invite back; then the desk can call again. */
    async cancel() {
      for (const name of ['Hang up', 'Cancel video']) {
        if (await desk.has('button', name)) await desk.click('button', name);
      }
      await until('the desk can call again', () => desk.has('button', 'Start video'), { within: 15_000, every: 100 });
    },

    /**
     * A call from the link to both pictures, or a failure. With `warm` the tap waits until the page's transport is
     * ready, as a person does who reads the invite first; `warm` in the result says whether it was. With `preview`
     * she looks at herself before the tap. `unprepared`: the page may not connect before the tap.
     */
    async call({ warm = false, preview = false, unprepared = false, within = 15_000, init } = {}) {
      const url = await this.invite();
      const browser = await openChromium({ prefix: network.inB, footage });
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' });
      await context.addInitScript(keepConnections);
      if (init) await context.addInitScript(...init);
      const page = await context.newPage();
      if (unprepared) await page.route('**/v1/invites/*/warm', (route) => route.abort());
      const customer = new Customer({ context, page, faults: [] });
      const end = async () => {
        await this.cancel();
        await browser.close();
      };
      try {
        await customer.open(url);
        await customer.appears('Join with video');
        const ready = warm && (await connected(page));
        if (preview) await customer.preview();
        await customer.click('Join with video');
        const [drawn, diary] = await until('desk and page show the other side', async () => {
          const diary = await customer.diary();
          if (!diary.first_frame_at) return null;
          const drawn = await desk.drawn();
          return drawn.firstFrameAt >= diary.accept_at && [drawn, diary];
        }, { within, every: 250 });
        return {
          agent_ms: drawn.firstFrameAt - diary.accept_at,
          customer_ms: diary.first_frame_at - diary.accept_at,
          warm: ready,
          tapped_at: diary.accept_at,
          customer,
          stats: () => page.evaluate(connectionStats),
          sound: async () => ({ agent: await desk.sound(), customer: (await page.evaluate(connectionStats)).audio_in }),
          end,
        };
      } catch (error) {
        await end().catch(() => {});
        throw error;
      }
    },

    async close() {
      await desk.close();
      await server.close();
    },
  };
}

/** Whether the page's transport gets ready before the tap. */
async function connected(page) {
  const state = () => window.__connections.some(({ connectionState }) => connectionState === 'connected');
  return page.waitForFunction(state, null, { polling: 50, timeout: 3000 }).then(() => true, () => false);
}
