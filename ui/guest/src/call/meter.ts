/** The microphone's level as a bar, so that a person sees they will be heard. */

import { h } from "../dom";
import { say } from "../say";

export interface Meter {
  element: HTMLElement;
  watch(track: MediaStreamTrack | null): void;
  stop(): void;
}

export function meter(): Meter {
  const bar = h("div", { class: "meter-bar" });
  const element = h(
    "div",
    {
      class: "meter",
      role: "meter",
      "aria-label": say("microphoneLevel"),
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      "aria-valuenow": 0,
    },
    bar,
  );
  let context: AudioContext | null = null;
  let frame = 0;

  const stop = () => {
    cancelAnimationFrame(frame);
    bar.style.transform = "scaleX(0)";
    void context?.close().catch(() => {});
    context = null;
  };

  const watch = (track: MediaStreamTrack | null) => {
    stop();
    if (!track) return;
    context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 512;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let shown = 0;
    const draw = () => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      // -55 dB is silence, -10 dB a full bar: the range in which speech lives.
      const level = Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-9) + 55) / 45));
      shown = Math.max(level, shown * 0.9);
      bar.style.transform = `scaleX(${shown.toFixed(3)})`;
      const percent = String(Math.round(shown * 10) * 10);
      if (element.getAttribute("aria-valuenow") !== percent) element.setAttribute("aria-valuenow", percent);
      frame = requestAnimationFrame(draw);
    };
    draw();
  };

  return { element, watch, stop };
}
