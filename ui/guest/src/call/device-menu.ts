/** Choosing camera, microphone and speaker; the same fields in the preview and in the call. */

import { h } from "../dom";
import { say } from "../say";
import { list, onDevicesChanged, remember, remembered } from "./devices";
import type { Kind } from "./devices";
import type { LocalMedia } from "./local-media";

const MISSING = { camera: "noCamera", microphone: "noMicrophone", speaker: "noSpeaker" } as const;

export interface DeviceMenu {
  element: HTMLElement;
  refresh(): Promise<void>;
  dispose(): void;
}

export function deviceMenu(media: LocalMedia, output: HTMLMediaElement | null): DeviceMenu {
  const element = h("div", { class: "device-menu" });
  const canChooseSpeaker = output !== null && "setSinkId" in output;
  const kinds: (Kind | "speaker")[] = canChooseSpeaker
    ? ["camera", "microphone", "speaker"]
    : ["camera", "microphone"];
  const fields = kinds.map((kind) => {
    const select = h("select", { class: "field" });
    select.addEventListener("change", () => choose(kind, select.value));
    const row = h("label", { class: "device" }, h("span", {}, say(kind)), select);
    element.append(row);
    return { kind, select, row };
  });

  const choose = (kind: Kind | "speaker", id: string) => {
    if (kind === "speaker") {
      remember("speaker", id);
      void output?.setSinkId?.(id).catch(() => {});
    } else {
      void media.choose(kind, id);
    }
  };

  const refresh = async () => {
    for (const { kind, select, row } of fields) {
      const choices = await list(kind);
      const track = kind === "speaker" ? null : media[kind];
      const current = track?.getSettings().deviceId ?? remembered(kind);
      const options = choices.map(({ id, label }) => h("option", { value: id }, label));
      if (options.length === 0) {
        row.hidden = kind === "speaker";
        options.push(h("option", { value: "" }, say(MISSING[kind])));
      }
      select.disabled = choices.length < 2;
      select.replaceChildren(...options);
      if (current && choices.some(({ id }) => id === current)) select.value = current;
    }
  };

  const forget = onDevicesChanged(() => void refresh());
  const speaker = remembered("speaker");
  if (canChooseSpeaker && speaker) void output.setSinkId(speaker).catch(() => {});
  return { element, refresh, dispose: forget };
}
