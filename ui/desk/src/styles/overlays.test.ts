import { expect, it } from "vitest";
import overlays from "./overlays.css?raw";

it("nothing that floats is animated: once bits-ui has asked for the animation, WebKit keeps it and its element", () => {
  expect(overlays).toContain(".tip");
  expect(overlays).not.toMatch(/^\s*(animation|transition)[-\w]*:/m);
});
