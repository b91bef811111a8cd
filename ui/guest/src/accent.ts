/** The colours that follow from a company's own: readable on light and on dark grounds, computed and not hoped for. */

type Colour = readonly [red: number, green: number, blue: number];

export interface Grounds {
  surface: string;
  ground: string;
  sunken: string;
}

export interface AccentColours {
  "--accent": string;
  "--accent-hover": string;
  "--on-accent": string;
  "--accent-soft": string;
  "--accent-text": string;
  "--focus": string;
}

const WHITE: Colour = [255, 255, 255];
const BLACK: Colour = [0, 0, 0];
/** WCAG 2.2: of text (1.4.3), and of what is no text (1.4.11). */
const TEXT = 4.5;
const SHAPE = 3;

/**
 * On light grounds the company's colour is used as it is. On dark ones it is lifted until it stands out: many were
 * chosen for white paper.
 */
export function accentColours(accent: string, grounds: Grounds): AccentColours {
  const [surface, ground, sunken] = [grounds.surface, grounds.ground, grounds.sunken].map(parse) as [Colour, Colour, Colour];
  const dark = luminance(surface) < 0.18;
  const away = dark ? WHITE : BLACK;
  const fill = dark ? until(parse(accent), WHITE, (colour) => contrast(colour, surface) >= SHAPE) : parse(accent);
  const on = contrast(fill, WHITE) >= contrast(fill, BLACK) ? WHITE : BLACK;
  const soft = mix(surface, fill, 0.14);
  const text = until(fill, away, (colour) => [surface, ground, sunken, soft].every((behind) => contrast(colour, behind) >= TEXT));
  return {
    "--accent": write(fill),
    // Away from its text, which then stands out more, not less.
    "--accent-hover": write(mix(fill, on === WHITE ? BLACK : WHITE, 0.14)),
    "--on-accent": write(on),
    "--accent-soft": write(soft),
    "--accent-text": write(text),
    "--focus": write(text),
  };
}

/** The ratio of WCAG 2.2. */
export function contrast(one: Colour | string, other: Colour | string): number {
  const [darker, lighter] = [one, other]
    .map((colour) => luminance(typeof colour === "string" ? parse(colour) : colour))
    .sort((a, b) => a - b) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

/** The first step towards the other colour that does. */
function until(colour: Colour, towards: Colour, does: (colour: Colour) => boolean): Colour {
  for (let share = 0; share < 1; share += 0.05) {
    const step = mix(colour, towards, share);
    if (does(step)) return step;
  }
  return towards;
}

function mix(one: Colour, other: Colour, share: number): Colour {
  return one.map((value, at) => Math.round(value + (other[at]! - value) * share)) as unknown as Colour;
}

function luminance([red, green, blue]: Colour): number {
  const channel = (value: number) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
}

/** `#rrggbb`, or `#rgb` as style sheets are shortened to. */
function parse(colour: string): Colour {
  if (colour.length === 4) return parse(colour.replace(/[^#]/g, "$&$&"));
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)) as unknown as Colour;
}

function write(colour: Colour): string {
  return `#${colour.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
