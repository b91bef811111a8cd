/** Before the call: who invites, how you will look and sound, and the three ways to answer. */

import type { InviteView } from "../../../shared/wire";
import { button, h, setText } from "../dom";
import { icon } from "../icons";
import type { Support } from "../support";
import { deviceMenu } from "./device-menu";
import { deviceWords, lookForDevices } from "./devices";
import type { Wish } from "./devices";
import { LocalMedia } from "./local-media";
import { meter } from "./meter";
import { timeOfDay } from "../words";
import { copyLink } from "./notices";

const WITHOUT_DEVICES = "No camera or microphone? Join anyway: you will see and hear, and be told what is missing.";
const ON_PHONE = "Stay on the phone: you go on talking there, and this page shows the picture. Nothing is seen before you join.";
const BEFORE = "Nothing is seen or heard before you join, and you can leave at any time.";
const BLOCKED = "Your network may block video. Join anyway, or switch between Wi-Fi and mobile data first.";

export interface PreviewChoice {
  join(wish: Wish, media: LocalMedia, event: Event): void;
  decline(): void;
}

export interface Preview {
  element: HTMLElement;
  /** Says whether the network seems to block calls. In place of the last line, so that no button moves under a thumb. */
  network(blocked: boolean): void;
  /** A colleague has taken the conversation over meanwhile. */
  agent(name: string): void;
  /** Lets go of everything that the call has not inherited. */
  dispose(): void;
}

export function preview(
  invite: Pick<InviteView, "agent_name" | "company" | "expires_at" | "sound">,
  url: string,
  support: Support,
  choice: PreviewChoice,
): Preview {
  // On the telephone already: a microphone here as well would be a second way for the same voice.
  const onPhone = invite.sound === "phone";
  const picture = h("video", { class: "preview-video", muted: true, playsinline: true, autoplay: true });
  picture.muted = true;
  const level = meter();
  const problem = h("div", { class: "inline-problem", role: "alert" });
  const media = new LocalMedia(() => update());
  const devices = deviceMenu(media, null);
  let watched: MediaStreamTrack | null = null;
  let left = false;
  lookForDevices();

  const ask = button("", [icon("video"), "Turn on camera"], () => {
    ask.disabled = true;
    void media.start({ camera: true, microphone: !onPhone });
  });
  const off = h(
    "div",
    { class: "preview-off" },
    icon("video", 28),
    h("p", {}, `See how you look before you join. Your browser will ask to use your ${onPhone ? "camera" : "camera and microphone"}.`),
    ask,
  );
  const microphone = toggle(() => void media.setMicrophone(!media.state.microphone));
  const camera = toggle(() => void media.setCamera(!media.cameraOn));
  const choose = toggle(() => {
    devices.element.hidden = !devices.element.hidden;
    choose.setAttribute("aria-expanded", String(!devices.element.hidden));
  });
  choose.append(icon("settings"));
  choose.title = "Choose camera and microphone";
  choose.setAttribute("aria-label", choose.title);
  choose.setAttribute("aria-expanded", "false");
  devices.element.hidden = true;
  const controls = h("div", { class: "preview-controls" }, onPhone ? null : microphone, camera, onPhone ? null : level.element, choose);
  const box = h("div", { class: "preview-box" }, picture, off, controls);

  const update = () => {
    if (left) return;
    const asked = media.camera !== null || media.microphone !== null;
    box.classList.toggle("on", asked);
    off.hidden = asked;
    controls.hidden = !asked;
    ask.disabled = false;
    picture.hidden = media.camera === null;
    const shown = (picture.srcObject as MediaStream | null)?.getVideoTracks()[0] ?? null;
    if (shown !== media.camera) picture.srcObject = media.camera ? new MediaStream([media.camera]) : null;
    if (watched !== media.microphone) level.watch((watched = media.microphone));
    setToggle(microphone, media.state.microphone, "mic");
    setToggle(camera, media.cameraOn, "video");
    setText(problem, deviceWords(media.problems));
    problem.hidden = media.problems.length === 0;
    if (asked) void devices.refresh();
  };

  const withoutDevices = onPhone ? "No camera? Join anyway: you will see." : WITHOUT_DEVICES;
  const last = h("p", { class: "fine", role: "status" }, withoutDevices);
  const join = (wish: Wish) => (event: Event) => choice.join(wish, media, event);
  const title = h("h1", { tabindex: -1 }, invitation(invite));
  const element = h(
    "section",
    { class: "join" },
    h(
      "div",
      { class: "join-words" },
      title,
      h("p", { class: "quiet" }, `You have until ${timeOfDay(invite.expires_at)} to join. ${onPhone ? ON_PHONE : BEFORE}`),
      support.type === "in_app" ? inApp(support.app, url) : null,
    ),
    h("div", { class: "join-preview" }, box, problem, devices.element),
    h(
      "div",
      { class: "join-actions" },
      button("primary large", [icon("video"), "Join with video"], join({ camera: true, microphone: !onPhone })),
      onPhone
        ? button("large", [icon("video"), "Join without my camera"], join({ camera: false, microphone: false }))
        : button("large", [icon("mic"), "Join with sound only"], join({ camera: false, microphone: true })),
      button("large plain", "Not now", () => choice.decline()),
      last,
    ),
  );
  update();
  return {
    element,
    network(blocked) {
      setText(last, blocked ? BLOCKED : withoutDevices);
      last.classList.toggle("warned", blocked);
    },
    agent(name) {
      setText(title, invitation({ ...invite, agent_name: name }));
    },
    dispose() {
      left = true;
      media.stop();
      level.stop();
      devices.dispose();
      picture.srcObject = null;
    },
  };
}

export function invitation(invite: Pick<InviteView, "agent_name" | "company">): string {
  return `${invite.agent_name} from ${invite.company} would like to see you by video.`;
}

function toggle(press: () => void): HTMLButtonElement {
  return h("button", { type: "button", class: "round", click: press });
}

function setToggle(control: HTMLButtonElement, on: boolean, what: "mic" | "video"): void {
  if (control.dataset["on"] === String(on)) return;
  control.dataset["on"] = String(on);
  const label =
    what === "mic" ? (on ? "Mute microphone" : "Unmute microphone") : on ? "Turn camera off" : "Turn camera on";
  control.setAttribute("aria-label", label);
  control.title = label;
  control.replaceChildren(icon(on ? what : what === "mic" ? "micOff" : "videoOff"));
}

function inApp(app: string, url: string): HTMLElement {
  return h(
    "div",
    { class: "in-app", role: "note" },
    h(
      "p",
      {},
      h("strong", {}, `${app === "this app" ? "This app" : app} may not let your camera through. `),
      "Copy the link and open it in your phone's own browser, or go on here to see and hear only.",
    ),
    copyLink(url),
  );
}
