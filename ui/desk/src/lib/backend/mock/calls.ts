import type {
  CallPhase,
  CallSummary,
  CallView,
  EscalationState,
  EscalationView,
  Quality,
  ScreenList,
} from "$wire";
import { ANA } from "./people";

const MINUTE = 60_000;

export const INVITE_URL = "http://127.0.0.1:7420/j/8nJxQ2vWm4T0bKfYc1hRsA";

export function quality(mark: Quality["mark"]): Quality {
  const poor = mark === "poor";
  return {
    mark,
    reason: poor ? "Ana's network is weak, the picture is reduced." : "",
    rtt_ms: poor ? 312 : 28,
    loss_out: 0,
    loss_in: poor ? 0.084 : 0.001,
    bitrate_out: poor ? 410_000 : 1_480_000,
    bitrate_in: poor ? 184_000 : 1_320_000,
    fps_in: poor ? 11 : 30,
    width: poor ? 480 : 1280,
    height: poor ? 270 : 720,
    fps_out: poor ? 20 : 30,
    width_out: poor ? 640 : 1280,
    height_out: poor ? 360 : 720,
    busy: 0.14,
    processors: poor ? 0.71 : 0.38,
    frames_decoded: 8160,
    frames_drawn: 8158,
    first_frame_at: Date.now() - 4 * MINUTE,
    concealed: poor ? 0.06 : 0,
    sound_played: 480_000,
    sound_concealed: poor ? 28_800 : 0,
    playout_delay_ms: poor ? 140 : 40,
    jitter_ms: poor ? 25 : 2,
    picture_after_sound_ms: poor ? 35 : -10,
    path: { relayed: poor, protocol: poor ? "tcp" : "udp" },
  };
}

export function escalation(state: EscalationState, survey: EscalationView["survey"] = null): EscalationView {
  return {
    id: "e1",
    conversation: ANA,
    room: "room-1",
    state,
    url: INVITE_URL,
    expires_at: Date.now() + 14 * MINUTE,
    created_at: Date.now() - MINUTE,
    survey,
    quality: null,
  };
}

export function call(phase: CallPhase, more: Partial<CallView> = {}): CallView {
  const live = phase.type === "live";
  return {
    escalation: phase.type === "preparing" ? null : "e1",
    conversation: ANA,
    customer_name: "Ana Moreno",
    phase,
    attempt: "direct",
    url: phase.type === "preparing" ? null : INVITE_URL,
    own: { microphone: true, camera: true, screen: false },
    sound: "call",
    sharing: null,
    other: { microphone: live, camera: live, screen: false },
    customer_away_until: null,
    signalling_lost: false,
    problems: [],
    quality: live ? quality("good") : null,
    ...more,
  };
}

/** A few windows and a screen, drawn as plain shapes. */
export function screens(): ScreenList {
  const picture = (paper: string, ink: string) =>
    `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="240" height="150"><rect width="240" height="150" fill="${paper}"/><rect x="20" y="20" width="110" height="10" fill="${ink}"/><rect x="20" y="44" width="200" height="6" fill="${ink}" opacity=".5"/><rect x="20" y="58" width="180" height="6" fill="${ink}" opacity=".5"/><rect x="20" y="72" width="190" height="6" fill="${ink}" opacity=".5"/></svg>`)}`;
  return {
    sources: [
      { id: "w1", kind: "window", name: "Invoice 2291.pdf – Document viewer", width: 1200, height: 900, preview: picture("#fff", "#333") },
      { id: "w2", kind: "window", name: "Router settings", width: 1280, height: 800, preview: picture("#e8f0fe", "#1a56b0") },
      { id: "w3", kind: "window", name: "Terminal", width: 800, height: 600, preview: picture("#16161c", "#7ddc9a") },
      { id: "m1", kind: "monitor", name: "Whole screen", width: 1920, height: 1080, preview: picture("#35506e", "#fff") },
      { id: "synthetic:screen", kind: "test", name: "Test page", width: 1920, height: 1080, preview: picture("#e8e8e8", "#111") },
    ],
    problem: null,
  };
}

export function summary(worst: CallSummary["worst"]): CallSummary {
  return {
    moments: 17,
    typical: "good",
    worst,
    worst_at: Date.now() - 3 * MINUTE,
    worst_reason: worst === "good" ? "" : "Ana's network loses packets.",
  };
}
