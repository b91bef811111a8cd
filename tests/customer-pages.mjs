// Draws the customer's pages, light and dark, on a phone and a desktop, into target/customer-pages/.
// `node tests/customer-pages.mjs [--language=de] [--accent=#0b6e63] [scenario ...]`, after `scripts/ui`.
// Fails when a page breaks its content security policy, throws, is wider than its window, or breaks a rule of WCAG 2.2 AA
// that axe can see.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { launchChromium } from './lib/chromium.mjs';
import { output, repository } from './lib/paths.mjs';
import { activity, inviteActivity, pretendChat, pretendLink, problem, servePages } from './lib/pretend-server.mjs';

const SIZES = { desktop: [1280, 800], phone: [360, 720] };
const option = (name, otherwise) => process.argv.find((word) => word.startsWith(`--${name}=`))?.split('=')[1] ?? otherwise;
const language = option('language', 'de');
const accent = option('accent', '');

const talk = [
  activity(1, 'me', 'Guten Tag, meine Kaffeemaschine blinkt rot.'),
  activity(2, 'Maria Lopez', 'Guten Tag! Welche der drei Lampen blinkt denn? https://example.com/anleitung'),
  activity(3, 'me', 'Die kleine links. Ich habe schon versucht, den Wasserbehälter herauszunehmen und wieder einzusetzen.'),
  activity(4, 'Maria Lopez', '', { channelData: { sightline: { type: 'event', line: { kind: 'video_asked' } } }, text: 'Video call asked for' }),
];
const files = activity(5, 'me', 'So sieht es aus:', {
  attachments: [
    { contentType: 'image/png', contentUrl: 'http://x/v3/directline/conversations/c/files/1', name: 'kaffeemaschine.png' },
    { contentType: 'application/pdf', contentUrl: 'http://x/v3/directline/conversations/c/files/2', name: 'Rechnung-2026-Kundendienst.pdf' },
  ],
  channelData: { attachmentSizes: [184_320, 1_468_006] },
});
const button = (title, type = 'imBack', value = title) => ({ type, title, value });
const offer = activity(6, 'Assistent', 'Womit kann ich Ihnen helfen?', {
  attachments: [
    {
      contentType: 'application/vnd.microsoft.card.hero',
      content: {
        title: 'Kundendienst', subtitle: 'Montag bis Freitag', text: 'Wir reparieren alle Geräte der letzten zehn Jahre.',
        buttons: [button('Termin vereinbaren'), button('Ersatzteile bestellen', 'postBack'), button('Bedienungsanleitung öffnen', 'openUrl', 'https://example.com/anleitung')],
      },
    },
    // As the server gives a card of another kind.
    { contentType: 'application/vnd.microsoft.card.hero', content: { notShown: 'adaptive', buttons: [] } },
  ],
  suggestedActions: { actions: [button('Ja, gern'), button('Nein, danke'), button('Mit einem Menschen sprechen')] },
});

const refused = (page) =>
  page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
  });
const press = (selector) => (page) => page.locator(selector).first().click();
const joinWithVideo = press('.join-actions .primary');
const chat = (options) => ({ path: '/chat', prepare: (page) => pretendChat(page, options) });
const link = (options, act, sees) => ({ path: '/j/abc', prepare: (page) => pretendLink(page, options), act, sees });
const ended = async (page) => {
  await joinWithVideo(page);
  await page.locator('.survey').waitFor();
};

/** What each needs, what is done there, and what is looked for before the picture. */
const SCENARIOS = {
  'chat-empty': { ...chat(), sees: '#welcome-title' },
  'chat-embedded': { ...chat(), path: '/chat?embed=1', sees: '#welcome-title' },
  // On a site that knows nothing of dark colours, nor of the customer's language.
  widget: { ...chat(), path: '/shop', act: (page) => page.locator('.launcher').click(), sees: '.panel', within: '#welcome-title' },
  'chat-messages': { ...chat({ history: talk }), sees: '.event' },
  'chat-files': { ...chat({ history: [...talk, files] }), sees: '.file.picture' },
  'chat-bot': { ...chat({ history: [talk[0], offer] }), sees: '.row.theirs' },
  'chat-invite': { ...chat({ history: [...talk, inviteActivity(6, 'Maria Lopez')] }), sees: '.invite' },
  'chat-refused': {
    ...chat({ history: talk, refuse: problem('message_too_long') }),
    act: async (page) => {
      await page.locator('#message').fill('Ein langer Text');
      await page.locator('#send').click();
    },
    sees: '.delivery.refused',
  },
  preview: link({}, undefined, '.join-actions'),
  'preview-on': link({}, press('.preview-off .button'), '.preview-box.on'),
  'preview-phone-call': link({ sound: 'phone' }, undefined, '.join-actions'),
  'preview-refused': { ...link({}, press('.preview-off .button'), '.inline-problem'), before: refused },
  waiting: link({}, joinWithVideo, '.stage-card'),
  live: link({ reach: 'live' }, joinWithVideo, '[data-call-state=live] .call-time'),
  'live-devices': link({ reach: 'live' }, async (page) => {
    await joinWithVideo(page);
    await page.locator('[data-call-state=live]').waitFor();
    await page.locator('[aria-controls=call-settings]').click();
  }, '.settings select'),
  survey: link({ reach: 'ended' }, ended, '.thumbs'),
  'survey-down': link({ reach: 'ended' }, async (page) => {
    await ended(page);
    await page.locator('.thumb.down').click();
    await page.locator('.chip').first().click();
  }, '.chip'),
  thanks: link({ reach: 'ended' }, async (page) => {
    await ended(page);
    await page.locator('.thumb.up').click();
    await page.locator('.survey .primary').click();
  }, '.notice-mark.good'),
  unknown: link({ state: 'unknown' }, undefined, '.notice-mark'),
  expired: link({ state: 'expired' }, undefined, '.notice-mark'),
  'other-browser': {
    ...link({}, undefined, '.copy-link'),
    before: (page) => page.addInitScript(() => delete window.RTCPeerConnection),
  },
};

const axe = readFileSync(createRequire(join(repository, 'ui', 'desk', 'package.json')).resolve('axe-core/axe.min.js'), 'utf8');
const asked = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const names = Object.keys(SCENARIOS).filter((name) => asked.length === 0 || asked.some((word) => name.startsWith(word)));
const folder = output('customer-pages');
mkdirSync(folder, { recursive: true });
const server = await servePages({ accent });
const browser = await launchChromium();
const faults = [];
try {
  for (const colorScheme of ['light', 'dark']) {
    for (const [size, [width, height]] of Object.entries(SIZES)) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme, locale: language, reducedMotion: 'reduce' });
      for (const name of names) await draw(context, name, `${name}-${colorScheme}-${size}`);
      await context.close();
    }
  }
} finally {
  await browser.close();
  server.close();
}
if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exit(1);
}
console.log(`${names.length} scenarios drawn in ${folder}`);

async function draw(context, name, picture) {
  const { path, prepare, before, act, sees, within } = SCENARIOS[name];
  const page = await context.newPage();
  page.on('console', (line) => {
    // An answer of 404 is what some scenarios are about.
    if (line.type() === 'error' && !/status of 4\d\d/.test(line.text())) faults.push(`${picture}: ${line.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`${picture}: ${error.message}`));
  await before?.(page);
  await prepare(page);
  await page.goto((path === '/shop' ? server.shop : server.url) + path);
  await act?.(page);
  await page.locator(sees).first().waitFor();
  if (within) await page.frameLocator('iframe').locator(within).waitFor();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) faults.push(`${picture}: ${wide} px wider than the window`);
  // Not the page's own script: what the policy allows is looked at before.
  const session = await context.newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe });
  const { violations } = await page.evaluate(() => globalThis.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }));
  for (const { id, nodes } of violations) {
    for (const node of nodes) faults.push(`${picture}: ${id} ${node.target} ${node.any[0]?.message ?? ''}`);
  }
  await page.screenshot({ path: join(folder, `${picture}.png`) });
  await page.close();
}
