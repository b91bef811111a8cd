import { createContext } from "svelte";
import type { AccountId, CheckKind, Conversation, ConversationId, DeskCommand, DeskEvent, Problem } from "$wire";
import { toProblem, type Backend } from "../backend/backend";
import type { Asked } from "./assignment";
import { startVideoBlock, type Jump } from "./call";
import { addSecond, type Second } from "./history";
import { inboxView } from "./inbox";
import { apply, callRuns, initialModel, passes, type DeskModel } from "./model";
import { addNotice, type Notice } from "./notices";
import { testRuns } from "./readiness";

export type DialogName = "palette" | "shortcuts" | "end_and_wrap_up" | "share" | "sign_out";
/** What fills the window beside the rail. */
export type ViewName = "conversations" | "self_test" | "board";
export type Corner = "top-left" | "top-right" | "bottom-left" | "bottom-right";

/** What the window shows: the controller's model, and what only this window knows. */
export class Desk {
  model = $state.raw<DeskModel>(initialModel);
  notices = $state.raw<readonly Notice[]>([]);
  /** The figures of the call on the stage, second by second. */
  seconds = $state.raw<readonly Second[]>([]);

  view = $state<ViewName>("conversations");
  /** When the running self-test began, and when the board was asked for, by this window's clock. */
  testSince = $state(0);
  boardSince = $state(0);
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

  readonly #backend: Backend;
  #notice = 0;
  readonly #drafts = new Map<ConversationId, string>();

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
  /** Whether this person looks after others' desks. */
  readonly supervises = $derived(this.account !== null && this.account.role !== "agent");
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
      if (event.type === "notice") this.notify(event.problem);
      else this.saved = event.path;
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
    if (event.type === "session" && this.account === null) this.#forget();
  }

  #forget(): void {
    this.view = "conversations";
    this.saved = null;
    this.selected = null;
    this.search = "";
    this.dialog = null;
    this.#drafts.clear();
  }

  /** Sends a command; what goes wrong becomes a notice. Answers whether it went well. */
  async command(command: DeskCommand): Promise<boolean> {
    const problem = await this.attempt(command);
    if (problem !== null) this.notify(problem);
    return problem === null;
  }

  /** Sends a command; what goes wrong is the caller's to show. */
  async attempt(command: DeskCommand): Promise<Problem | null> {
    const slow = !["layout", "typing", "watch_board"].includes(command.type);
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

  notify(problem: Problem): void {
    this.#notice += 1;
    this.notices = addNotice(this.notices, problem, this.#notice);
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
    if (this.view === view || (view === "board" && !this.supervises)) return;
    if (this.view === "board") void this.command({ type: "watch_board", open: false });
    this.view = view;
    this.saved = null;
    if (view === "board") this.watchBoard();
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

  /** What the "a" key and the palette accept: the one asked about, the open one if it waits, the longest waiting. */
  acceptTarget(): Conversation | null {
    const asked = this.asked === null ? undefined : this.model.conversations[this.asked.conversation];
    if (asked !== undefined) return asked;
    if (this.conversation?.state === "open") return this.conversation;
    return this.inbox.waiting[0] ?? null;
  }

  async startVideo(): Promise<void> {
    if (this.conversation === null || this.videoBlock !== null || this.busy === "start_video") return;
    await this.command({ type: "start_video", conversation: this.conversation.id });
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
