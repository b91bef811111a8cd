/** The way of a customer through one invite: preview, call, survey, and every page in between. */

import "../styles/pages.css";
import "../styles/preview.css";
import "../styles/call.css";
import type { EndReason, InviteView, Problem } from "../../../shared/wire";
import { Failure, OFFLINE, invites, sendSurvey } from "../api";
import { note, setPhase } from "../diagnostics";
import { button, h } from "../dom";
import type { Child } from "../dom";
import { icon } from "../icons";
import { support } from "../support";
import { say, writeAs } from "../say";
import { endWords } from "../words";
import { Call, accepted } from "./call";
import { callView } from "./call-view";
import type { CallView, ChatSwitch } from "./call-view";
import type { Wish } from "./devices";
import { LocalMedia } from "./local-media";
import { copyLink, noticePage, problemNotice } from "./notices";
import { preview } from "./preview";
import type { Preview } from "./preview";
import { giveUpSeat, seat } from "./seat";
import { surveyPage } from "./survey";
import { watchPage } from "../page-presence";

type Stage = "loading" | "preview" | "call" | "survey" | "page";

export interface FlowOptions {
  root: HTMLElement;
  code: string;
  url: string;
  /** Only the web chat has the conversation beside the call. */
  chat: ChatSwitch | null;
  /** Back to where the person came from; without it there is only the page itself. */
  close: (() => void) | null;
  stage?: (stage: Stage) => void;
}

interface Ready {
  call: Call;
  media: LocalMedia;
  view: CallView;
}

type Who = Pick<InviteView, "agent_name" | "company" | "sound">;

export class Flow {
  /** Ahead of the tap, connecting while the invitation is read. */
  private ready: Ready | null = null;
  private call: Call | null = null;
  private view: CallView | null = null;
  private opened = false;
  /** Whether the customer may be asked how it was. */
  private asks = true;
  /** The invitation, while it is read. */
  private page: Preview | null = null;
  private stopWarming: () => void = () => {};
  private leaving: () => void = () => {};

  constructor(private readonly options: FlowOptions) {}

  /** Connects ahead of the tap, for as long as somebody has the page before them. */
  warm(): void {
    if (this.ready || this.call || this.ownSeat() || !canConnect()) return;
    const { call } = (this.ready = this.prepare());
    this.stopWarming = watchPage({ here: () => void call.warm(), away: () => call.cool() });
  }

  async start(): Promise<void> {
    this.opened = true;
    if (!canConnect()) return this.unsupported();
    this.show("loading", noticePage({ icon: "video", title: say("checkingLink"), text: say("oneMoment") }));
    this.warm();
    try {
      const invite = await invites.view(this.options.code);
      this.asks = invite.survey;
      writeAs(invite.locale);
      const mine = this.ownSeat();
      switch (invite.state) {
        case "open":
          this.warm();
          return mine ? this.offerRejoin(invite) : this.preview(invite);
        case "ended":
          return mine ? this.survey(null, invite.agent_name) : this.problem(problemOf("room_ended"));
        case "expired":
          return mine ? this.offerRejoin(invite) : this.problem(problemOf("invite_expired"));
        case "revoked":
          return this.problem(problemOf("invite_revoked"));
        case "in_use":
          return this.problem(problemOf("invite_in_use"));
      }
    } catch (error) {
      this.problem(error instanceof Failure ? error.problem : OFFLINE);
    }
  }

  setUnread(count: number): void {
    this.view?.setUnread(count);
  }

  get inCall(): boolean {
    return this.call !== null;
  }

  /** Lets go of devices and sockets when the page around the flow closes it. */
  dispose(): void {
    this.leaving();
    this.leaving = () => {};
    this.cool();
    this.call?.dispose();
    this.call = this.view = null;
  }

  /** Forgets what was connected ahead of the tap. */
  private cool(): void {
    this.stopWarming();
    this.stopWarming = () => {};
    if (!this.ready) return;
    const { call, view } = this.ready;
    this.ready = null;
    view.element.parentElement?.remove();
    view.dispose();
    call.dispose();
  }

  /** The call's page is laid out beneath the invitation, unseen, so that the tap has only to uncover it. */
  private standBy(who: Who): void {
    if (!this.ready) return;
    const { call, view } = this.ready;
    call.agent ||= who.agent_name;
    view.update(call);
    this.options.root.append(h("div", { class: "stage-call standby", inert: true }, view.element));
  }

  private preview(invite: InviteView): void {
    setPhase("preview");
    const page = preview(invite, this.options.url, support(), {
      join: (wish, media, event) => {
        accepted(event);
        this.join(invite, wish, media);
      },
      decline: () => void this.decline(invite),
    });
    this.show("preview", page.element);
    this.standBy(invite);
    this.page = page;
    page.network(this.ready?.call.network.blocked ?? false);
    this.leaving = () => {
      this.page = null;
      page.dispose();
    };
  }

  private offerRejoin(who: Who): void {
    setPhase("preview");
    this.show(
      "page",
      noticePage({
        icon: "video",
        title: say("reloadedTitle", { agent: who.agent_name }),
        text: say("reloadedText"),
        actions: [
          button("primary large", [icon("video"), say("rejoin")], (event) => this.rejoin(who, event)),
          button("plain large", say("leave"), () => {
            giveUpSeat();
            this.survey("customer_left", who.agent_name);
          }),
        ],
      }),
    );
  }

  private rejoin(who: Who, event: Event): void {
    accepted(event);
    this.join(who, { camera: true, microphone: who.sound === "call" }, null);
  }

  private prepare(): Ready {
    let call: Call | undefined;
    const media = new LocalMedia(() => call?.mediaChanged());
    const view = callView(
      media,
      { leave: () => call?.leave(), tryAgain: () => call?.tryAgain(), play: () => call?.play() },
      this.options.chat,
    );
    const prepared: Call = (call = new Call(this.options.code, media, view.video, () => this.follow(prepared)));
    return { call: prepared, media, view };
  }

  private join(who: Who, wish: Wish, previewed: LocalMedia | null): void {
    const { call, media, view } = this.ready ?? this.prepare();
    this.ready = null;
    this.stopWarming();
    if (previewed) media.inherit(previewed);
    this.call = call;
    this.view = view;
    void call.join({ agent: call.agent || who.agent_name, company: who.company, sound: who.sound }, wish);
    this.show("call", view.element);
    this.leaving = () => view.dispose();
    view.update(call);
  }

  /** The link ended, or somebody else joined, while the invitation was being read. */
  private followReady(call: Call): void {
    const { state } = call;
    this.page?.network(call.network.blocked);
    if (call.agent) this.page?.agent(call.agent);
    if (state.type !== "ended" && state.type !== "problem") return;
    this.cool();
    if (!this.opened) return;
    this.problem(state.type === "problem" ? state.problem : problemOf(overCode(state.reason)));
  }

  private follow(call: Call): void {
    if (call === this.ready?.call) return this.followReady(call);
    if (call !== this.call) return;
    switch (call.state.type) {
      case "ready":
      case "joining":
      case "waiting":
      case "connecting":
      case "live":
        this.view?.update(call);
        break;
      case "ended":
        this.call = this.view = null;
        if (call.state.reason === "media_failed") this.blocked();
        else this.survey(call.state.reason, call.agent);
        break;
      case "problem":
        this.call = this.view = null;
        this.problem(call.state.problem);
        break;
    }
  }

  private async decline(invite: Who): Promise<void> {
    this.cool();
    try {
      await invites.decline(this.options.code);
    } catch (error) {
      if (error instanceof Failure && error.passing) return this.problem(error.problem);
    }
    setPhase("ended");
    this.show(
      "page",
      noticePage({
        icon: "check",
        title: say("declinedTitle"),
        text: say("declinedText", { agent: invite.agent_name }),
        actions: this.wayBack(),
      }),
    );
  }

  /** There was no call to rate. What happened stands in the chat, too. */
  private blocked(): void {
    seat.clear();
    const problem = problemOf("media_timeout");
    setPhase("ended");
    note(problem, "call");
    const { close } = this.options;
    this.show("page", noticePage(problemNotice(problem, () => {}, close ? [button("primary large", say("backToChat"), close)] : [])));
  }

  private survey(reason: Parameters<typeof endWords>[0] | null, agent: string): void {
    setPhase("ended");
    const mine = this.ownSeat();
    if (!mine || !this.asks || reason === "customer_declined") return this.done();
    this.show(
      "survey",
      surveyPage(reason ? endWords(reason, agent) : `${say("callEnded")}.`, {
        send: async (survey) => {
          await sendSurvey(mine.room, mine.token, survey);
          this.thanks();
        },
        skip: () => this.done(),
      }),
    );
  }

  private thanks(): void {
    seat.clear();
    this.show(
      "page",
      noticePage({
        icon: "circleCheck",
        tone: "good",
        title: say("thanksTitle"),
        text: this.options.close ? say("thanksChat") : say("thanksPage"),
        actions: this.wayBack(),
      }),
    );
  }

  private done(): void {
    seat.clear();
    if (this.options.close) return this.options.close();
    this.show(
      "page",
      noticePage({ icon: "check", title: say("callEnded"), text: say("closePage") }),
    );
  }

  private problem(problem: Problem): void {
    this.cool();
    setPhase("problem");
    note(problem, "page");
    this.show("page", noticePage(problemNotice(problem, () => void this.start(), this.wayBack())));
  }

  private unsupported(): void {
    setPhase("problem");
    this.show(
      "page",
      noticePage({
        icon: "smartphone",
        title: say("otherBrowserTitle"),
        text: say("otherBrowserText"),
        actions: [copyLink(this.options.url), ...this.wayBack()],
      }),
    );
  }

  private wayBack(): Child[] {
    const { close } = this.options;
    return close ? [button("large", say("backToChat"), close)] : [];
  }

  private ownSeat() {
    const mine = seat.read();
    return mine?.code === this.options.code ? mine : null;
  }

  private show(stage: Stage, element: HTMLElement): void {
    this.leaving();
    this.leaving = () => {};
    const { root } = this.options;
    // Taken out and put in again, a page would be laid out anew.
    const place = element.closest(".standby") ?? root.appendChild(h("div", {}, element));
    for (const other of [...root.children]) if (other !== place) other.remove();
    place.className = `stage-${stage}`;
    place.removeAttribute("inert");
    this.options.stage?.(stage);
    element.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
  }
}

function canConnect(): boolean {
  const able = support();
  return able.type === "full" || (able.type === "in_app" && able.can_receive);
}

/** Why an invitation that nobody has taken is over. */
function overCode(reason: EndReason | null): Problem["code"] {
  if (reason === "invite_expired") return "invite_expired";
  return reason === "cancelled" ? "invite_revoked" : "room_ended";
}

function problemOf(code: Problem["code"]): Problem {
  return { code, message: "", next_step: "" };
}
