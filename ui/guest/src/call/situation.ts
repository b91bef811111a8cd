/** What the stage says for each state of the call: words, never a bare spinner and never a black box. */

import type { Attempt } from "../../../shared/wire";
import type { Call } from "./call";

export interface Situation {
  /** `picture`, `frozen` (last frame blurred), `face` (no picture is sent) or `empty`. */
  stage: "picture" | "frozen" | "face" | "empty";
  card: { title: string; text: string; busy: boolean; again: boolean } | null;
  banner: string | null;
}

type Facts = Pick<Call, "state" | "agent" | "other" | "otherMedia" | "trying" | "signallingLost" | "mediaLost" | "still" | "takingOver">;

export function situation(call: Facts): Situation {
  const { state, agent } = call;
  switch (state.type) {
    case "ready":
    case "joining":
      return wait(`Connecting you to ${agent}…`, "One moment.");
    case "waiting":
      if (call.signallingLost) return wait("Reconnecting…", "The network dropped. It goes on by itself.");
      if (call.other.place === "away") {
        return wait(`${agent} lost the connection`, "They are reconnecting. Stay on this page.");
      }
      return state.overdue
        ? stuck(`${agent} is not here yet`, "They know that you are waiting. Keep this page open, or go back to the chat and write to them.")
        : wait(`Connecting you to ${agent}…`, "They will be with you in a moment.");
    case "connecting":
      if (call.signallingLost) return wait("Reconnecting…", "The network dropped. It goes on by itself.");
      return state.overdue
        ? stuck("The picture did not come through", "Your network may block video. Try again, or switch between Wi-Fi and mobile data.")
        : wait(...climbing(call.trying, agent));
    case "live":
      return live(call);
    case "ended":
    case "problem":
      return { stage: "empty", card: null, banner: null };
  }
}

function live(call: Facts): Situation {
  const { agent, other, otherMedia } = call;
  const away = other.place === "away";
  if (call.takingOver) {
    return {
      stage: "frozen",
      card: { title: `${agent} is taking over`, text: "They will be with you in a moment. Stay on this page.", busy: true, again: false },
      banner: null,
    };
  }
  const moving = otherMedia === null || (otherMedia.camera && !otherMedia.screen);
  if (call.mediaLost || (call.still && away)) {
    return {
      stage: "frozen",
      card: {
        title: away ? `${agent} lost the connection` : "Connection lost, reconnecting…",
        text: away ? "They are reconnecting. Stay on this page." : "It goes on by itself. Stay on this page.",
        busy: true,
        again: false,
      },
      banner: null,
    };
  }
  if (call.still && moving && !call.signallingLost) {
    return {
      stage: "frozen",
      card: { title: "The picture has stopped", text: "It goes on by itself. You may still hear each other.", busy: true, again: false },
      banner: null,
    };
  }
  const soundOnly = call.trying === "sound_only";
  const banner = call.signallingLost
    ? "Connection to the server lost, reconnecting. You can go on talking."
    : away
      ? `${agent}'s connection is unsteady. You can go on talking.`
      : soundOnly
        ? "Video does not get through; you can hear each other. It is tried again by itself."
        : null;
  if (otherMedia && !otherMedia.camera && !otherMedia.screen) {
    return { stage: "face", card: { title: agent, text: soundOnly ? "Sound only" : "Camera is off", busy: false, again: false }, banner };
  }
  return { stage: "picture", card: null, banner };
}

/** What each rung is called to somebody who waits. */
function climbing(attempt: Attempt, agent: string): [title: string, text: string] {
  switch (attempt) {
    case "direct":
      return [`Connecting you to ${agent}…`, "The picture is on its way."];
    case "again":
      return ["Trying another way…", `The first way to ${agent} did not work. This takes a few seconds.`];
    case "relay":
      return ["Trying a way around…", "Your network may block the direct way. This takes a few seconds."];
    case "sound_only":
      return ["Trying with sound only…", "Video does not get through. If sound does not either, the call goes back to the chat."];
  }
}

function wait(title: string, text: string): Situation {
  return { stage: "empty", card: { title, text, busy: true, again: false }, banner: null };
}

function stuck(title: string, text: string): Situation {
  return { stage: "empty", card: { title, text, busy: false, again: true }, banner: null };
}
