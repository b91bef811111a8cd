import { createContext } from "svelte";
import type {
  AccountId,
  CheckKind,
  Chosen,
  Conversation,
  ConversationId,
  DeskCommand,
  DeskEvent,
  Problem,
  TransferTo,
} from "$wire";
import { toProblem, type Backend } from "../backend/backend";
import { Attachments } from "./attachments.svelte";
import type { Asked } from "./assignment";
import { startVideoBlock, type Jump } from "./call";
import { addSecond, type Second } from "./history";
import { inboxView, takesPart } from "./inbox";
import { apply, callRuns, initialModel, passes, popsUp, type DeskModel, type PassingEvent } from "./model";
import { addNews, addNotice, type Notice } from "./notices";
import { handedText } from "./presence";
import { testRuns } from "./readiness";

export type DialogName = "why" | "palette" | "shortcuts" | "end_and_wrap_up" | "share" | "sign_out" | "transfer" | Supervision;
/** What a supervisor does by a dialog. */
export type Supervision = "assign" | "hand_on" | "force_close";
/** What fills the window beside the rail. */
export type ViewName = "conversations" | "self_test" | "board" | "wall" | "audit" | "connectors";
export type Corner = "top-left" | "top-right" | "bottom-left" | "bottom-right";

/** Commands of no button. */
const SILENT: readonly DeskCommand["type"][] = [
  "layout",
  "typing",
  "watch_board",
  "watch_wall",
  "read_connectors",
  "read_dead_letters",
  "read_file",
  "read_conversations",
  "read_why",
  "read_audit",
];

/** What the window shows: the controller's model, and what only this window knows. */
export class Desk {
  model = $state.raw<DeskModel>(initialModel);
  notices = $state.raw<readonly Notice[]>([]);
  /** The figures of the call on the stage, second by second. */
  seconds = $state.raw<readonly Second[]>([]);

  /** Whom the open conversation can be handed to, as last looked for. */
  targets = $state.raw<Extract<DeskEvent, { type: "targets" }> | null>(null);

  view = $state<ViewName>("conversations");
  /** When the running self-test began, and when board and wall were asked for, by this window's clock. */
  testSince = $state(0);
  boardSince = $state(0);
  wallSince = $state(0);
  /** The conversation of the wall's row that had the focus last. */
  pointed = $state<ConversationId | null>(null);
  /** The conversation that a supervisor's dialog is about. */
  subject = $state<ConversationId | null>(null);
  /** What the server refused in it, until something else is tried. */
  refused = $state.raw<Problem | null>(null);
  /** Where the last report or board was written; null while one is being written, or none was. */
  saved = $state<string | null>(null);
  selected = $state<ConversationId | null>(null);
  search = $state("");
  dialog = $state<DialogName | null>(null);
  /** The picture takes the room of inbox and context panel; the chat stays beside it. */
  stageLarge = $state(false);
  contextShown = $state(true);
  selfView = $state<{ corner: Corner; shown: boolean }>({ corner: "top-right", shown: true });
  /** A command that takes a moment, so that its button can say so. */
  busy = $state<DeskCommand["type"] | null>(null);

  /** Suggestions of bots that were used or put away. */
  #settled = $state.raw<ReadonlySet<string>>(new Set());

  readonly #backend: Backend;
  #notice = 0;
  #searched = "";
  readonly #drafts = new Map<ConversationId, string>();
  /** Files that were chosen, as drafts are kept. */
  readonly attachments = new Attachments();

  readonly account = $derived(
    this.model.session.type === "signed_in" ? this.model.session.account : null,
  );
  readonly link = $derived(
    this.model.session.type === "signed_in" ? this.model.session.link : null,
  );
  readonly conversation = $derived<Conversation | null>(
    this.view !== "conversations" || this.selected === null
      ? null
      : (this.model.conversations[this.selected] ?? null),
  );
  readonly inbox = $derived(
    inboxView(this.model.conversations, this.account?.id ?? "", this.search),
  );
  /** The conversation that the agent is asked to take. */
  readonly asked = $derived<Asked | null>(
    this.model.assignment?.type === "asked" ? this.model.assignment : null,
  );
  readonly videoBlock = $derived(startVideoBlock(this.model, this.conversation));
  /** The call, when it belongs to the conversation on the screen. */
  readonly stage = $derived(
    this.view === "conversations" && this.model.call?.conversation === this.selected
      ? this.model.call
      : null,
  );
  /** Whether the selected conversation is the agent's own work. */
  readonly owned = $derived(
    this.conversation !== null && this.conversation.owner === this.account?.id,
  );
  /** Whether this person has joined the selected conversation of a colleague. */
  readonly helps = $derived(this.conversation !== null && takesPart(this.conversation, this.account?.id ?? ""));
  /** Whether this person looks after others' desks. */
  readonly supervises = $derived(this.account !== null && this.account.role !== "agent");
  /** The selected conversation is a colleague's, or nobody's, and this person may do something about it. */
  readonly watches = $derived(
    this.supervises && this.conversation !== null && !this.owned && this.conversation.state !== "closed",
  );
  /** Whether this person looks after the deployment. */
  readonly administers = $derived(this.account?.role === "admin");
  /** Why this desk cannot be tested now; null when it can. */
  readonly testBlock = $derived(
    testRuns(this.model.test)
      ? "A test is running."
      : callRuns(this.model.call)
        ? "Finish the call first: it uses the camera and the microphone."
        : null,
  );

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** Listens first, then asks: nothing sent in between is missed. */
  async start(): Promise<void> {
    await this.#backend.listen((event) => this.#hear(event));
    await this.command({ type: "attach" });
  }

  #hear(event: DeskEvent): void {
    if (passes(event)) {
      this.#pass(event);
      return;
    }
    const before = this.model;
    this.model = apply(before, event);
    if (event.type === "self_test" && testRuns(event.test) && !testRuns(before.test)) this.testSince = Date.now();
    if (event.type === "call") this.seconds = addSecond(this.seconds, before.call, event.call, Date.now());
    // A call that begins is looked at, wherever its command came from.
    if (event.type === "call" && callRuns(event.call) && before.call === null) {
      this.#show(event.call.conversation);
    }
    if (event.type === "conversation" && popsUp(before, event)) this.#show(event.conversation.id);
    if (event.type === "session" && this.account === null) this.#forget();
  }

  #pass(event: PassingEvent): void {
    switch (event.type) {
      case "notice":
        return this.notify(event.problem);
      case "saved":
        this.saved = event.path;
        return;
      case "targets":
        // An older search that comes late does not count.
        if (event.search === this.#searched) this.targets = event;
        return;
      case "handed": {
        const { what, next, good } = handedText(event.handed);
        return this.news(what, next, good, good ? null : event.handed.conversation);
      }
    }
  }

  #forget(): void {
    this.view = "conversations";
    this.saved = null;
    this.selected = null;
    this.search = "";
    this.dialog = null;
    this.subject = null;
    this.refused = null;
    this.#drafts.clear();
    this.attachments.clear();
    this.#settled = new Set();
  }

  /** Sends a command; what goes wrong becomes a notice. Answers whether it went well. */
  async command(command: DeskCommand): Promise<boolean> {
    const problem = await this.attempt(command);
    if (problem !== null) this.notify(problem);
    return problem === null;
  }

  /** Sends a command; what goes wrong is the caller's to show. */
  async attempt(command: DeskCommand): Promise<Problem | null> {
    const slow = !SILENT.includes(command.type);
    if (slow) this.busy = command.type;
    try {
      await this.#backend.send(command);
      return null;
    } catch (error) {
      return toProblem(error);
    } finally {
      if (slow && this.busy === command.type) this.busy = null;
    }
  }

  /** Sends what was chosen; what goes wrong is the caller's to show. */
  sendFiles(conversation: ConversationId): Promise<Problem | null> {
    return this.attachments.send(conversation, this.#backend);
  }

  notify(problem: Problem): void {
    this.#notice += 1;
    this.notices = addNotice(this.notices, problem, this.#notice);
  }

  /** Something went as it should, or not quite: said once, in passing. */
  news(what: string, next: string, good: boolean, conversation: ConversationId | null = null): void {
    this.#notice += 1;
    this.notices = addNews(this.notices, { id: this.#notice, what, next, good, conversation });
  }

  dismiss(id: number): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
  }

  /** Opens a conversation in the middle. */
  open(conversation: ConversationId): void {
    this.#show(conversation);
  }

  /** Shows another part of the window. The board is live only while it is looked at. */
  go(view: ViewName): void {
    const supervisors = ["board", "wall", "audit", "connectors"].includes(view);
    if (this.view === view || (supervisors && !this.supervises)) return;
    if (this.view === "board") void this.command({ type: "watch_board", open: false });
    if (this.view === "wall") void this.command({ type: "watch_wall", open: false });
    this.view = view;
    this.saved = null;
    this.pointed = null;
    if (view === "board") this.watchBoard();
    if (view === "wall") this.watchWall();
  }

  /** Asks for the wall, once more when it has not come. */
  watchWall(): void {
    this.model = { ...this.model, wall: null };
    this.wallSince = Date.now();
    void this.command({ type: "watch_wall", open: true });
  }

  /** Asks what to do in a colleague's conversation. Who could take it stands on the wall, so that is looked at meanwhile. */
  supervise(dialog: Supervision, conversation: ConversationId): void {
    this.subject = conversation;
    this.refused = null;
    this.dialog = dialog;
    if (dialog !== "force_close" && this.view !== "wall") this.watchWall();
  }

  /** What {@link explain} would be about: the wall's row, or the open conversation. */
  explained(): ConversationId | null {
    return this.view === "wall" ? this.pointed : (this.conversation?.id ?? null);
  }

  /** Asks why a conversation came to its agent, or why nobody gets it. */
  explain(conversation: ConversationId): void {
    if (!this.supervises) return;
    this.model = { ...this.model, why: null };
    this.subject = conversation;
    this.dialog = "why";
  }

  /** The dialog is done with. */
  endSupervision(): void {
    if (this.dialog !== "force_close" && this.view !== "wall") void this.command({ type: "watch_wall", open: false });
    this.dialog = null;
    this.refused = null;
  }

  /** Does what a supervisor's dialog asks for; a refusal is shown in it. Answers whether it went well. */
  async intervene(command: Extract<DeskCommand, { type: "assign" | "transfer_to" | "force_close" }>): Promise<boolean> {
    this.refused = await this.attempt(command);
    if (this.refused === null) this.endSupervision();
    return this.refused === null;
  }

  /** Asks for the board, once more when it has not come. */
  watchBoard(): void {
    this.model = { ...this.model, board: null };
    this.boardSince = Date.now();
    void this.command({ type: "watch_board", open: true });
  }

  /** Goes to where something can be done about it. */
  jump(to: Jump): void {
    if (to.type === "conversation") this.open(to.conversation);
    else this.go("self_test");
  }

  /** The one button of the self-test: begins, or ends what runs. */
  async testOrStop(): Promise<void> {
    if (testRuns(this.model.test)) await this.command({ type: "stop_test" });
    else await this.testSelf("full");
  }

  async testSelf(extent: "full" | "quick"): Promise<void> {
    if (this.testBlock === null) await this.command({ type: "test_self", extent, check: null });
  }

  /** One check on top of the last report. */
  async testOne(check: CheckKind): Promise<void> {
    if (this.testBlock === null) await this.command({ type: "test_self", extent: "single", check });
  }

  /** Writes the last report, or the board, into the download folder; the event `saved` says where. */
  async save(board: boolean): Promise<void> {
    this.saved = null;
    await this.command({ type: "save_readiness", board });
  }

  /** The last reports of `agent`, freshly read. */
  async readReports(agent: AccountId): Promise<boolean> {
    return this.command({ type: "read_reports", agent });
  }

  #show(conversation: ConversationId): void {
    this.go("conversations");
    if (this.selected === conversation) return;
    this.selected = conversation;
    void this.command({ type: "open", conversation });
  }

  /** Accepts `conversation`, or the one that the agent is asked about, or that has waited longest. */
  async accept(conversation: ConversationId | null): Promise<boolean> {
    const id = conversation ?? this.asked?.conversation ?? this.inbox.waiting[0]?.id;
    if (id === undefined) return false;
    this.open(id);
    return this.command({ type: "accept", conversation: id });
  }

  /** Turns down what the agent is asked to take. */
  async decline(): Promise<void> {
    if (this.asked !== null) await this.command({ type: "decline", conversation: this.asked.conversation });
  }

  async choosePresence(chosen: Chosen): Promise<void> {
    await this.command({ type: "choose_presence", chosen });
  }

  /** Why the open conversation cannot be handed over now; null when it can. */
  transferBlock(): string | null {
    return this.owned && this.conversation?.state === "active" ? null : "No active conversation is open.";
  }

  /** The open conversation has a video call, running or waiting for the customer, that goes along when it is handed over. */
  get callGoesAlong(): boolean {
    const call = this.conversation?.escalation ?? null;
    return call !== null && call.state.type !== "ended";
  }

  async findTargets(search: string): Promise<void> {
    if (this.conversation === null) return;
    this.#searched = search;
    await this.command({ type: "find_targets", conversation: this.conversation.id, search });
  }

  /** Hands the open conversation over; what goes wrong is the dialog's to show. */
  async transfer(to: TransferTo, note: string, asked: string | null): Promise<Problem | null> {
    const conversation = this.conversation;
    if (conversation === null) return null;
    const problem = await this.attempt({ type: "transfer", conversation: conversation.id, to, note });
    if (problem === null && asked !== null) {
      this.news(`${asked} is asked to take over ${conversation.customer_name}.`, "Until then it stays with you.", true);
    }
    return problem;
  }

  /** Why an assignment was taken back has been read. */
  dismissAssignment(): void {
    if (this.asked === null) this.model = { ...this.model, assignment: null };
  }

  /** Shows what can be shared, freshly looked at; stops when something is shared already. */
  async share(): Promise<void> {
    if (!callRuns(this.model.call)) return;
    if (this.model.call.sharing !== null) {
      await this.command({ type: "stop_screen" });
      return;
    }
    this.model = { ...this.model, screens: null };
    this.dialog = "share";
    if (!(await this.command({ type: "list_screens" }))) this.dialog = null;
  }

  /**
   * What the "a" key and the palette accept: the one asked about, the open one if it waits, the longest waiting. The
   * question may be here before its conversation is: it is that one all the same.
   */
  acceptTarget(): Pick<Conversation, "id" | "customer_name"> | null {
    if (this.asked !== null) return { id: this.asked.conversation, customer_name: this.asked.customer_name };
    if (this.conversation?.state === "open") return this.conversation;
    return this.inbox.waiting[0] ?? null;
  }

  async startVideo(): Promise<void> {
    if (this.conversation === null || this.videoBlock !== null || this.busy === "start_video") return;
    await this.command({ type: "start_video", conversation: this.conversation.id });
  }

  /** Writes a link into the web chat into the open conversation; with `video` the call starts when the chat is taken. */
  async sendChatLink(video: boolean): Promise<void> {
    const { conversation } = this;
    if (conversation === null || !this.owned || this.busy === "send_chat_link") return;
    await this.command({ type: "send_chat_link", conversation: conversation.id, video });
  }

  /** Makes a room elsewhere for the open conversation. */
  async makeMeeting(): Promise<void> {
    const { conversation } = this;
    if (conversation === null || !this.owned || this.busy === "make_meeting") return;
    await this.command({ type: "make_meeting", conversation: conversation.id });
  }

  /** Asks first when a call would end. */
  async wrapUp(endCall = false): Promise<void> {
    const conversation = this.conversation;
    if (conversation === null || !this.owned || conversation.state !== "active") return;
    if (!endCall && this.stage !== null && callRuns(this.stage)) {
      this.dialog = "end_and_wrap_up";
      return;
    }
    const problem = await this.attempt({
      type: "wrap_up",
      conversation: conversation.id,
      end_call: endCall,
    });
    // The server may know of a call that this window does not.
    if (problem?.code === "call_live") this.dialog = "end_and_wrap_up";
    else if (problem !== null) this.notify(problem);
  }

  keepTalking(): void {
    this.model = { ...this.model, confirmClose: false };
  }

  /** Whether a bot's suggestion was used or put away. */
  isSettled(conversation: ConversationId, suggestion: string): boolean {
    return this.#settled.has(`${conversation} ${suggestion}`);
  }

  /** It is not offered again. */
  settle(conversation: ConversationId, suggestion: string): void {
    this.#settled = new Set([...this.#settled, `${conversation} ${suggestion}`]);
  }

  /** What was typed and not sent, kept while other conversations are on the screen. */
  draft(conversation: ConversationId): string {
    return this.#drafts.get(conversation) ?? "";
  }

  keepDraft(conversation: ConversationId, text: string): void {
    if (text === "") this.#drafts.delete(conversation);
    else this.#drafts.set(conversation, text);
  }
}

export const [getDesk, setDesk] = createContext<Desk>();
