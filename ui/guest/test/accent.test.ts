import { describe, expect, it } from "vitest";
import tokens from "../../shared/tokens.css?raw";
import { accentColours, contrast } from "../src/accent";

const value = (css: string, name: string) => new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(css)![1]!;
const [light, dark] = [tokens.slice(0, tokens.indexOf("prefers-color-scheme")), tokens.slice(tokens.indexOf("prefers-color-scheme"))].map(
  (css) => ({ surface: value(css, "surface"), ground: value(css, "ground"), sunken: value(css, "sunken") }),
) as [Grounds, Grounds];
type Grounds = Parameters<typeof accentColours>[1];

const hex = (channel: number) => channel.toString(16).padStart(2, "0");
const steps = [0, 51, 102, 119, 153, 204, 255];
const companies = steps.flatMap((r) => steps.flatMap((g) => steps.map((b) => `#${hex(r)}${hex(g)}${hex(b)}`)));

describe.each([["light", light], ["dark", dark]])("a company's colour on %s grounds", (_, grounds) => {
  it("is readable, whatever it is", () => {
    for (const company of companies) {
      const colours = accentColours(company, grounds);
      const texts = [
        [colours["--on-accent"], colours["--accent"]],
        [colours["--on-accent"], colours["--accent-hover"]],
        ...[grounds.surface, grounds.ground, grounds.sunken, colours["--accent-soft"]].map((behind) => [colours["--accent-text"], behind]),
      ] as [string, string][];
      for (const [text, behind] of texts) {
        expect({ company, text, behind, enough: contrast(text, behind) >= 4.5 }).toMatchObject({ enough: true });
      }
      expect(contrast(colours["--focus"], grounds.surface)).toBeGreaterThanOrEqual(3);
    }
  });
});

describe("a company's colour", () => {
  it("stays what it is on paper, and is lifted only where it would sink into the dark", () => {
    expect(accentColours("#001a66", light)["--accent"]).toBe("#001a66");
    expect(accentColours("#ffd400", light)["--accent"]).toBe("#ffd400");
    expect(accentColours("#ffd400", dark)["--accent"]).toBe("#ffd400");
    const lifted = accentColours("#001a66", dark)["--accent"];
    expect(lifted).not.toBe("#001a66");
    expect(contrast(lifted, dark.surface)).toBeGreaterThanOrEqual(3);
  });
});
