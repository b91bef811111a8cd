import type {
  BoardRow,
  Check,
  CheckKind,
  DeviceIdentity,
  DeskCommand,
  DeskEvent,
  Figure,
  Finding,
  Lease,
  Narrowing,
  Outcome,
  Readiness,
  ReadinessPolicy,
  Report,
  SelfTestView,
} from "$wire";
import { CHECK_TITLES } from "../../state/readiness";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const KINDS = Object.keys(CHECK_TITLES) as CheckKind[];
const QUICK: readonly CheckKind[] = ["camera", "microphone", "speaker"];

const policy: ReadinessPolicy = { required: true, lease_ms: 12 * HOUR, minimum_version: "" };

const identities: Readonly<Record<"camera" | "microphone" | "speaker", DeviceIdentity>> = {
  camera: { kind: "camera", id: "cam-1", name: "Integrated Webcam HD" },
  microphone: { kind: "microphone", id: "mic-1", name: "Jabra Evolve2 65 Mono, Analog Stereo Input" },
  speaker: { kind: "speaker", id: "spk-1", name: "Jabra Evolve2 65 Mono" },
};

/** What a good desk measures. */
const GOOD: Readonly<Record<CheckKind, readonly [sentence: string, ...Figure[]]>> = {
  camera: [
    "The camera delivers a good picture.",
    { name: "width", value: 1280, unit: "px" },
    { name: "height", value: 720, unit: "px" },
    { name: "fps", value: 29.9, unit: "fps" },
    { name: "first_picture", value: 384, unit: "ms" },
  ],
  microphone: [
    "The microphone hears you well.",
    { name: "peak", value: -9.1, unit: "dbfs" },
    { name: "level", value: -24.2, unit: "dbfs" },
    { name: "floor", value: -61.8, unit: "dbfs" },
    { name: "clipped", value: 0, unit: "percent" },
    { name: "channels", value: 1, unit: "count" },
  ],
  speaker: ["You heard the tone.", { name: "tone_over_floor", value: 18.4, unit: "db" }],
  echo: [
    "The microphone hardly hears the speaker.",
    { name: "echo_delay", value: 74, unit: "ms" },
    { name: "echo_gain", value: -41, unit: "db" },
  ],
  permissions: ["Camera and microphone are allowed."],
  encoder: ["Video at 720p leaves time to spare.", { name: "fps_possible", value: 176, unit: "fps" }],
  backend: [
    "The server answers, and its certificate is good.",
    { name: "round_trip", value: 21.4, unit: "ms" },
    { name: "certificate_ends_in", value: 61, unit: "days" },
  ],
  clock: ["This computer's clock is right.", { name: "offset", value: -38, unit: "ms" }],
  line: [
    "The line carries video with room to spare.",
    { name: "round_trip", value: 22, unit: "ms" },
    { name: "jitter", value: 1.8, unit: "ms" },
    { name: "loss", value: 0, unit: "percent" },
    { name: "down", value: 48_200_000, unit: "bits_per_second" },
    { name: "up", value: 21_700_000, unit: "bits_per_second" },
  ],
  stun: ["This computer is known from outside.", { name: "answered_in", value: 19, unit: "ms" }],
  relay_udp: ["The relay is reached over UDP.", { name: "up_in", value: 64, unit: "ms" }],
  relay_tcp: ["The relay is reached over TCP.", { name: "up_in", value: 81, unit: "ms" }],
  relay_tls: ["The relay is reached over TLS.", { name: "up_in", value: 118, unit: "ms" }],
  call: [
    "Picture and sound came through, there and back.",
    { name: "first_picture", value: 212, unit: "ms" },
    { name: "picture_delay", value: 96, unit: "ms" },
    { name: "sound_there_and_back", value: 141, unit: "ms" },
    { name: "loss", value: 0.1, unit: "percent" },
    { name: "mos", value: 4.3, unit: "mos" },
    { name: "relayed", value: 0, unit: "count" },
    { name: "transport", value: 0, unit: "count" },
  ],
  relayed_call: [
    "The same came through over the relay.",
    { name: "first_picture", value: 296, unit: "ms" },
    { name: "picture_delay", value: 121, unit: "ms" },
    { name: "mos", value: 4.2, unit: "mos" },
  ],
  storage: ["There is room on the disk.", { name: "free", value: 214_000_000_000, unit: "bytes" }],
  keyring: ["Secrets have a safe place."],
  version: ["This version of the app is allowed."],
};

function good(kind: CheckKind): Check {
  const [sentence, ...figures] = GOOD[kind];
  const device = kind === "camera" || kind === "microphone" || kind === "speaker" ? identities[kind] : null;
  return { kind, outcome: "pass", finding: null, sentence, remedy: "", figures: [...figures], device, took_ms: 840 };
}

function bad(kind: CheckKind, outcome: Outcome, finding: Finding, sentence: string, remedy: string, figures: Figure[] = []): Check {
  return { ...good(kind), outcome, finding, sentence, remedy, figures };
}

const BUSY = bad("camera", "fail", "camera_busy", "The camera is used by another program: cheese.", "Close that program, then test again.");
const BLOCKED = bad(
  "relay_udp",
  "warn",
  "relay_unreachable",
  "This way to the relay is blocked.",
  "Tell IT which way is blocked. Calls use the others.",
);
const SILENT = bad(
  "microphone",
  "fail",
  "microphone_silent",
  "The microphone delivers nothing at all.",
  "Check its plug and its own switch, or choose another.",
  [{ name: "level", value: -120, unit: "dbfs" }],
);
const PORTAL = bad(
  "backend",
  "fail",
  "portal",
  "Another page answers in place of the server.",
  "Open a browser and sign in to this network first.",
);

/** Everything good but `others`. */
function checksWith(...others: Check[]): Check[] {
  return KINDS.map((kind) => others.find((check) => check.kind === kind) ?? good(kind));
}

function leaseOf(readiness: Readiness, narrowed_by: Narrowing[] = []): Lease {
  const since = Date.now() - 22 * MINUTE;
  return { readiness, since, expires_at: since + policy.lease_ms, narrowed_by, devices: Object.values(identities) };
}

function view(more: Partial<SelfTestView>): SelfTestView {
  return {
    running: [],
    extent: "full",
    checks: [],
    readiness: null,
    finished_at: null,
    asks_for_tone: false,
    level: null,
    lease: null,
    policy,
    ...more,
  };
}

function finished(readiness: Readiness, checks: Check[], narrowed_by: Narrowing[] = []): SelfTestView {
  return view({ checks, readiness, finished_at: Date.now() - 22 * MINUTE, lease: leaseOf(readiness, narrowed_by) });
}

export const untested = (): SelfTestView =>
  view({ extent: null, lease: { ...leaseOf("not_ready", [{ type: "never_tested" }]), devices: [] } });

export const ready = (): SelfTestView => finished("video", checksWith(BLOCKED));

export const audioOnly = (): SelfTestView =>
  finished("audio", checksWith(BUSY, BLOCKED), [{ type: "failed", check: "camera", finding: "camera_busy" }]);

export const notReady = (): SelfTestView =>
  finished("not_ready", checksWith(SILENT, PORTAL), [
    { type: "failed", check: "microphone", finding: "microphone_silent" },
    { type: "failed", check: "backend", finding: "portal" },
  ]);

/** Passed, and then somebody pulled the plug. */
export const unplugged = (): SelfTestView => ({
  ...finished("video", checksWith()),
  lease: leaseOf("audio", [{ type: "unplugged", kind: "camera", name: identities.camera.name }]),
});

/** In the middle: devices and network run side by side. */
export const testing = (): SelfTestView =>
  view({
    running: ["camera", "microphone", "relay_tcp", "relay_tls"],
    checks: ["permissions", "backend", "clock", "stun", "relay_udp"].map((kind) => good(kind as CheckKind)),
    level: 0.62,
  });

export const calling = (): SelfTestView =>
  view({ running: ["call"], checks: KINDS.slice(0, 13).map(good) });

export const asking = (): SelfTestView =>
  view({ running: ["speaker"], checks: ["camera", "microphone", "backend", "clock"].map((kind) => good(kind as CheckKind)), asks_for_tone: true });

const PEOPLE = [
  "Maximiliana Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh",
  "Chinonso Okonkwo",
  "李 小龙",
  "Åsa Lindström",
  "Ömer Yıldız",
  "Priya Raghunathan",
  "Bo",
  "Fatima Al-Mansouri",
];
const PATHS = ["UDP, direct", "UDP, direct", "TLS relay", "TCP relay"];
const CAMERAS = ["Integrated Webcam HD", "Logitech BRIO Ultra HD Pro Business Webcam with RightLight 3", "HD Pro Webcam C920"];

/** Forty agents: every standing, long names, some away, one of them being tested. */
export function board(): BoardRow[] {
  const now = Date.now();
  return Array.from({ length: 40 }, (_, index): BoardRow => {
    const name = `${PEOPLE[index % PEOPLE.length] ?? ""}${index < PEOPLE.length ? "" : ` ${index}`}`;
    const devices: DeviceIdentity[] = [
      { kind: "camera", id: "c", name: CAMERAS[index % CAMERAS.length] ?? "" },
      identities.microphone,
      identities.speaker,
    ];
    const base = { agent: `agent-${index}`, name, desk: `desk-${index}`, path: PATHS[index % PATHS.length] ?? "" };
    const lease = (readiness: Readiness, narrowed_by: Narrowing[]): Lease => ({
      readiness,
      narrowed_by,
      devices,
      since: now - (index + 1) * 7 * MINUTE,
      expires_at: now + (12 - (index % 11)) * HOUR,
    });
    const tested_at = now - (index + 2) * 19 * MINUTE;
    if (index % 9 === 8) return { ...base, desk: null, online: false, lease: null, tested_at: null, path: "", testing: false };
    if (index % 7 === 3) {
      const narrowed: Narrowing = { type: "unplugged", kind: "camera", name: devices[0]?.name ?? "" };
      return { ...base, online: true, lease: lease("audio", [narrowed]), tested_at, testing: false };
    }
    if (index % 7 === 5) {
      const narrowed: Narrowing[] = [{ type: "failed", check: "microphone", finding: "microphone_muted" }];
      return { ...base, online: true, lease: lease("not_ready", narrowed), tested_at, testing: index === 5 };
    }
    if (index % 10 === 6) {
      return { ...base, online: false, lease: lease("not_ready", [{ type: "offline" }]), tested_at, testing: false };
    }
    return { ...base, online: true, lease: lease("video", []), tested_at, testing: false };
  });
}

/** Thirty of them, the newest first: mostly good, with a bad week in between. */
export function reports(): Report[] {
  return Array.from({ length: 30 }, (_, index): Report => {
    const finished_at = Date.now() - (index * 9 + 1) * HOUR;
    const checks = index % 11 === 4 ? checksWith(BUSY) : index % 13 === 7 ? checksWith(SILENT) : checksWith(BLOCKED);
    const readiness = index % 11 === 4 ? "audio" : index % 13 === 7 ? "not_ready" : "video";
    return {
      id: `report-${index}`,
      extent: index % 3 === 1 ? "quick" : "full",
      started_at: finished_at - 31_000,
      finished_at,
      app_version: "0.1.0",
      system: "Debian 12, x86_64",
      readiness,
      checks: index % 3 === 1 ? checks.filter(({ kind }) => QUICK.includes(kind)) : checks,
    };
  });
}

/** The order in which the mock tests: what disturbs nothing else runs together. */
const STEPS: readonly (readonly CheckKind[])[] = [
  ["permissions", "backend", "clock", "version"],
  ["camera", "stun", "relay_udp", "relay_tcp", "relay_tls"],
  ["microphone", "line"],
  ["speaker"],
  ["echo", "storage", "keyring"],
  ["encoder"],
  ["call"],
  ["relayed_call"],
];
const STEP_MS = 900;
const LEVEL_MS = 90;
const ANSWER_MS = 8_000;

/** Answers the commands of readiness as the controller does: one test at a time, and a board that lives. */
export class MockReadiness {
  #test: SelfTestView = untested();
  #rows: BoardRow[] = [];
  #step: ReturnType<typeof setTimeout> | undefined;
  #level: ReturnType<typeof setInterval> | undefined;

  constructor(readonly emit: (event: DeskEvent) => void) {}

  /** Goes on from what a scenario has drawn. */
  begin(test: SelfTestView): void {
    this.#test = test;
  }

  /** Whether the command was one of readiness. */
  send(command: DeskCommand): boolean {
    switch (command.type) {
      case "test_self":
        this.#start(command.extent === "full" ? STEPS : [command.check === null ? QUICK : [command.check]], command.extent);
        return true;
      case "tone_heard":
        this.#heard(command.heard);
        return true;
      case "stop_test":
        this.#stop();
        this.#show({ running: [], asks_for_tone: false, level: null });
        return true;
      case "watch_board":
        if (command.open) this.#board(board());
        return true;
      case "ask_for_test":
        this.#ask(command.agent);
        return true;
      case "read_reports":
        setTimeout(() => this.emit({ type: "reports", agent: command.agent, reports: reports() }), 200);
        return true;
      case "save_readiness":
        this.emit({ type: "saved", path: `Downloads/${command.board ? "readiness.csv" : "self-test.txt"}` });
        return true;
      default:
        return false;
    }
  }

  #show(change: Partial<SelfTestView>): void {
    this.#test = { ...this.#test, ...change };
    this.emit({ type: "self_test", test: this.#test });
  }

  #start(steps: readonly (readonly CheckKind[])[], extent: NonNullable<SelfTestView["extent"]>): void {
    this.#stop();
    this.#show({ extent, readiness: null, finished_at: null, checks: extent === "full" ? [] : this.#test.checks });
    this.#run([...steps]);
  }

  #run(steps: (readonly CheckKind[])[]): void {
    const kinds = steps.shift();
    if (kinds === undefined) return this.#end();
    const asks = kinds.includes("speaker");
    this.#show({ running: [...kinds], asks_for_tone: asks, level: kinds.includes("microphone") ? 0 : null });
    if (kinds.includes("microphone")) {
      let beat = 0;
      this.#level = setInterval(() => this.#show({ level: Math.abs(Math.sin((beat += 0.4))) * 0.8 }), LEVEL_MS);
    }
    const done = () => {
      clearInterval(this.#level);
      this.#know(kinds.map(good));
      this.#run(steps);
    };
    this.#rest = done;
    this.#step = setTimeout(done, asks ? ANSWER_MS : STEP_MS);
  }

  /** What follows the running step. */
  #rest: () => void = () => {};

  #know(found: Check[]): void {
    const all = new Map([...this.#test.checks, ...found].map((check) => [check.kind, check]));
    this.#show({ checks: KINDS.flatMap((kind) => all.get(kind) ?? []), level: null });
  }

  #heard(heard: boolean): void {
    if (!this.#test.asks_for_tone) return;
    clearTimeout(this.#step);
    this.#show({ asks_for_tone: false });
    if (heard) return this.#rest();
    const deaf = bad("speaker", "fail", "speaker_not_heard", "The test tone was not heard.", "Raise the volume, or choose another speaker.");
    this.#stop();
    this.#know([deaf]);
    this.#end("not_ready", [{ type: "failed", check: "speaker", finding: "speaker_not_heard" }]);
  }

  #end(readiness: Readiness = "video", narrowed_by: Narrowing[] = []): void {
    const lease = { ...leaseOf(readiness, narrowed_by), since: Date.now(), expires_at: Date.now() + policy.lease_ms };
    this.#show({ running: [], asks_for_tone: false, level: null, readiness, finished_at: Date.now(), lease });
  }

  #stop(): void {
    clearTimeout(this.#step);
    clearInterval(this.#level);
  }

  #board(rows: BoardRow[]): void {
    this.#rows = rows;
    this.emit({ type: "board", rows });
  }

  #ask(agent: string): void {
    const change = (more: Partial<BoardRow>) =>
      this.#board(this.#rows.map((row) => (row.agent === agent ? { ...row, ...more } : row)));
    change({ testing: true });
    setTimeout(() => change({ testing: false, tested_at: Date.now(), lease: { ...leaseOf("video"), since: Date.now() } }), 2_500);
  }
}

