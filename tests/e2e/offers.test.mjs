// What a bot offers in the web chat, in a real browser: read, chosen by keyboard, and sent as the Bot Framework has it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchChromium } from '../lib/chromium.mjs';
import { activity, pretendChat, servePages } from '../lib/pretend-server.mjs';
import { until } from '../lib/wait.mjs';

const HERO = 'application/vnd.microsoft.card.hero';
let server, browser;
before(async () => {
  server = await servePages();
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  server?.close();
});

const offer = (number) =>
  activity(number, 'Helper', 'How can I help?', {
    attachments: [
      {
        contentType: HERO,
        content: {
          title: 'Repairs',
          buttons: [
            { type: 'postBack', title: 'Order parts', value: { topic: 'parts' } },
            { type: 'messageBack', title: 'Small', text: 'size:s', displayText: 'The small one' },
            { type: 'openUrl', title: 'Manual', value: 'https://example.com/manual' },
            { type: 'openUrl', title: 'Trap', value: 'javascript:alert(1)' },
          ],
        },
      },
    ],
    suggestedActions: { actions: [{ type: 'imBack', title: 'Yes', value: 'Yes, please' }, { type: 'imBack', title: 'No', value: 'No' }] },
  });

async function chatWith(history) {
  const context = await browser.newContext({ locale: 'en-GB' });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (line) => line.type() === 'error' && faults.push(line.text()));
  const chat = await pretendChat(page, { history });
  await page.goto(`${server.url}/chat`);
  await page.getByText('Connected').waitFor();
  const named = (name, role = 'button') => page.getByRole(role, { name, exact: true });
  const sends = async (count) => {
    await until(`${count} activities are sent`, () => chat.sent.length === count);
    const { channelData, ...said } = chat.sent.at(-1);
    const { clientActivityID, ...data } = channelData;
    assert.match(clientActivityID, /^[0-9a-f-]{36}$/);
    const { from, locale, type, ...rest } = said;
    assert.deepEqual([type, from.role], ['message', 'user']);
    return { ...rest, data, clientActivityID };
  };
  return { page, chat, named, sends, faults, close: () => context.close() };
}

test('suggested answers are chosen by keyboard, said as one’s own words, and gone', async () => {
  const { page, chat, named, sends, faults, close } = await chatWith([offer(1)]);
  const group = page.getByRole('group', { name: 'Suggested answers' });
  assert.equal(await group.getByRole('button').count(), 2);
  await named('Yes').focus();
  await page.keyboard.press('Enter');
  const { text, data, clientActivityID } = await sends(1);
  assert.deepEqual([text, data], ['Yes, please', {}]);
  await page.locator('.row.mine', { hasText: 'Yes, please' }).waitFor();
  await group.waitFor({ state: 'hidden' });
  // What the server gives back takes the place of what was sent.
  chat.say(activity(2, 'me', text, { channelData: { clientActivityID } }), activity(3, 'Helper', 'Good.'));
  await page.getByText('Good.').waitFor();
  assert.equal(await page.locator('.row.mine').count(), 1);
  assert.equal(await group.isVisible(), false);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'message');
  assert.deepEqual(faults, []);
  await close();
});

test('a card’s buttons send what the bot put behind them', async () => {
  const { page, chat, named, sends, faults, close } = await chatWith([offer(1)]);
  await page.getByRole('group', { name: 'Repairs' }).waitFor();
  await named('Order parts').press('Space');
  const { clientActivityID, ...unseen } = await sends(1);
  assert.deepEqual(unseen, { value: { topic: 'parts' }, data: { title: 'Order parts', postBack: true } });
  assert.equal(await page.locator('.row.mine').count(), 0, 'the customer’s own chat does not show it');
  chat.say(activity(2, 'me', undefined, { value: { topic: 'parts' }, channelData: { postBack: true, clientActivityID } }));
  await page.getByRole('group', { name: 'Suggested answers' }).waitFor({ state: 'hidden' });
  await named('Small').click();
  const shown = await sends(2);
  assert.deepEqual([shown.text, shown.data], ['size:s', { title: 'The small one', messageBack: { displayText: 'The small one' } }]);
  await page.locator('.row.mine', { hasText: 'The small one' }).waitFor();
  assert.deepEqual(faults, []);
  await close();
});

test('an address opens in a tab of its own, encrypted, and says nothing to the bot', async () => {
  const { page, chat, named, faults, close } = await chatWith([offer(1)]);
  const manual = named('Manual', 'link');
  assert.deepEqual(
    await manual.evaluate(({ href, target, rel }) => [href, target, rel]),
    ['https://example.com/manual', '_blank', 'noopener noreferrer'],
  );
  assert.equal(await page.getByText('Trap').count(), 0);
  assert.deepEqual([chat.sent, faults], [[], []]);
  await close();
});
