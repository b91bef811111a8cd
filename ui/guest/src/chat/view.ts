/** The conversation on the screen. Rows are kept and updated, never rebuilt, so nothing jumps or is read twice. */

import { button, byId, h, setText } from "../dom";
import { icon } from "../icons";
import { say } from "../say";
import { bytes, dayAndMonth, initials, problemWords, timeOfDay } from "../words";
import type { Action, Card } from "./cards";
import { inviteCard } from "./invite-card";
import type { InviteCard, InviteUse } from "./invite-card";
import type { Outgoing } from "./outgoing";
import type { Entry, Invite, SharedFile } from "./thread";

export interface ChatActions {
  join(invite: Invite): void;
  retry(client_id: string): void;
  discard(client_id: string): void;
  choose(action: Exclude<Action, { type: "open" }>): void;
}

interface Row {
  element: HTMLElement;
  order: string;
  update?: () => void;
}

const GROUP_MS = 5 * 60_000;

export class ChatView {
  private readonly log = byId("log");
  private readonly rows = new Map<string, Row>();
  private readonly typing = byId("typing");
  private readonly jump = byId<HTMLButtonElement>("jump");
  private readonly choices = byId("choices");
  private chosenFrom: readonly Action[] = [];
  private following = true;
  private readonly cards = new Map<string, { invite: Invite; card: InviteCard }>();

  constructor(
    private readonly actions: ChatActions,
    private readonly useOf: (invite: Invite) => InviteUse,
  ) {
    this.jump.addEventListener("click", () => this.toEnd());
    this.log.addEventListener("scroll", () => {
      this.following = this.atEnd();
      if (this.following) this.jump.hidden = true;
    });
    // The call opening beside the chat, or a keyboard below it, must not push the newest line out of sight.
    new ResizeObserver(() => {
      if (this.following) this.toEnd();
    }).observe(this.log);
    window.setInterval(() => this.updateCards(), 15_000);
  }

  show(entries: Entry[], outgoing: readonly Outgoing[]): void {
    const follow = this.following;
    const before = this.rows.size;
    const seen = new Set<string>();
    let previous = { who: "", at: 0, day: "" };
    let place: Element | null = this.log.firstElementChild;
    const put = (key: string, order: string, make: () => HTMLElement) => {
      seen.add(key);
      let row = this.rows.get(key);
      if (!row || row.order !== order) {
        const element = make();
        row?.element.replaceWith(element);
        if (row && place === row.element) place = element;
        row = { element, order };
        this.rows.set(key, row);
      }
      if (row.element === place) place = place.nextElementSibling;
      else this.log.insertBefore(row.element, place);
    };

    for (const entry of entries) {
      const day = new Date(entry.at).toDateString();
      if (day !== previous.day && entry.at > 0) put(`day ${day}`, "", () => dayRow(entry.at));
      const who: string = entry.kind === "theirs" ? `them ${entry.name}` : entry.kind;
      const grouped = previous.who === who && previous.day === day && entry.at - previous.at < GROUP_MS;
      // The optimistic row keeps its place under its client id, so it turns into the real one without moving.
      const key = entry.kind === "mine" && entry.client_id ? entry.client_id : entry.id;
      put(key, `${entry.kind} ${grouped}`, () => this.entryRow(entry, grouped));
      previous = { who, at: entry.at, day };
    }
    for (const message of outgoing) {
      put(message.client_id, `out ${JSON.stringify(message.state)}`, () => this.outgoingRow(message, previous.who === "mine"));
      previous = { who: "mine", at: message.at, day: previous.day };
    }
    for (const [key, row] of this.rows) {
      if (seen.has(key)) continue;
      row.element.remove();
      this.rows.delete(key);
    }
    this.updateCards();
    if (follow) this.toEnd();
    else if (this.rows.size > before) this.jump.hidden = false;
  }

  /** The answers that a bot suggests, beside the field that they are an alternative to. */
  showChoices(actions: readonly Action[]): void {
    if (JSON.stringify(actions) === JSON.stringify(this.chosenFrom)) return;
    const follow = this.following;
    this.chosenFrom = actions;
    this.choices.hidden = actions.length === 0;
    this.choices.replaceChildren(...actions.map((action) => this.action(action)));
    if (follow) this.toEnd();
  }

  private action(action: Action): HTMLElement {
    if (action.type !== "open") return button("choice", action.title, () => this.actions.choose(action));
    const opens = { href: action.url, target: "_blank", rel: "noopener noreferrer" };
    return h("a", { class: "button choice", ...opens }, action.title);
  }

  private card({ title, subtitle, text, actions }: Card): HTMLElement {
    const words = [
      title && h("p", { class: "card-title" }, title),
      subtitle && h("p", { class: "card-subtitle" }, subtitle),
      text && h("p", { class: "card-text" }, ...linked(text)),
    ];
    const choices = actions.length > 0 && h("div", { class: "card-actions" }, ...actions.map((action) => this.action(action)));
    return h("div", { class: "card", role: "group", "aria-label": title || say("card") }, ...words, choices);
  }

  showTyping(name: string | null): void {
    const follow = this.following;
    this.typing.hidden = name === null;
    setText(this.typing.querySelector("span")!, name === null ? "" : say("isTyping", { name }));
    if (follow) this.toEnd();
  }

  /** Something that could not be done, said where the reader is looking; it goes with the next message. */
  showTrouble(text: string): void {
    this.typing.hidden = false;
    setText(this.typing.querySelector("span")!, text);
  }

  updateCards(): void {
    for (const { invite, card } of this.cards.values()) {
      card.update(Date.now(), this.useOf(invite));
    }
  }

  toEnd(): void {
    this.following = true;
    this.log.scrollTop = this.log.scrollHeight;
    this.jump.hidden = true;
  }

  private atEnd(): boolean {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80;
  }

  private entryRow(entry: Entry, grouped: boolean): HTMLElement {
    switch (entry.kind) {
      case "mine":
        return h("div", { class: `row mine${grouped ? " grouped" : ""}` }, bubble(entry.text, timeOfDay(entry.at), entry.files));
      case "theirs":
        return theirs(entry.name, grouped, ...this.offered(entry));
      case "unseen":
        return h("span", { hidden: true });
      case "event":
        return h("p", { class: "event" }, entry.text);
      case "invite": {
        const card = inviteCard(entry.invite, () => this.actions.join(entry.invite));
        this.cards.set(entry.id, { invite: entry.invite, card });
        return theirs(entry.invite.agent_name, grouped, card.element);
      }
    }
  }

  private offered(entry: Extract<Entry, { kind: "theirs" }>): HTMLElement[] {
    const words = entry.text !== "" || entry.files.length > 0;
    const cards = entry.cards.map((card) => this.card(card));
    return words ? [bubble(entry.text, timeOfDay(entry.at), entry.files), ...cards] : cards;
  }

  private outgoingRow(message: Outgoing, grouped: boolean): HTMLElement {
    const { state } = message;
    const body = bubble(message.text, state.type === "sent" ? timeOfDay(message.at) : "");
    const status = h("div", { class: `delivery ${state.type}` });
    switch (state.type) {
      case "sending":
        status.append(icon("clock", 14), say("sending"));
        break;
      case "waiting":
        status.append(icon("wifiOff", 14), say("waitingForNetwork"));
        break;
      case "sent":
        status.append(icon("check", 14), say("sent"));
        break;
      case "refused":
        status.append(
          icon("circleAlert", 14),
          h("span", {}, say("notSent", { why: problemWords(state.problem) })),
          button("link", say("tryAgain"), () => this.actions.retry(message.client_id)),
          button("link", say("discard"), () => this.actions.discard(message.client_id)),
        );
        break;
    }
    return h("div", { class: `row mine${grouped ? " grouped" : ""}` }, body, status);
  }
}

function theirs(name: string, grouped: boolean, ...body: HTMLElement[]): HTMLElement {
  return h(
    "div",
    { class: `row theirs${grouped ? " grouped" : ""}` },
    grouped ? null : h("p", { class: "who" }, name),
    h("span", { class: "avatar", "aria-hidden": "true" }, initials(name || "?")),
    ...body,
  );
}

function bubble(text: string, time: string, files: readonly SharedFile[] = []): HTMLElement {
  const body = h("p", { class: "bubble" });
  for (const file of files) body.append(sharedFile(file));
  body.append(...linked(text));
  if (time) body.append(h("span", { class: "time" }, time));
  return body;
}

/** A text with its addresses as links. */
function linked(text: string): (Node | string)[] {
  return text.split(/(https?:\/\/[^\s<>"']+)/).map((part) =>
    /^https?:\/\//.test(part) ? h("a", { href: part, target: "_blank", rel: "noopener noreferrer" }, part) : part,
  );
}

function sharedFile(file: SharedFile): HTMLElement {
  const words = file.size === null ? file.name : `${file.name} · ${bytes(file.size)}`;
  if (file.url === null) return h("span", { class: "file" }, icon("file", 16), words);
  const opens = { href: file.url, target: "_blank", rel: "noopener noreferrer" };
  if (!file.picture) return h("a", { class: "file", ...opens }, icon("file", 16), words);
  return h("a", { class: "file picture", ...opens }, h("img", { src: file.url, alt: "", loading: "lazy" }), h("span", {}, words));
}

function dayRow(at: number): HTMLElement {
  const day = new Date(at);
  const today = day.toDateString() === new Date().toDateString();
  return h("p", { class: "day" }, today ? say("today") : dayAndMonth(day));
}
