import type { Check, CheckKind, Finding, Lease, Narrowing, Outcome, Readiness, SelfTestView } from "$wire";
import { duration, time } from "../format";

/** What a desk can be used for, or that nobody knows. */
export type Standing = Readiness | "unknown";
export type Tone = "green" | "amber" | "red" | "accent" | "";

/** The names of the checks, in the order of the signal. */
export const CHECK_TITLES: Readonly<Record<CheckKind, string>> = {
  camera: "Camera",
  microphone: "Microphone",
  speaker: "Speaker",
  echo: "Echo",
  permissions: "Permissions",
  encoder: "Video at full size",
  backend: "Server",
  clock: "Clock",
  line: "Line to the server",
  stun: "Address from outside",
  relay_udp: "Relay over UDP",
  relay_tcp: "Relay over TCP",
  relay_tls: "Relay over TLS",
  call: "Test call",
  relayed_call: "Test call over the relay",
  storage: "Disk",
  keyring: "Keyring",
  version: "App version",
};

export const STANDING_WORDS: Readonly<Record<Standing, { title: string; short: string; tone: Tone }>> = {
  video: { title: "Ready for video", short: "Ready", tone: "green" },
  audio: { title: "Ready for audio only", short: "Audio only", tone: "amber" },
  not_ready: { title: "Not ready", short: "Not ready", tone: "red" },
  unknown: { title: "Not tested yet", short: "Not tested", tone: "" },
};

export const OUTCOME_WORDS: Readonly<Record<Outcome, { word: string; tone: Tone }>> = {
  pass: { word: "Good", tone: "green" },
  skipped: { word: "Skipped", tone: "" },
  warn: { word: "Could be better", tone: "amber" },
  fail: { word: "Failed", tone: "red" },
};

/** The findings in a few words, for lists; the whole sentence stands in the check itself. */
const FINDING_WORDS: Readonly<Record<Finding, string>> = {
  camera_missing: "none found",
  camera_busy: "used by another program",
  camera_denied: "not allowed by the system",
  camera_failed: "cannot be started",
  camera_black: "black picture",
  camera_covered: "shutter closed",
  camera_frozen: "picture stands still",
  camera_dark: "too dark",
  camera_bright: "too bright",
  camera_slow: "too few pictures a second",
  camera_small: "picture too small",
  microphone_missing: "none found",
  microphone_busy: "used by another program",
  microphone_denied: "not allowed by the system",
  microphone_failed: "cannot be started",
  microphone_muted: "muted by the system",
  microphone_silent: "delivers nothing",
  microphone_quiet: "very quiet",
  microphone_clips: "too loud",
  microphone_noisy: "noisy",
  microphone_one_sided: "one side is dead",
  speaker_missing: "none found",
  speaker_busy: "used by another program",
  speaker_failed: "cannot be started",
  speaker_muted: "muted by the system",
  speaker_not_heard: "tone not heard",
  echo_strong: "strong echo",
  permission_missing: "one is withheld",
  encoder_slow: "computer too slow",
  backend_unreachable: "cannot be reached",
  certificate_bad: "bad certificate",
  certificate_ending: "certificate expires soon",
  portal: "sign-in page in the way",
  clock_wrong: "wrong",
  round_trip_long: "long round trip",
  uneven: "uneven",
  packets_lost: "packets lost",
  line_narrow: "too narrow for video",
  stun_unreachable: "not known",
  relay_unreachable: "blocked",
  relay_refused: "refused",
  call_failed: "did not come about",
  call_slow: "slow to begin",
  call_without_picture: "no picture",
  call_without_sound: "no sound",
  call_poor: "sounded poor",
  storage_full: "too little room",
  storage_unusable: "cannot be written",
  keyring_unusable: "none",
  version_old: "too old",
  device_changed: "another device than last time",
  too_late: "took too long",
};

/** "Camera: used by another program". */
export function findingText(kind: CheckKind, finding: Finding | null): string {
  return `${CHECK_TITLES[kind]}: ${finding === null ? "failed" : FINDING_WORDS[finding]}`;
}

/** What a lease comes to; one that was never earned is nothing known. */
export function standing(lease: Lease | null): Standing {
  if (lease === null) return "unknown";
  const never = lease.narrowed_by.some((narrowing) => narrowing.type === "never_tested");
  return never && lease.readiness === "not_ready" ? "unknown" : lease.readiness;
}

/** Whether any check runs. */
export function testRuns(test: SelfTestView | null): boolean {
  return test !== null && test.running.length > 0;
}

/** Why a lease is not more, to the person at the desk: what happened, and what to do. */
export function narrowingText(
  narrowing: Narrowing,
  checks: readonly Check[] = [],
): { readonly what: string; readonly next: string } {
  switch (narrowing.type) {
    case "never_tested":
      return { what: "This desk has not been tested yet.", next: "Run the self-test; it takes about half a minute." };
    case "failed": {
      const check = checks.find(({ kind, outcome }) => kind === narrowing.check && outcome === "fail");
      if (check !== undefined) return { what: check.sentence, next: check.remedy };
      return { what: `${findingText(narrowing.check, narrowing.finding)}.`, next: "Test again; the check says what to do." };
    }
    case "unplugged":
      return { what: `${narrowing.name} was unplugged.`, next: "Plug it back in, or choose another device." };
    case "expired":
      return { what: "The last self-test is too old.", next: "Test again." };
    case "offline":
      return { what: "The server does not hear from this desk.", next: "This ends by itself when it is reached again." };
    case "handshakes":
      return {
        what: "Three calls in a row did not come about.",
        next: "Run the whole self-test; video is back when it passes.",
      };
  }
}

/** The same in a few words, for the board. */
export function narrowingShort(narrowing: Narrowing): string {
  switch (narrowing.type) {
    case "never_tested":
      return "Never tested";
    case "failed":
      return findingText(narrowing.check, narrowing.finding);
    case "unplugged":
      return `Unplugged: ${narrowing.name}`;
    case "expired":
      return "Test too old";
    case "offline":
      return "Not connected";
    case "handshakes":
      return "Three calls did not come about";
  }
}

/** Why video cannot be started from this desk; null when it can, or when the server has not said anything yet. */
export function leaseBlock(test: SelfTestView | null): string | null {
  if (test === null || (test.lease === null && test.policy === null)) return null;
  if (test.lease?.readiness === "video" || test.policy?.required === false) return null;
  const narrowing = test.lease?.narrowed_by[0] ?? ({ type: "never_tested" } as const);
  const { what } = narrowingText(narrowing, test.checks);
  return test.lease?.readiness === "audio" ? `This desk is ready for audio only. ${what}` : what;
}

/** The top of the self-test: where this desk stands, in one line, and the one button. */
export interface Verdict {
  readonly standing: Standing | "testing";
  readonly tone: Tone;
  readonly title: string;
  readonly text: string;
  readonly button: string;
}

/** Longer than a test of this extent can take, every check at its deadline. */
const LONGEST_MS = { full: 150_000, quick: 20_000, single: 60_000 } as const;

/** `since`: when the running test began, by this window's clock. */
export function verdict(test: SelfTestView | null, since: number, now: number): Verdict {
  if (test !== null && testRuns(test)) return testingVerdict(test, now - since);
  const told = standing(test?.lease ?? null);
  // Without the server's word the test itself says it, and that the server has not.
  const at = told === "unknown" && test !== null && test.readiness !== null ? test.readiness : told;
  const { title, tone } = STANDING_WORDS[at];
  const button = at === "unknown" ? "Start the self-test" : "Test again";
  return { standing: at, tone, title, text: verdictText(test, at, told === at), button };
}

function testingVerdict(test: SelfTestView, elapsed: number): Verdict {
  const extent = test.extent ?? "full";
  const running = test.running.map((kind) => CHECK_TITLES[kind]).join(", ");
  const title = {
    full: "Testing this desk",
    quick: "Testing the devices",
    single: `Testing: ${running}`,
  }[extent];
  const late = elapsed > LONGEST_MS[extent];
  const text = late
    ? `After ${duration(elapsed)} this takes longer than it should. Stop it and test again.`
    : extent === "single"
      ? "A few seconds; the rest stays as it was found."
      : `Now: ${running}.`;
  return { standing: "testing", tone: late ? "amber" : "accent", title, text, button: "Stop" };
}

function verdictText(test: SelfTestView | null, at: Standing, told: boolean): string {
  if (test === null || at === "unknown") return "About half a minute: devices, network and a real call.";
  const unheard = told ? "" : "The server does not know it yet: it is told as soon as it can be reached.";
  if (at === "video") return unheard || passedText(test);
  const reasons = (test.lease?.narrowed_by ?? []).map((narrowing) => narrowingText(narrowing, test.checks));
  const failed = test.checks.find(({ outcome }) => outcome === "fail");
  const first = reasons[0] ?? (failed === undefined ? null : { what: failed.sentence, next: failed.remedy });
  if (first === null) return unheard || "Test again to see what is missing.";
  const more = reasons.length > 1 ? ` And ${reasons.length - 1} more, below.` : "";
  return `${first.what} ${first.next}${more}`;
}

function passedText(test: SelfTestView): string {
  const warned = test.checks.filter(({ outcome }) => outcome === "warn").length;
  const until = test.lease === null ? "" : ` Counts until ${time(test.lease.expires_at)}.`;
  if (warned === 0) return `Everything is as it should be.${until}`;
  const what = warned === 1 ? "One thing could be better; it is named below." : `${warned} things could be better; they are named below.`;
  return `${what}${until}`;
}

/** The dot of the rail: words and colour; the icon goes by the standing. */
export interface Dot {
  readonly standing: Standing | "testing";
  readonly word: string;
  readonly tone: Tone;
  /** The whole of it, for the tooltip and for those who do not see it change. */
  readonly hint: string;
}

export function dot(test: SelfTestView | null): Dot {
  if (testRuns(test)) return { standing: "testing", word: "Testing", tone: "accent", hint: "The self-test is running" };
  const at = standing(test?.lease ?? null);
  const { short, tone, title } = STANDING_WORDS[at];
  const narrowing = at === "video" || at === "unknown" ? undefined : test?.lease?.narrowed_by[0];
  const hint = narrowing === undefined ? title : `${title}: ${narrowingText(narrowing, test?.checks).what}`;
  return { standing: at, word: short, tone, hint };
}
