/**
 * The company's name and colour. An embedding page may pass them in the address's fragment, which never reaches
 * a log; otherwise they are those that the server writes into the page's `sightline-company` and
 * `sightline-accent` meta elements.
 */

import type { ContextValue, WebChatStart } from "../../shared/wire";

export interface Embedding {
  company: string;
  accent: string | null;
  name: string | null;
  context: WebChatStart["context"];
  embedded: boolean;
}

const COLOUR = /^#[0-9a-f]{6}$/i;

export function embedding(): Embedding {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const value = (name: string) => fragment.get(name) ?? meta(`sightline-${name}`);
  const accent = value("accent");
  return {
    company: (value("company") ?? "").slice(0, 60),
    accent: accent && COLOUR.test(accent) ? accent : null,
    name: fragment.get("name")?.slice(0, 80) ?? null,
    context: primitives(fragment.get("context")),
    embedded: new URLSearchParams(location.search).has("embed"),
  };
}

/** A company's colour is used only where white or black text on it stays readable; both are computed here. */
export function applyAccent(accent: string | null): void {
  if (!accent) return;
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(accent.slice(at, at + 2), 16)) as [number, number, number];
  const root = document.documentElement.style;
  root.setProperty("--accent", accent);
  root.setProperty("--accent-hover", `color-mix(in srgb, ${accent} 86%, black)`);
  root.setProperty("--accent-text", `color-mix(in srgb, ${accent} 55%, var(--text))`);
  root.setProperty("--focus", `color-mix(in srgb, ${accent} 55%, var(--text))`);
  root.setProperty("--accent-soft", `color-mix(in srgb, ${accent} 14%, var(--surface))`);
  root.setProperty("--on-accent", luminance(r, g, b) > 0.179 ? "#0b0c0f" : "#ffffff");
}

function luminance(r: number, g: number, b: number): number {
  const channel = (value: number) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
}

function meta(name: string): string | null {
  return document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content || null;
}

/** Primitives, and Dynamics 365's objects around one; whatever else the page gives is left out here. */
function primitives(json: string | null): WebChatStart["context"] {
  if (!json) return {};
  try {
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed !== "object" || parsed === null) return {};
    return Object.fromEntries(
      Object.entries(parsed)
        .filter((entry): entry is [string, WebChatStart["context"][string]] => isPrimitive(entry[1]) || isWrapped(entry[1]))
        .slice(0, 100),
    );
  } catch {
    return {};
  }
}

function isPrimitive(value: unknown): value is ContextValue {
  return ["string", "number", "boolean"].includes(typeof value);
}

function isWrapped(value: unknown): boolean {
  return typeof value === "object" && value !== null && "value" in value && isPrimitive(value.value);
}
