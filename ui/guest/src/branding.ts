/**
 * The company's name and colour. An embedding page may pass them in the address's fragment, which never reaches
 * a log; otherwise they are those that the server writes into the page's `sightline-company` and
 * `sightline-accent` meta elements.
 */

import type { ContextValue, WebChatStart } from "../../shared/wire";
import { accentColours } from "./accent";

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

/** Dresses the page in the company's colour, as far as it stays readable, and again when light turns to dark. */
export function applyAccent(accent: string | null): void {
  if (!accent) return;
  const root = document.documentElement;
  const apply = () => {
    const token = (name: string) => getComputedStyle(root).getPropertyValue(name).trim();
    const grounds = { surface: token("--surface"), ground: token("--ground"), sunken: token("--sunken") };
    if (!Object.values(grounds).every((ground) => /^#([0-9a-f]{3}){1,2}$/i.test(ground))) return;
    for (const [name, colour] of Object.entries(accentColours(accent, grounds))) root.style.setProperty(name, colour);
  };
  apply();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
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
