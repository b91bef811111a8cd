// Microsoft's bot library writes a hand-off that our connector reads, and reads what became of it.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import {
  ActivityTypes,
  CloudAdapter,
  ConfigurationBotFrameworkAuthentication,
  EventFactory,
  HandoffEventNames,
  TestAdapter,
  TurnContext,
} from 'botbuilder';
import { bots } from './connectors.mjs';

let ours;
before(() => (ours = bots()));
after(() => ours.close());

/** The customer's message during which the bot gives up. */
const incoming = {
  type: ActivityTypes.Message,
  id: '7Kd2|0000004',
  text: 'Can I return my item',
  channelId: 'directline',
  serviceUrl: 'https://directline.example/',
  from: { id: 'ada-1', name: 'Ada' },
  recipient: { id: 'bot-1', name: 'Returns bot' },
  conversation: { id: '7Kd2' },
};

const context = {
  va_Scope: 'bot',
  va_LastTopic: 'Return items',
  va_Topics: ['Greetings', 'Return items'],
  va_LastPhrase: 'Can I return my item',
  va_Phrases: ['Hi', 'Can I return my item'],
  va_AgentMessage: 'Got a gift',
  StoreLocation: 'Bellevue',
  Items: 2,
  Loyal: true,
};

const transcript = {
  activities: [
    { type: 'message', id: '1', timestamp: new Date(1000), from: incoming.recipient, text: 'Hello!' },
    { type: 'message', id: '2', timestamp: new Date(2000), from: incoming.from, text: 'Hi' },
    { type: 'event', id: '3', from: incoming.from, name: 'seen' },
    { type: 'message', id: '4', timestamp: new Date(4000), from: incoming.from, text: 'Can I return my item' },
  ],
};

test('a hand-off of EventFactory is read with all variables and the whole transcript', async () => {
  const turn = new TurnContext(new TestAdapter(async () => {}), incoming);
  const handoff = EventFactory.createHandoffInitiation(turn, context, transcript);
  // A turn's answer goes out in the bot's name.
  handoff.from = incoming.recipient;
  const [event, ...others] = await ours.ask({ do: 'take', thread: '7Kd2', set: { activities: [handoff] } });
  assert.deepEqual(others, []);
  assert.equal(event.handoff, handoff.id);
  assert.deepEqual(event.context, {
    ...context,
    va_Topics: 'Greetings, Return items',
    va_Phrases: 'Hi, Can I return my item',
    va_LastPhrases: 'Can I return my item',
  });
  assert.deepEqual(event.transcript, [
    { from: { name: 'Returns bot' }, text: 'Hello!', at: 1000 },
    { from: { customer: 'ada-1', name: 'Ada' }, text: 'Hi', at: 2000 },
    { from: { customer: 'ada-1', name: 'Ada' }, text: 'Can I return my item', at: 4000 },
  ]);
});

test('a hand-off without a transcript is one without lines', async () => {
  const turn = new TurnContext(new TestAdapter(async () => {}), incoming);
  const handoff = EventFactory.createHandoffInitiation(turn, undefined);
  const [event] = await ours.ask({ do: 'take', thread: '7Kd2', set: { activities: [handoff] } });
  assert.deepEqual([event.context, event.transcript], [{}, []]);
});

test('a bot reads what became of its hand-off', async (t) => {
  const heard = [];
  const adapter = new CloudAdapter(new ConfigurationBotFrameworkAuthentication({}));
  adapter.onTurnError = async (_, error) => heard.push(error);
  const logic = async (turn) => heard.push(turn.activity);
  const server = createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    req.body = JSON.parse(Buffer.concat(chunks));
    // The library expects the answer of a web framework.
    res.status = (code) => res.writeHead(code);
    res.send = (text) => res.end(text && JSON.stringify(text));
    res.header = (name, value) => res.setHeader(name, value);
    await adapter.process(req, res, logic);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());

  for (const [state, message] of [['accepted'], ['failed', 'nobody is here'], ['completed']]) {
    const call = await ours.ask({ do: 'handoff_status', state, message });
    assert.deepEqual([call.method, new URL(call.url).pathname], ['POST', '/v3/directline/conversations/7Kd2/activities']);
    // What Direct Line adds on the way.
    const delivered = { ...incoming, text: undefined, ...JSON.parse(call.body), serviceUrl: `http://127.0.0.1:1/` };
    const answer = await fetch(`http://127.0.0.1:${server.address().port}/api/messages`, {
      method: 'POST',
      body: JSON.stringify(delivered),
    });
    assert.equal(answer.status, 200);
    const activity = heard.pop();
    assert.equal(activity.type, ActivityTypes.Event);
    assert.equal(activity.name, HandoffEventNames.HandoffStatus);
    const theirs = EventFactory.createHandoffStatus(incoming.conversation, state, message);
    assert.deepEqual(activity.value, JSON.parse(JSON.stringify(theirs.value)));
  }
});
