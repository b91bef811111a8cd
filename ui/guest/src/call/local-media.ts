/** What this side sends: microphone, camera or screen. Tracks are swapped, never renegotiated. */

import type { MediaState } from "../../../shared/wire";
import { capture, onDevicesChanged, remember, stop } from "./devices";
import type { DeviceProblem, Kind, Wish } from "./devices";
import type { OutgoingTracks } from "./peer";

export class LocalMedia {
  microphone: MediaStreamTrack | null = null;
  camera: MediaStreamTrack | null = null;
  screen: MediaStreamTrack | null = null;
  problems: DeviceProblem[] = [];
  private muted = false;
  /** Pictures do not get through: they are held back, though the devices stay open. */
  private held = false;
  private stopped = false;
  /** One change at a time: a second tap while the browser asks waits for the first. */
  private queue: Promise<void> = Promise.resolve();
  private readonly forget: () => void;

  constructor(private readonly changed: () => void) {
    this.forget = onDevicesChanged(() => this.changed());
  }

  get outgoing(): OutgoingTracks {
    return { audio: this.microphone, video: this.held ? null : (this.screen ?? this.camera) };
  }

  get state(): MediaState {
    return {
      microphone: this.microphone !== null && !this.muted,
      camera: !this.held && (this.camera !== null || this.screen !== null),
      screen: !this.held && this.screen !== null,
    };
  }

  get cameraOn(): boolean {
    return this.camera !== null;
  }

  /** Holds pictures back, or sends them again. Said to the other side either way. */
  holdPictures(held: boolean): void {
    if (this.held === held) return;
    this.held = held;
    this.changed();
  }

  /** Takes over what the preview captured; the preview's own object lets go without stopping it. */
  inherit(other: LocalMedia): void {
    const { camera, microphone, muted } = other;
    other.camera = other.microphone = null;
    other.stop();
    this.muted = muted;
    if (camera) this.replace("camera", camera);
    if (microphone) this.replace("microphone", microphone);
  }

  /** Makes what is captured match the wish; what runs already is kept. */
  start(wish: Wish): Promise<void> {
    return this.next(async () => {
      if (!wish.camera) this.release("camera");
      const missing = { camera: wish.camera && !this.camera, microphone: wish.microphone && !this.microphone };
      if (missing.camera || missing.microphone) await this.take(missing);
    });
  }

  setMicrophone(on: boolean): Promise<void> {
    return this.next(async () => {
      this.muted = !on;
      if (on && !this.microphone) await this.take({ camera: false, microphone: true });
      if (this.microphone) this.microphone.enabled = on;
    });
  }

  /** Off lets go of the device, so that its light goes out. */
  setCamera(on: boolean): Promise<void> {
    return this.next(async () => {
      if (!on) this.release("camera");
      else if (!this.camera) await this.take({ camera: true, microphone: false });
    });
  }

  choose(kind: Kind, id: string): Promise<void> {
    remember(kind, id);
    return this.next(async () => {
      if (kind === "camera" ? !this.camera : !this.microphone) return;
      // Phones cannot open two cameras at once, so the old one is let go first.
      if (kind === "camera") this.release("camera");
      await this.take({ camera: kind === "camera", microphone: kind === "microphone" });
    });
  }

  share(): Promise<void> {
    return this.next(async () => {
      let stream: MediaStream;
      try {
        stream = await navigator.mediaDevices.getDisplayMedia({
          video: { frameRate: { ideal: 15, max: 30 } },
          audio: false,
        });
      } catch {
        return; // The person closed the browser's own picker.
      }
      const track = stream.getVideoTracks()[0] ?? null;
      if (!track) return;
      if (this.stopped) return stop(track);
      track.contentHint = "detail";
      track.addEventListener("ended", () => void this.unshare());
      this.screen = track;
    });
  }

  unshare(): Promise<void> {
    return this.next(async () => {
      stop(this.screen);
      this.screen = null;
    });
  }

  dismissProblems(): void {
    this.problems = [];
    this.changed();
  }

  /** Lets go of everything: no camera light stays on. */
  stop(): void {
    this.stopped = true;
    this.forget();
    this.release("camera");
    this.release("microphone");
    stop(this.screen);
    this.screen = null;
  }

  private next(change: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(async () => {
      if (this.stopped) return;
      await change();
      this.changed();
    });
    return this.queue;
  }

  private async take(wish: Wish): Promise<void> {
    const captured = await capture(wish);
    if (this.stopped) {
      stop(captured.camera);
      stop(captured.microphone);
      return;
    }
    if (wish.camera) this.replace("camera", captured.camera);
    if (wish.microphone) this.replace("microphone", captured.microphone);
    this.problems = [
      ...this.problems.filter(({ kind }) => !wish[kind]),
      ...captured.missing,
    ];
  }

  private replace(kind: Kind, track: MediaStreamTrack | null): void {
    this.release(kind);
    this[kind] = track;
    if (!track) return;
    if (kind === "microphone") track.enabled = !this.muted;
    // Unplugged in the call: the next best device takes over, muted or not as before.
    track.addEventListener("ended", () => {
      if (this[kind] !== track) return;
      void this.next(() => this.take({ camera: kind === "camera", microphone: kind === "microphone" }));
    });
  }

  private release(kind: Kind): void {
    stop(this[kind]);
    this[kind] = null;
  }
}
