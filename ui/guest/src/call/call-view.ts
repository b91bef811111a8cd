/** The call on the screen: the other side large, self in a corner, one row of controls in thumb's reach. */

import { button, h, setAttribute, setText } from "../dom";
import { icon } from "../icons";
import type { IconName } from "../icons";
import { say } from "../say";
import { canShareScreen } from "../support";
import { clock, initials } from "../words";
import type { Call } from "./call";
import { deviceMenu } from "./device-menu";
import { deviceWords } from "./devices";
import type { LocalMedia } from "./local-media";
import { situation } from "./situation";

export interface ChatSwitch {
  toggle(): boolean;
}

export interface CallView {
  element: HTMLElement;
  video: HTMLVideoElement;
  update(call: Call): void;
  setUnread(count: number): void;
  dispose(): void;
}

const CORNERS = ["bottom-right", "top-right", "top-left", "bottom-left"] as const;

export function callView(media: LocalMedia, act: CallActions, chat: ChatSwitch | null): CallView {
  const video = h("video", { id: "remote", class: "remote", autoplay: true, playsinline: true });
  // The agent's screen takes the stage; the face moves to a corner.
  const shared = h("video", { id: "screen", class: "shared", autoplay: true, playsinline: true, hidden: true });
  shared.muted = true;
  const own = h("video", { id: "self", muted: true, playsinline: true, autoplay: true });
  own.muted = true;
  const ownOff = h("span", { class: "self-off" }, icon("videoOff"));
  const corner = h("button", { type: "button", class: "self", title: say("movePicture") }, own, ownOff);
  corner.setAttribute("aria-label", say("movePictureLong"));
  corner.addEventListener("click", () => {
    const at = CORNERS.indexOf(corner.dataset["corner"] as (typeof CORNERS)[number]);
    corner.dataset["corner"] = CORNERS[(at + 1) % CORNERS.length];
  });
  corner.dataset["corner"] = CORNERS[0];

  const name = h("strong", {});
  const time = h("span", { class: "call-time", role: "timer", "aria-label": say("callTime") });
  const onPhone = h("span", { class: "pill", hidden: true }, icon("phone", 16), say("soundOnPhone"));
  const otherMuted = h("span", { class: "pill", hidden: true }, icon("micOff", 16), say("microphoneOff"));
  const top = h("header", { class: "call-top" }, h("span", { class: "pill" }, name, time), otherMuted, onPhone);

  const face = h("div", { class: "face", "aria-hidden": "true" });
  const title = h("h1", { tabindex: -1 });
  const text = h("p", {});
  const again = button("on-stage", say("tryAgain"), () => act.tryAgain());
  const tap = button("primary", say("tapToPlay"), () => act.play());
  const card = h("div", { class: "stage-card", role: "status" }, face, h("div", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")), title, text, again, tap);
  const banner = h("p", { class: "stage-banner", role: "status", hidden: true });
  const deviceText = h("p", {});
  const deviceNotice = h(
    "div",
    { class: "stage-notice", role: "alert", hidden: true },
    deviceText,
    h("button", { type: "button", class: "round small", "aria-label": say("dismiss"), click: () => media.dismissProblems() }, icon("x", 18)),
  );

  const microphone = control("mic", () => void media.setMicrophone(!media.state.microphone));
  const camera = control("video", () => void media.setCamera(!media.cameraOn));
  const share = control("monitorUp", () => void (media.screen ? media.unshare() : media.share()));
  share.hidden = !canShareScreen();
  const devices = deviceMenu(media, video);
  const hideSelf = h("input", { type: "checkbox" });
  hideSelf.addEventListener("change", () => corner.classList.toggle("away", hideSelf.checked));
  const panel = h(
    "div",
    { class: "settings", id: "call-settings", role: "group", "aria-label": say("devices"), hidden: true },
    devices.element,
    h("label", { class: "check" }, hideSelf, say("hideOwn")),
  );
  const settings = control("settings", () => openSettings(panel.hidden));
  label(settings, say("devices"), "settings");
  settings.setAttribute("aria-controls", "call-settings");
  const openSettings = (open: boolean) => {
    panel.hidden = !open;
    settings.setAttribute("aria-expanded", String(open));
    if (open) void devices.refresh();
  };
  openSettings(false);

  const unread = h("span", { class: "badge", hidden: true });
  const chatButton = control("messageSquare", () => {
    chatButton.setAttribute("aria-expanded", String(chat?.toggle() ?? false));
  });
  label(chatButton, say("chat"), "messageSquare");
  chatButton.append(unread);
  chatButton.classList.add("chat-switch");
  const leave = h(
    "button",
    { type: "button", class: "round leave", "aria-label": say("leaveCall"), title: say("leaveCall"), click: () => act.leave() },
    icon("phoneOff", 22),
  );
  const bar = h("div", { class: "call-bar", role: "toolbar", "aria-label": say("call") }, microphone, camera, share, settings, chat ? chatButton : null, leave);
  const announced = h("p", { class: "visually-hidden", role: "status" });
  const element = h("section", { class: "call", "aria-label": say("callTitle"), tabindex: -1 }, shared, video, announced, card, top, banner, corner, deviceNotice, panel, bar);
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || panel.hidden) return;
    event.stopPropagation();
    openSettings(false);
    settings.focus();
  });

  let since: number | null = null;
  const tick = () => setText(time, since === null ? "" : clock(Date.now() - since));
  const timer = window.setInterval(tick, 1000);

  return {
    element,
    video,
    update(call) {
      const now = situation(call);
      since = call.state.type === "live" ? call.state.since : null;
      tick();
      setText(name, call.agent);
      setText(face, initials(call.agent));
      element.dataset["stage"] = now.stage;
      card.hidden = now.card === null;
      setText(announced, since === null ? "" : say("inCallWith", { agent: call.agent }));
      // Focus that rests on words which disappear goes to the call, not to the top of the page.
      if (card.hidden && card.contains(document.activeElement)) element.focus({ preventScroll: true });
      setText(title, now.card?.title ?? "");
      setText(text, now.card?.text ?? "");
      card.classList.toggle("busy", now.card?.busy ?? false);
      again.hidden = !now.card?.again;
      tap.hidden = !call.playBlocked;
      if (call.playBlocked) card.hidden = false;
      card.classList.toggle("beneath", now.stage === "empty" && !call.playBlocked);
      banner.hidden = now.banner === null;
      setText(banner, now.banner ?? "");
      const { screen: theirs } = call;
      if (shared.srcObject !== theirs) {
        shared.srcObject = theirs;
        shared.hidden = theirs === null;
        element.classList.toggle("sharing", theirs !== null);
      }
      element.classList.toggle("faceless", theirs !== null && call.otherMedia?.camera === false);
      const phone = call.sound === "phone";
      otherMuted.hidden = phone || call.state.type !== "live" || call.otherMedia?.microphone !== false;
      onPhone.hidden = !phone;
      microphone.hidden = phone;

      const { microphone: heard, screen } = media.state;
      state(microphone, heard ? "mic" : "micOff", heard ? say("mute") : say("unmute"), heard);
      state(camera, media.cameraOn ? "video" : "videoOff", media.cameraOn ? say("turnCameraOff") : say("turnCameraOn"), media.cameraOn);
      state(share, screen ? "monitorX" : "monitorUp", screen ? say("stopSharing") : say("shareScreen"), true);
      share.classList.toggle("active", screen);
      const ownTrack = media.screen ?? media.camera;
      const shown = (own.srcObject as MediaStream | null)?.getVideoTracks()[0] ?? null;
      if (shown !== ownTrack) own.srcObject = ownTrack ? new MediaStream([ownTrack]) : null;
      own.classList.toggle("mirrored", !screen);
      own.hidden = ownTrack === null;
      ownOff.hidden = ownTrack !== null;

      deviceNotice.hidden = media.problems.length === 0;
      setText(deviceText, deviceWords(media.problems));
    },
    setUnread(count) {
      unread.hidden = count === 0;
      setText(unread, count > 9 ? "9+" : String(count));
      label(chatButton, count > 0 ? say("chatNew", { count }) : say("chat"));
    },
    dispose() {
      window.clearInterval(timer);
      devices.dispose();
      video.srcObject = null;
      shared.srcObject = null;
      own.srcObject = null;
    },
  };
}

export interface CallActions {
  leave(): void;
  tryAgain(): void;
  play(): void;
}

function control(shape: IconName, press: () => void): HTMLButtonElement {
  return h("button", { type: "button", class: "round", click: press }, icon(shape, 22));
}

function label(target: HTMLButtonElement, words: string, shape?: IconName): void {
  setAttribute(target, "aria-label", words);
  target.title = words;
  if (shape) target.replaceChildren(icon(shape, 22));
}

function state(target: HTMLButtonElement, shape: IconName, words: string, on: boolean): void {
  if (target.getAttribute("aria-label") === words) return;
  label(target, words, shape);
  target.classList.toggle("off", !on);
}
