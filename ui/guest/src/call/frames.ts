/** Counts the frames of the other side that really reached the screen. */

import { figures, unixMs } from "../diagnostics";

/** Without a new frame for this long a moving picture has stopped. */
const STALL_MS = 2_500;

export interface FrameListener {
  first(): void;
  /** The picture stands still, or moves again. Never said while the page is hidden. */
  stalled(still: boolean): void;
}

/** Watches one source; returns how to stop. */
export function watchFrames(video: HTMLVideoElement, listener: FrameListener): () => void {
  let active = true;
  let seen = false;
  let last = 0;
  let still = false;
  let arrivedAt = 0;
  const arrived = (at: number, frames: number) => {
    figures.frames_presented += frames;
    figures.first_frame_at ??= unixMs(at);
    arrivedAt = performance.now();
    if (still) listener.stalled((still = false));
    if (seen) return;
    seen = true;
    listener.first();
  };
  if (!("requestVideoFrameCallback" in video)) {
    const element = video as HTMLVideoElement;
    const loaded = () => {
      if (active && element.videoWidth > 0) arrived(performance.now(), 1);
    };
    element.addEventListener("loadeddata", loaded);
    return () => {
      active = false;
      element.removeEventListener("loadeddata", loaded);
    };
  }
  const next: VideoFrameRequestCallback = (_now, frame) => {
    if (!active) return;
    // The counter belongs to the source: a new one starts again.
    const frames = frame.presentedFrames > last ? frame.presentedFrames - last : 1;
    last = frame.presentedFrames;
    arrived(frame.presentationTime, frames);
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
  const awake = () => {
    arrivedAt = performance.now();
  };
  document.addEventListener("visibilitychange", awake);
  const check = window.setInterval(() => {
    if (!seen || still || document.hidden || performance.now() - arrivedAt < STALL_MS) return;
    listener.stalled((still = true));
  }, 500);
  return () => {
    active = false;
    window.clearInterval(check);
    document.removeEventListener("visibilitychange", awake);
  };
}
