/** What the stage says for each state of the call: words, never a bare spinner and never a black box. */

import type { Attempt } from "../../../shared/wire";
import { say } from "../say";
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
      return wait(say("connectingTo", { agent }), say("oneMoment"));
    case "waiting":
      if (call.signallingLost) return wait(say("reconnecting"), say("droppedText"));
      if (call.other.place === "away") {
        return wait(say("lostConnection", { agent }), say("theyReconnect"));
      }
      return state.overdue
        ? stuck(say("notHereYet", { agent }), say("notHereYetText"))
        : wait(say("connectingTo", { agent }), say("inAMoment"));
    case "connecting":
      if (call.signallingLost) return wait(say("reconnecting"), say("droppedText"));
      return state.overdue
        ? stuck(say("noPicture"), say("noPictureText"))
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
      card: { title: say("takingOver", { agent }), text: say("takingOverText"), busy: true, again: false },
      banner: null,
    };
  }
  const moving = otherMedia === null || (otherMedia.camera && !otherMedia.screen);
  if (call.mediaLost || (call.still && away)) {
    return {
      stage: "frozen",
      card: {
        title: away ? say("lostConnection", { agent }) : say("lostReconnecting"),
        text: away ? say("theyReconnect") : say("stayHere"),
        busy: true,
        again: false,
      },
      banner: null,
    };
  }
  if (call.still && moving && !call.signallingLost) {
    return {
      stage: "frozen",
      card: { title: say("stopped"), text: say("stoppedText"), busy: true, again: false },
      banner: null,
    };
  }
  const soundOnly = call.trying === "sound_only";
  const banner = call.signallingLost
    ? say("serverLost")
    : away
      ? say("unsteady", { agent })
      : soundOnly
        ? say("soundOnlyNow")
        : null;
  if (otherMedia && !otherMedia.camera && !otherMedia.screen) {
    return { stage: "face", card: { title: agent, text: soundOnly ? say("soundOnly") : say("cameraIsOff"), busy: false, again: false }, banner };
  }
  return { stage: "picture", card: null, banner };
}

/** What each rung is called to somebody who waits. */
function climbing(attempt: Attempt, agent: string): [title: string, text: string] {
  switch (attempt) {
    case "direct":
      return [say("connectingTo", { agent }), say("pictureComing")];
    case "again":
      return [say("anotherWay"), say("anotherWayText", { agent })];
    case "relay":
      return [say("wayAround"), say("wayAroundText")];
    case "sound_only":
      return [say("soundOnlyTry"), say("soundOnlyTryText")];
  }
}

function wait(title: string, text: string): Situation {
  return { stage: "empty", card: { title, text, busy: true, again: false }, banner: null };
}

function stuck(title: string, text: string): Situation {
  return { stage: "empty", card: { title, text, busy: false, again: true }, banner: null };
}
