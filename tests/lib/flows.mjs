// The ways through the product that several tests begin with.
import { strict as assert } from 'node:assert';
import { until } from './wait.mjs';

let customers = 0;

/** A customer writes, the agent accepts: an active conversation on both sides. */
export async function chat(world, desk, options = {}) {
  const name = `Customer ${++customers} ${options.name ?? ''}`.trim();
  const text = `My machine blinks (${customers}).`;
  const customer = await world.browser.customer(options);
  customer.name = name;
  await customer.startChat(`${world.server.url}/chat`, { name, text });
  await desk.accept(name);
  await desk.sees(text);
  return customer;
}

/** A chat whose invite has arrived at the customer. */
export async function invited(world, desk, options) {
  const customer = await chat(world, desk, options);
  await desk.click('button', 'Start video');
  await desk.reaches('waiting');
  return customer;
}

/** A call in which both sides are live. */
export async function call(world, desk, { how = 'Join with video', ...options } = {}) {
  const customer = await invited(world, desk, options);
  await customer.openInvite();
  await customer.click(how);
  await Promise.all([desk.reaches('live'), customer.reaches('live')]);
  return customer;
}

/** Ends whatever is left, so that the next test starts with a free agent. */
export async function finish(desk, customer) {
  if ((await desk.phase()) === 'live') await desk.hangUp();
  await desk.wrapUp();
  await customer.close();
}

/** The customer's moving picture is in the agent's window. */
export async function agentSees(world, desk, { frames = 15, lasting = 2500, freshMs = 2000 } = {}) {
  const ages = await world.display.watchBarcode(await desk.picture(), { lasting });
  const fresh = ages.filter((age) => age < freshMs);
  assert.ok(fresh.length >= frames, `the agent's window showed ${fresh.length} fresh frames in ${lasting} ms`);
  return ages;
}

/** A picture of one wandering, strong colour is in the agent's window: what Firefox's own test camera shows. */
export async function agentSeesColours(world, desk, { lasting = 2500 } = {}) {
  const before = await desk.drawn();
  const { x, y, width, height } = await desk.picture(4 / 3);
  // Its encoder finds its pace in the first seconds, the later the less else the machine has to give.
  for (const end = Date.now() + 10_000; ; ) {
    const colours = await world.display.watchColour(x + width / 2, y + height / 2, { lasting });
    const strong = colours.filter((colour) => Math.max(...colour) - Math.min(...colour) > 60);
    if (strong.length >= 15) break;
    assert.ok(Date.now() < end, `the agent's window showed ${strong.length} different strong colours of ${colours.length}`);
  }
  // The figures come once a second, and later after a new connection.
  await until("the agent's window draws on", async () => (await desk.drawn()).frames - before.frames >= 25, { within: 5000 });
}

/** The agent's moving picture is in the customer's page. */
export async function customerSees(customer, { frames = 15, lasting = 2500, freshMs = 2000 } = {}) {
  const { ages } = await customer.watch(lasting);
  const fresh = ages.filter((age) => age < freshMs);
  assert.ok(fresh.length >= frames, `the customer's page showed ${fresh.length} fresh frames in ${lasting} ms`);
  return ages;
}

/** The customer's link, as the server tells the agent. */
export async function inviteUrl(world, desk) {
  const { access_token: token } = await world.server.signIn();
  const { body } = await world.server.request('GET', `/v1/conversations/${await desk.conversation()}`, { token });
  return body.escalation.url;
}
