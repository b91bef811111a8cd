/** Camera and microphone: asking for them, choosing, remembering, and going on without. */

import { say } from "../say";

export type Kind = "camera" | "microphone";

export interface Wish {
  camera: boolean;
  microphone: boolean;
}

export interface Captured {
  camera: MediaStreamTrack | null;
  microphone: MediaStreamTrack | null;
  /** What was wished for and is not there. */
  missing: DeviceProblem[];
}

export type DeviceProblem = { kind: Kind; why: "blocked" | "none" | "busy" };

const CONSTRAINTS = {
  camera: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } },
  microphone: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
} satisfies Record<Kind, MediaTrackConstraints>;

export async function capture(wish: Wish): Promise<Captured> {
  if (!wish.camera && !wish.microphone) return { camera: null, microphone: null, missing: [] };
  if (!navigator.mediaDevices?.getUserMedia) return without(wish, "none");
  try {
    return took(await ask(wish));
  } catch (error) {
    if (!wish.camera || !wish.microphone) return without(wish, why(error));
    // One prompt for both failed as a whole; what is not at fault is asked for alone.
    if (why(error) === "blocked" && !(await blockedOnlyInPart())) return without(wish, "blocked");
    const microphone = await capture({ camera: false, microphone: true });
    const camera = await capture({ camera: true, microphone: false });
    return {
      camera: camera.camera,
      microphone: microphone.microphone,
      missing: [...microphone.missing, ...camera.missing],
    };
  }
}

/**
 * Has the browser look for devices now, so that the first capture does not wait for it (a fresh Chromium: some 0.1 s).
 * Nothing is opened and nobody is asked.
 */
export function lookForDevices(): void {
  void list("camera");
}

export function stop(track: MediaStreamTrack | null): void {
  track?.stop();
}

export interface Choice {
  id: string;
  label: string;
}

export async function list(kind: Kind | "speaker"): Promise<Choice[]> {
  const wanted = { camera: "videoinput", microphone: "audioinput", speaker: "audiooutput" }[kind];
  const devices = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  return devices
    .filter((device) => device.kind === wanted && device.deviceId)
    .map((device, index) => ({ id: device.deviceId, label: device.label || `${say(kind)} ${index + 1}` }));
}

export function onDevicesChanged(listener: () => void): () => void {
  const { mediaDevices } = navigator;
  mediaDevices?.addEventListener?.("devicechange", listener);
  return () => mediaDevices?.removeEventListener?.("devicechange", listener);
}

const CHOSEN = "sightline.device.";

export function remember(kind: Kind | "speaker", id: string): void {
  try {
    localStorage.setItem(CHOSEN + kind, id);
  } catch {
    // Storage is blocked: the choice lasts for this call.
  }
}

export function remembered(kind: Kind | "speaker"): string | null {
  try {
    return localStorage.getItem(CHOSEN + kind);
  } catch {
    return null;
  }
}

/** One sentence for everything that is missing, and one for what to do. */
export function deviceWords(problems: readonly DeviceProblem[]): string {
  const first = problems.find(({ kind }) => kind === "camera") ?? problems[0];
  if (!first) return "";
  const both = problems.filter(({ why }) => why === first.why).length > 1;
  return say(WHY[first.why][both ? "both" : first.kind]);
}

const WHY = {
  blocked: { camera: "cameraBlocked", microphone: "microphoneBlocked", both: "bothBlocked" },
  none: { camera: "cameraNone", microphone: "microphoneNone", both: "bothNone" },
  busy: { camera: "cameraBusy", microphone: "microphoneBusy", both: "bothBusy" },
} as const;

function ask(wish: Wish): Promise<MediaStream> {
  const constraint = (kind: Kind): MediaTrackConstraints | false => {
    if (!wish[kind]) return false;
    const id = remembered(kind);
    const facing = kind === "camera" && !id ? { facingMode: "user" } : {};
    return { ...CONSTRAINTS[kind], ...facing, ...(id ? { deviceId: { ideal: id } } : {}) };
  };
  return navigator.mediaDevices.getUserMedia({
    audio: constraint("microphone"),
    video: constraint("camera"),
  });
}

function took(stream: MediaStream): Captured {
  return {
    camera: stream.getVideoTracks()[0] ?? null,
    microphone: stream.getAudioTracks()[0] ?? null,
    missing: [],
  };
}

function without(wish: Wish, why: DeviceProblem["why"]): Captured {
  const kinds: Kind[] = ["camera", "microphone"];
  return {
    camera: null,
    microphone: null,
    missing: kinds.filter((kind) => wish[kind]).map((kind) => ({ kind, why })),
  };
}

function why(error: unknown): DeviceProblem["why"] {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "blocked";
  return name === "NotReadableError" || name === "AbortError" ? "busy" : "none";
}

async function blockedOnlyInPart(): Promise<boolean> {
  const state = async (name: string) => {
    try {
      return (await navigator.permissions.query({ name: name as PermissionName })).state;
    } catch {
      return "denied";
    }
  };
  const states = await Promise.all([state("camera"), state("microphone")]);
  return states.includes("denied") && states.includes("granted");
}
