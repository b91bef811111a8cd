/** The web chat: writes and reads the conversation, and opens the call beside it. */

import type { Activity } from "../../../shared/wire";
import { Failure, OFFLINE } from "../api";
import { applyAccent, embedding } from "../branding";
import type { Flow } from "../call/flow";
import { expose } from "../diagnostics";
import { byId, setText } from "../dom";
import { icon } from "../icons";
import { say, writeAs } from "../say";
import { slot } from "../store";
import { problemWords } from "../words";
import type { Action } from "./cards";
import { DirectLine } from "./directline";
import type { Link } from "./directline";
import { embedIn } from "./embed";
import { entryOf, whenSeen } from "./entry";
import { Outbox, uuid } from "./outgoing";
import type { Outgoing } from "./outgoing";
import { Thread, clientId, isMine, sightline } from "./thread";
import { ChatView } from "./view";

expose();
const settings = embedding();
let title = document.title;
dress(settings);
writeAs(localeOf(settings.context));
document.documentElement.classList.toggle("embedded", settings.embedded);

const layout = byId("layout");
const status = byId("link");
const field = byId<HTMLTextAreaElement>("message");
const nameField = byId<HTMLInputElement>("name");
const welcome = byId("welcome");
const chatPanel = byId("chat");

/** Opened by a link into the chat: it begins at once, and an invitation opens by itself. */
const entry = entryOf(location);
const thread = new Thread();
const answered = slot<string[]>("answered");
let flow: { code: string; flow: Flow } | null = null;
/** The one whose code is on its way from the server. */
let opening: string | null = null;
/** The call of the invitation on the screen, connecting while it is read. */
let warmed: { code: string; flow: Flow } | null = null;
/** Invitations that have opened by themselves once. */
const invited = new Set<string>();
let unread = 0;
let widgetVisible = true;
let typingTimer: number | undefined;

const line = new DirectLine(
  settings.context,
  { activities: received, link: showLink, over: () => refresh() },
  entry,
);
const outbox: Outbox = new Outbox(
  (message) => line.send(message, nameField.value.trim() || settings.name),
  slot<Outgoing[]>("outbox"),
  () => refresh(),
);
const view = new ChatView(
  {
    join: (invite) => void open(invite.code, invite.url),
    retry: (id) => void outbox.retry(id),
    discard: (id) => outbox.remove(id),
    choose,
  },
  (invite) => {
    if (flow?.code === invite.code) return flow.flow.inCall ? "joined" : "answering";
    return thread.openInvite() === invite.code && !(answered.read() ?? []).includes(invite.code) ? "open" : "over";
  },
);
const embed = embedIn((visible) => {
  widgetVisible = visible;
  if (visible) {
    read();
    field.focus();
  }
});

byId("send").append(icon("arrowUp", 22));
byId("close").append(icon("x", 20));
byId("close").hidden = embed === null;
byId("close").addEventListener("click", () => embed?.close());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") embed?.close();
});
const chosen = byId<HTMLInputElement>("file");
byId("attach").append(icon("paperclip", 20));
byId("attach").addEventListener("click", () => chosen.click());
chosen.addEventListener("change", () => void sendFiles());
const ask = byId<HTMLButtonElement>("video");
ask.prepend(icon("video", 18));
ask.addEventListener("click", () => void askForVideo());
byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
field.addEventListener("input", () => {
  grow();
  if (field.value.trim()) line.typing();
});
document.addEventListener("visibilitychange", read);
window.addEventListener("focus", read);
window.addEventListener("online", () => void outbox.flush());
byId<HTMLButtonElement>("send").disabled = false;
refresh();
line.resume();
if (entry) {
  setText(byId("welcome-title"), say("welcomeBackTitle"));
  setText(byId("welcome-text"), say("welcomeBackText"));
  whenSeen(() => void line.open(settings.name));
}
if (outbox.pending) void outbox.flush();
// Reloaded in a call: the way back into it is offered without looking for the card.
const lost = slot<{ code: string }>("seat").read();
if (lost && line.begun) void open(lost.code, `${location.origin}/j/${lost.code}`);

function localeOf(context: typeof settings.context): unknown {
  const given: unknown = context["customerLocale"];
  return typeof given === "object" && given !== null && "value" in given ? given.value : given;
}

function dress({ company, accent }: { company: string; accent: string | null }): void {
  applyAccent(accent);
  if (!company) return;
  setText(byId("company"), company);
  title = company;
  document.title = company;
}

function send(): void {
  const text = field.value.trim();
  if (!text) return;
  field.value = "";
  grow();
  outbox.add(text);
  view.toEnd();
  field.focus();
}

/** What a bot offered: said as if it had been written, or sent to the bot alone. */
function choose(action: Exclude<Action, { type: "open" }>): void {
  if (action.type === "say") outbox.add(action.text);
  else outbox.add(action.chosen.title, action.chosen);
  view.toEnd();
  field.focus();
}

/** One choice of files is one message; what is wrong with it is said where the reader is looking. */
async function sendFiles(): Promise<void> {
  const files = [...(chosen.files ?? [])];
  chosen.value = "";
  if (files.length === 0) return;
  const attach = byId<HTMLButtonElement>("attach");
  attach.disabled = true;
  view.showTrouble(files.length === 1 ? say("sendingFile", { name: files[0]!.name }) : say("sendingFiles", { count: files.length }));
  try {
    await line.upload(files, uuid(), nameField.value.trim() || settings.name);
    view.showTyping(null);
    view.toEnd();
  } catch (error) {
    view.showTrouble(say("notSent", { why: problemWords(error instanceof Failure ? error.problem : OFFLINE) }));
  } finally {
    attach.disabled = false;
    field.focus();
  }
}

/** One wish at a time; the line in the conversation says that it was heard. */
async function askForVideo(): Promise<void> {
  if (ask.disabled) return;
  ask.disabled = true;
  try {
    await line.requestVideo(nameField.value.trim() || settings.name);
    field.focus();
  } catch {
    view.showTrouble(say("couldNotAsk"));
  } finally {
    ask.disabled = false;
  }
}

function received(activities: Activity[]): void {
  for (const activity of activities) {
    if (activity.type === "typing") {
      if (!isMine(activity)) typing(activity.from.name ?? say("someone"));
      continue;
    }
    const fresh = thread.add(activity);
    const own = clientId(activity);
    if (own) outbox.remove(own);
    if (!fresh || isMine(activity)) continue;
    typing(null);
    if (!reading()) unread += 1;
    // The call's code is fetched while the invitation is read, so that Join does not wait for it.
    if (sightline(activity)?.type === "invite") void import("../call/flow");
  }
  refresh();
  invite();
  warm();
  showUnread();
  // Taken back while the preview is open: the page says so now, not at the tap on Join.
  if (flow && layout.dataset["call"] === "preview" && thread.openInvite() !== flow.code) void flow.flow.start();
}

function refresh(): void {
  const waiting = outbox.all().filter(({ client_id }) => !thread.hasClientId(client_id));
  const entries = thread.all();
  const empty = entries.length === 0 && waiting.length === 0;
  welcome.hidden = !empty;
  byId("who").hidden = !empty || settings.name !== null;
  // What is chosen unseen shows only that it did not arrive.
  const shown = waiting.filter(({ chosen, state }) => !chosen || chosen.seen || state.type === "refused");
  view.show(entries, shown);
  view.showChoices(waiting.length === 0 ? thread.choices() : []);
  // With a call on the screen, or a link to one, there is nothing to ask for.
  ask.hidden = flow !== null || thread.openInvite() !== null;
}

function showLink(link: Link): void {
  const words: Record<Link, string> = {
    idle: "", connecting: say("connecting"), online: say("connected"), offline: say("reconnecting"),
  };
  status.dataset["link"] = link;
  setText(status, words[link]);
  if (link === "online") void outbox.flush();
}

function typing(name: string | null): void {
  window.clearTimeout(typingTimer);
  view.showTyping(name);
  if (name !== null) typingTimer = window.setTimeout(() => view.showTyping(null), 6_000);
}

function reading(): boolean {
  const covered = layout.dataset["call"] !== undefined && getComputedStyle(chatPanel).display === "none";
  return document.visibilityState === "visible" && widgetVisible && !covered;
}

function read(): void {
  warm();
  if (unread === 0 || !reading()) return;
  unread = 0;
  showUnread();
}

function showUnread(): void {
  document.title = unread > 0 ? `(${unread}) ${title}` : title;
  embed?.unread(unread);
  flow?.flow.setUnread(unread);
}

function grow(): void {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, 140)}px`;
}

async function open(code: string, url: string): Promise<void> {
  if (flow?.code === code || opening === code) return;
  opening = code;
  flow?.flow.dispose();
  try {
    flow = await flowFor(code, url);
  } finally {
    opening = null;
  }
  layout.dataset["call"] = "loading";
  byId("stage").hidden = false;
  view.updateCards();
  await flow.flow.start();
}

async function flowFor(code: string, url: string): Promise<{ code: string; flow: Flow }> {
  const { Flow } = await import("../call/flow");
  const prepared = warmed;
  warmed = null;
  if (prepared?.code === code) return prepared;
  prepared?.flow.dispose();
  const fresh = new Flow({
    root: byId("stage"),
    code,
    url,
    chat: { toggle: toggleChat },
    close: () => close(code),
    stage: (stage) => {
      layout.dataset["call"] = stage;
      if (stage !== "call") delete layout.dataset["chat"];
      embed?.live(stage === "call");
      if (stage === "survey") rememberAnswered(code);
      view.updateCards();
    },
  });
  return { code, flow: fresh };
}

/** Who came by a link came to be seen: the invitation opens by itself, and is answered there. */
function invite(): void {
  const code = thread.openInvite();
  const own = slot<{ code: string }>("seat").read()?.code === code;
  if (!entry || !code || flow || own || invited.has(code) || (answered.read() ?? []).includes(code)) return;
  invited.add(code);
  void open(code, `${location.origin}/j/${code}`);
}

/** An invitation that is being read connects already, so that the tap on Join has only to start the media. */
function warm(): void {
  const code = thread.openInvite();
  const mine = slot<{ code: string }>("seat").read()?.code === code;
  if (!code || mine || (answered.read() ?? []).includes(code)) {
    warmed?.flow.dispose();
    warmed = null;
    return;
  }
  if (flow || opening || warmed?.code === code || document.hidden || !widgetVisible) return;
  void flowFor(code, `${location.origin}/j/${code}`).then((ready) => {
    if (flow || opening || warmed || thread.openInvite() !== code) return ready.flow.dispose();
    warmed = ready;
    ready.flow.warm();
  });
}

function close(code: string): void {
  flow?.flow.dispose();
  flow = null;
  const root = byId("stage");
  root.replaceChildren();
  root.hidden = true;
  delete layout.dataset["call"];
  delete layout.dataset["chat"];
  document.documentElement.dataset["callState"] = "idle";
  rememberAnswered(code);
  view.updateCards();
  view.toEnd();
  field.focus();
  read();
}

function toggleChat(): boolean {
  const show = layout.dataset["chat"] !== "open";
  if (show) layout.dataset["chat"] = "open";
  else delete layout.dataset["chat"];
  if (show) {
    view.toEnd();
    field.focus();
    read();
  }
  return show;
}

function rememberAnswered(code: string): void {
  answered.write([...new Set([...(answered.read() ?? []), code])]);
}
