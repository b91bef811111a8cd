import { focusOn } from "../focus";
import { callRuns } from "./model";
import type { Desk } from "./desk.svelte";
import { neighbour } from "./inbox";
import { CHOICES } from "./presence";
import { testRuns } from "./readiness";
import { theme } from "./theme.svelte";

export type ActionGroup = "Conversation" | "Presence" | "Call" | "Supervision" | "Readiness" | "Move" | "Window";

/** One thing an agent can do: in the palette, on a key, in a tooltip. */
export interface Action {
  readonly id: string;
  readonly group: ActionGroup;
  readonly title: string;
  /** As in {@link chord}; empty for none. */
  readonly keys: readonly string[];
  /** Why it cannot be done now; null when it can. */
  readonly blocked: string | null;
  readonly run: () => void;
}

/** Keys of the actions by id; tooltips use the same table. */
export const KEYS = {
  palette: ["Ctrl+K"],
  shortcuts: ["?"],
  search: ["/"],
  next: ["j"],
  previous: ["k"],
  open: ["Enter"],
  accept: ["a", "Ctrl+Shift+A"],
  decline: ["d", "Ctrl+Shift+D"],
  asked: ["q", "Ctrl+Shift+Q"],
  reply: ["r"],
  start_video: ["v"],
  microphone: ["m", "Ctrl+Shift+M"],
  camera: ["c"],
  share: ["Ctrl+Shift+S"],
  hang_up: ["Ctrl+Shift+H"],
  wrap_up: ["w"],
  transfer: ["h"],
  presence: ["p"],
  self_test: ["t"],
  board: ["b"],
  wall: ["l"],
  join: ["e"],
  assign: ["s"],
  hand_on: ["x"],
  why: ["i"],
  audit: ["u"],
  connectors: ["g"],
  back: ["Escape"],
  tone_heard: ["y"],
  tone_not_heard: ["n"],
} as const satisfies Record<string, readonly string[]>;

/** Every action, in the order of the palette. */
export function actions(desk: Desk): readonly Action[] {
  return [
    ...conversationActions(desk),
    ...presenceActions(desk),
    ...callActions(desk),
    ...supervisionActions(desk),
    ...readinessActions(desk),
    ...moveActions(desk),
    ...windowActions(desk),
  ];
}

function conversationActions(desk: Desk): readonly Action[] {
  const waiting = desk.acceptTarget();
  const active = desk.owned && desk.conversation?.state === "active";
  return [
    {
      id: "accept",
      group: "Conversation",
      title: waiting === null ? "Accept" : `Accept ${waiting.customer_name}`,
      keys: KEYS.accept,
      blocked: waiting === null ? "Nobody is waiting." : null,
      run: () => void desk.accept(waiting?.id ?? null).then((ok) => ok && focusOn("composer")),
    },
    {
      id: "decline",
      group: "Conversation",
      title: desk.asked === null ? "Decline" : `Decline ${desk.asked.customer_name}`,
      keys: KEYS.decline,
      blocked: desk.asked === null ? "You are not asked to take a conversation." : null,
      run: () => void desk.decline(),
    },
    {
      id: "asked",
      group: "Conversation",
      title: "Go to what you are asked",
      keys: KEYS.asked,
      blocked: desk.asked === null ? "You are not asked to take a conversation." : null,
      run: () => focusOn("asked"),
    },
    {
      id: "back_again",
      group: "Conversation",
      title: "Be assigned conversations again",
      keys: [],
      blocked: desk.model.paused === null ? "Nothing stands in the way." : null,
      run: () => void desk.command({ type: "back_again" }),
    },
    {
      id: "reply",
      group: "Conversation",
      title: "Write a reply",
      keys: KEYS.reply,
      blocked: active ? null : "No active conversation is open.",
      run: () => focusOn("composer"),
    },
    {
      id: "start_video",
      group: "Conversation",
      title: "Start video",
      keys: KEYS.start_video,
      blocked: desk.videoBlock?.reason ?? null,
      run: () => void desk.startVideo(),
    },
    {
      id: "meeting",
      group: "Conversation",
      title: "Open a Webex room",
      keys: [],
      blocked: !active
        ? "No active conversation is open."
        : desk.conversation?.meetings
          ? null
          : "Rooms of Webex are not set up here.",
      run: () => void desk.makeMeeting(),
    },
    ...[true, false].map((video) => ({
      id: video ? "chat_link_video" : "chat_link",
      group: "Conversation" as const,
      title: video ? "Send chat link, for video" : "Send chat link",
      keys: [],
      blocked: active ? null : "No active conversation is open.",
      run: () => void desk.sendChatLink(video),
    })),
    {
      id: "wrap_up",
      group: "Conversation",
      title: "Wrap up",
      keys: KEYS.wrap_up,
      blocked: active ? null : "No active conversation is open.",
      run: () => void desk.wrapUp(),
    },
    {
      id: "transfer",
      group: "Conversation",
      title: "Transfer to a colleague or a queue",
      keys: KEYS.transfer,
      blocked: desk.transferBlock(),
      run: () => (desk.dialog = "transfer"),
    },
  ];
}

function presenceActions(desk: Desk): readonly Action[] {
  const mine = desk.model.presence;
  const unknown = mine === null ? "The server has not said anything of presence." : null;
  return [
    {
      id: "presence",
      group: "Presence",
      title: "Change the presence",
      keys: KEYS.presence,
      blocked: unknown,
      run: () => document.getElementById("presence")?.click(),
    },
    ...CHOICES.map(({ chosen, title }) => ({
      id: `presence_${chosen}`,
      group: "Presence" as const,
      title: `Be: ${title.toLowerCase()}`,
      keys: [],
      blocked: unknown ?? (mine?.chosen === chosen && desk.model.paused === null ? "That is what you are." : null),
      run: () => void desk.choosePresence(chosen),
    })),
  ];
}

function callActions(desk: Desk): readonly Action[] {
  const call = desk.model.call;
  const running = callRuns(call) ? null : "You are not in a call.";
  const invited =
    call?.phase.type === "waiting" ? null : "No invite is out.";
  return [
    {
      id: "microphone",
      group: "Call",
      title: call?.own.microphone === false ? "Unmute microphone" : "Mute microphone",
      keys: KEYS.microphone,
      blocked: running ?? (call?.sound === "phone" ? "The sound of this call is on the phone." : null),
      run: () => void desk.command({ type: "set_microphone", on: call?.own.microphone === false }),
    },
    {
      id: "camera",
      group: "Call",
      title: call?.own.camera === false ? "Turn camera on" : "Turn camera off",
      keys: KEYS.camera,
      blocked: running,
      run: () => void desk.command({ type: "set_camera", on: call?.own.camera === false }),
    },
    {
      id: "share",
      group: "Call",
      title: call !== null && call.sharing !== null ? "Stop sharing" : "Share a screen",
      keys: KEYS.share,
      blocked: running,
      run: () => void desk.share(),
    },
    {
      id: "hang_up",
      group: "Call",
      title: call?.phase.type === "waiting" ? "Cancel video" : "Hang up",
      keys: KEYS.hang_up,
      blocked: running,
      run: () =>
        void desk.command({ type: call?.phase.type === "waiting" ? "cancel_invite" : "hang_up" }),
    },
    {
      id: "resend",
      group: "Call",
      title: "Resend link",
      keys: [],
      blocked: invited,
      run: () => void desk.command({ type: "resend_invite" }),
    },
    {
      id: "to_call",
      group: "Call",
      title: "Go to the call",
      keys: [],
      blocked: running ?? (desk.stage === null ? null : "The call is on the screen."),
      run: () => call !== null && desk.open(call.conversation),
    },
    {
      id: "stage_size",
      group: "Call",
      title: desk.stageLarge ? "Small stage" : "Large stage",
      keys: [],
      blocked: running,
      run: () => (desk.stageLarge = !desk.stageLarge),
    },
  ];
}

/** What supervisors do; agents do not see them. */
function supervisionActions(desk: Desk): readonly Action[] {
  if (!desk.supervises) return [];
  const conversation = desk.conversation;
  const none = "No conversation of a colleague is open.";
  const id = conversation?.id ?? "";
  const active = desk.watches && conversation?.state === "active";
  const open = desk.watches && conversation?.state === "open";
  const explained = desk.explained();
  return [
    {
      id: "wall",
      group: "Supervision",
      title: "Open the live wall",
      keys: KEYS.wall,
      blocked: null,
      run: () => showView(desk, "wall"),
    },
    {
      id: "audit",
      group: "Supervision",
      title: "Open the audit log",
      keys: KEYS.audit,
      blocked: null,
      run: () => showView(desk, "audit"),
    },
    {
      id: "why",
      group: "Supervision",
      title: "Why is it with this agent, or with nobody?",
      keys: KEYS.why,
      blocked:
        explained !== null ? null : desk.view === "wall" ? "No conversation of the wall has the focus." : "No conversation is open.",
      run: () => explained !== null && desk.explain(explained),
    },
    {
      id: "join",
      group: "Supervision",
      title: desk.helps ? "Leave the conversation" : "Join the conversation",
      keys: KEYS.join,
      blocked: active ? null : none,
      run: () => {
        const type = desk.helps ? "leave" : "join";
        void desk.command({ type, conversation: id }).then((ok) => ok && type === "join" && focusOn("composer"));
      },
    },
    {
      id: "assign",
      group: "Supervision",
      title: "Assign to an agent",
      keys: KEYS.assign,
      blocked: open ? null : "No conversation that waits is open.",
      run: () => desk.supervise("assign", id),
    },
    {
      id: "hand_on",
      group: "Supervision",
      title: "Transfer to another agent",
      keys: KEYS.hand_on,
      blocked: active ? null : none,
      run: () => desk.supervise("hand_on", id),
    },
    {
      id: "force_close",
      group: "Supervision",
      title: "Force close",
      keys: [],
      blocked: desk.watches ? null : none,
      run: () => desk.supervise("force_close", id),
    },
  ];
}

function readinessActions(desk: Desk): readonly Action[] {
  const { test } = desk.model;
  const asked = test?.asks_for_tone === true;
  const away = desk.view !== "conversations";
  const answer = (heard: boolean) => () => void desk.command({ type: "tone_heard", heard });
  return [
    {
      id: "self_test",
      group: "Readiness",
      title: "Open the self-test",
      keys: KEYS.self_test,
      blocked: null,
      run: () => showView(desk, "self_test"),
    },
    {
      id: "test_full",
      group: "Readiness",
      title: "Test this desk",
      keys: [],
      blocked: desk.testBlock,
      run: () => {
        showView(desk, "self_test");
        void desk.testSelf("full");
      },
    },
    {
      id: "test_quick",
      group: "Readiness",
      title: "Test the devices only",
      keys: [],
      blocked: desk.testBlock,
      run: () => {
        showView(desk, "self_test");
        void desk.testSelf("quick");
      },
    },
    {
      id: "test_stop",
      group: "Readiness",
      title: "Stop the self-test",
      keys: [],
      blocked: testRuns(test) ? null : "No test is running.",
      run: () => void desk.command({ type: "stop_test" }),
    },
    {
      id: "tone_heard",
      group: "Readiness",
      title: "I hear the test tone",
      keys: asked ? KEYS.tone_heard : [],
      blocked: asked ? null : "No tone is playing.",
      run: answer(true),
    },
    {
      id: "tone_not_heard",
      group: "Readiness",
      title: "I do not hear the test tone",
      keys: asked ? KEYS.tone_not_heard : [],
      blocked: asked ? null : "No tone is playing.",
      run: answer(false),
    },
    {
      id: "report_save",
      group: "Readiness",
      title: "Save the self-test's report",
      keys: [],
      blocked: test === null || test.checks.length === 0 ? "Nothing has been tested yet." : null,
      run: () => {
        showView(desk, "self_test");
        void desk.save(false);
      },
    },
    {
      id: "board",
      group: "Readiness",
      title: "Open the readiness board",
      keys: KEYS.board,
      blocked: desk.supervises ? null : "For supervisors only.",
      run: () => showView(desk, "board"),
    },
    {
      id: "board_save",
      group: "Readiness",
      title: "Save the readiness board as CSV",
      keys: [],
      blocked: desk.supervises ? null : "For supervisors only.",
      run: () => {
        showView(desk, "board");
        void desk.save(true);
      },
    },
    {
      id: "connectors",
      group: "Readiness",
      title: desk.administers ? "Open the connectors" : "Open the dead letters",
      keys: KEYS.connectors,
      blocked: desk.supervises ? null : "For supervisors and admins only.",
      run: () => showView(desk, "connectors"),
    },
    {
      id: "back",
      group: "Readiness",
      title: "Back to the conversations",
      keys: away ? KEYS.back : [],
      blocked: away ? null : "The conversations are on the screen.",
      run: () => {
        desk.go("conversations");
        focusOn("inbox");
      },
    },
  ];
}

/** Shows another part of the window, and reads from its top. */
export function showView(desk: Desk, view: "self_test" | "board" | "wall" | "audit" | "connectors"): void {
  desk.go(view);
  focusOn("page");
}

function moveActions(desk: Desk): readonly Action[] {
  const board = desk.view === "board";
  const rows = desk.view === "connectors";
  return [
    {
      id: "next",
      group: "Move",
      title: board ? "Next agent" : rows ? "Next row" : "Next conversation",
      keys: KEYS.next,
      blocked: null,
      run: () => moveFocus(desk, 1),
    },
    {
      id: "previous",
      group: "Move",
      title: board ? "Previous agent" : rows ? "Previous row" : "Previous conversation",
      keys: KEYS.previous,
      blocked: null,
      run: () => moveFocus(desk, -1),
    },
    {
      id: "search",
      group: "Move",
      title: board ? "Search the board" : desk.view === "wall" ? "Search the wall" : "Search the inbox",
      keys: KEYS.search,
      blocked: rows ? "There is nothing to search here." : null,
      run: () => focusOn(board ? "board_search" : desk.view === "wall" ? "wall_search" : "search"),
    },
  ];
}

function windowActions(desk: Desk): readonly Action[] {
  return [
    {
      id: "context",
      group: "Window",
      title: desk.contextShown ? "Hide the context panel" : "Show the context panel",
      keys: [],
      blocked: null,
      run: () => (desk.contextShown = !desk.contextShown),
    },
    {
      id: "theme_light",
      group: "Window",
      title: "Light theme",
      keys: [],
      blocked: null,
      run: () => theme.set("light"),
    },
    {
      id: "theme_dark",
      group: "Window",
      title: "Dark theme",
      keys: [],
      blocked: null,
      run: () => theme.set("dark"),
    },
    {
      id: "theme_system",
      group: "Window",
      title: "Theme of the system",
      keys: [],
      blocked: null,
      run: () => theme.set("system"),
    },
    {
      id: "palette",
      group: "Window",
      title: "All actions",
      keys: KEYS.palette,
      blocked: null,
      run: () => (desk.dialog = "palette"),
    },
    {
      id: "shortcuts",
      group: "Window",
      title: "Keyboard shortcuts",
      keys: KEYS.shortcuts,
      blocked: null,
      run: () => (desk.dialog = "shortcuts"),
    },
    {
      id: "sign_out",
      group: "Window",
      title: "Sign out",
      keys: [],
      blocked: callRuns(desk.model.call) ? "End the call first." : null,
      run: () => void desk.command({ type: "sign_out" }),
    },
  ];
}

/** Moves the focus through the rows as they are drawn; Enter opens the one that has it. */
function moveFocus(desk: Desk, step: 1 | -1): void {
  const letters = document.querySelector("[data-letter]") !== null;
  const kind =
    desk.view === "board"
      ? "agent"
      : desk.view === "connectors"
        ? letters ? "letter" : "connector"
        : "conversation";
  const rows = [...document.querySelectorAll<HTMLElement>(`[data-${kind}]`)];
  const focused = rows.find((row) => row === document.activeElement);
  const ids = rows.map((row) => row.dataset[kind] ?? "");
  const current = focused?.dataset[kind] ?? (kind === "conversation" ? desk.selected : null);
  const target = neighbour(ids, current, step);
  rows.find((row) => row.dataset[kind] === target)?.focus();
}

/** The chord of a key press in the notation of {@link KEYS}: "j", "?", "Ctrl+Shift+H". */
export function chord(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey">): string {
  const modified = event.ctrlKey || event.metaKey;
  if (!modified) return event.key;
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  return `Ctrl+${event.shiftKey ? "Shift+" : ""}${key}`;
}

/** The action of a key press; single letters count only when nobody is typing. */
export function actionFor(
  all: readonly Action[],
  pressed: string,
  typing: boolean,
): Action | undefined {
  if (typing && !pressed.startsWith("Ctrl+")) return undefined;
  return all.find((action) => action.keys.includes(pressed));
}
