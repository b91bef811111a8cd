import { describe, expect, it, vi } from "vitest";
import { LocalMedia } from "../src/call/local-media";

const track = (kind: string) => ({ kind, enabled: true, stop() {} }) as unknown as MediaStreamTrack;

describe("what this side sends", () => {
  it("holds pictures back and sends them again, without touching the devices or the sound", () => {
    vi.stubGlobal("navigator", {});
    let told = 0;
    const media = new LocalMedia(() => (told += 1));
    const { camera, microphone } = Object.assign(media, { camera: track("video"), microphone: track("audio") });
    expect(media.outgoing).toEqual({ audio: microphone, video: camera });

    media.holdPictures(true);
    expect(media.outgoing).toEqual({ audio: microphone, video: null });
    expect(media.state).toEqual({ microphone: true, camera: false, screen: false });
    expect(media.cameraOn).toBe(true);
    media.screen = track("video");
    expect(media.outgoing.video).toBe(null);
    expect(media.state.screen).toBe(false);

    media.holdPictures(false);
    expect(media.outgoing.video).toBe(media.screen);
    expect(media.state).toEqual({ microphone: true, camera: true, screen: true });
    expect(told).toBe(2);
    media.holdPictures(false);
    expect(told).toBe(2);
  });
});
