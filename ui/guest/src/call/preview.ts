/** Before the call: who invites, how you will look and sound, and the three ways to answer. */

import type { InviteView } from "../../../shared/wire";
import { button, h, setText } from "../dom";
import { icon } from "../icons";
import { say } from "../say";
import type { Support } from "../support";
import { deviceMenu } from "./device-menu";
import { deviceWords, lookForDevices } from "./devices";
import type { Wish } from "./devices";
import { LocalMedia } from "./local-media";
import { meter } from "./meter";
import { timeOfDay } from "../words";
import { copyLink } from "./notices";

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

  const ask = button("", [icon("video"), say("turnOnCamera")], () => {
    ask.disabled = true;
    void media.start({ camera: true, microphone: !onPhone });
  });
  const off = h(
    "div",
    { class: "preview-off" },
    icon("video", 28),
    h("p", {}, onPhone ? say("seeYourselfOnPhone") : say("seeYourself")),
    ask,
  );
  const microphone = toggle(() => void media.setMicrophone(!media.state.microphone));
  const camera = toggle(() => void media.setCamera(!media.cameraOn));
  const choose = toggle(() => {
    devices.element.hidden = !devices.element.hidden;
    choose.setAttribute("aria-expanded", String(!devices.element.hidden));
  });
  choose.append(icon("settings"));
  choose.title = say("chooseDevices");
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

  const withoutDevices = onPhone ? say("withoutCamera") : say("withoutDevices");
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
      h("p", { class: "quiet" }, `${say("untilThen", { time: timeOfDay(invite.expires_at) })} ${onPhone ? say("stayOnPhone") : say("nothingBefore")}`),
      support.type === "in_app" ? inApp(support.app, url) : null,
    ),
    h("div", { class: "join-preview" }, box, problem, devices.element),
    h(
      "div",
      { class: "join-actions" },
      button("primary large", [icon("video"), say("joinWithVideo")], join({ camera: true, microphone: !onPhone })),
      onPhone
        ? button("large", [icon("video"), say("joinWithoutCamera")], join({ camera: false, microphone: false }))
        : button("large", [icon("mic"), say("joinWithSound")], join({ camera: false, microphone: true })),
      button("large plain", say("notNow"), () => choice.decline()),
      last,
    ),
  );
  update();
  return {
    element,
    network(blocked) {
      setText(last, blocked ? say("mayBeBlocked") : withoutDevices);
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
  return say("invitationFrom", { agent: invite.agent_name, company: invite.company });
}

function toggle(press: () => void): HTMLButtonElement {
  return h("button", { type: "button", class: "round", click: press });
}

function setToggle(control: HTMLButtonElement, on: boolean, what: "mic" | "video"): void {
  if (control.dataset["on"] === String(on)) return;
  control.dataset["on"] = String(on);
  const label =
    what === "mic" ? (on ? say("mute") : say("unmute")) : on ? say("turnCameraOff") : say("turnCameraOn");
  control.setAttribute("aria-label", label);
  control.title = label;
  control.replaceChildren(icon(on ? what : what === "mic" ? "micOff" : "videoOff"));
}

function inApp(app: string | null, url: string): HTMLElement {
  return h(
    "div",
    { class: "in-app", role: "note" },
    h(
      "p",
      {},
      h("strong", {}, `${app === null ? say("thisAppMayBlock") : say("appMayBlock", { app })} `),
      say("ownBrowser"),
    ),
    copyLink(url),
  );
}
