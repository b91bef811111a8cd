/**
 * What the page says, in the customer's language. English is built in; for any other language the server's page carries
 * the dictionary in its `#words` element, so that no language costs another request.
 */

import { en } from "./words/en";

export type Key = keyof typeof en;
export type Words = Record<Key, string>;

type Places<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Places<Rest> : never;
type Values<K extends Key> = [Places<(typeof en)[K]>] extends [never]
  ? []
  : [Record<Places<(typeof en)[K]>, string | number>];

let words: Record<string, string> = { ...en, ...ofPage() };
/** The language of the words. */
let language = (typeof document === "undefined" ? "" : document.documentElement.lang) || "en";
/** How this customer writes numbers and times. */
let locale = nearest(typeof navigator === "undefined" ? [] : navigator.languages);

/** A sentence with its places filled in; numbers are written as the language does. */
export function say<K extends Key>(key: K, ...[values]: Values<K>): string {
  return fill(words[key] ?? en[key], (values ?? {}) as Record<string, string | number>);
}

/** A sentence by a name that comes from the server; `null` for one that is not known. */
export function sayIfKnown(key: string, values: Record<string, string | number> = {}): string | null {
  return Object.hasOwn(en, key) ? fill(words[key]!, values) : null;
}

/** Another dictionary than the page's own. */
export function speak(tag: string, dictionary: Words): void {
  language = tag;
  words = { ...dictionary };
  locale = nearest([]);
}

export function speaks(tag: string): boolean {
  return language === tag;
}

export function writtenAs(): string {
  return locale;
}

/** How the customer writes, as the conversation knows it. A tag of another language than the page's changes nothing. */
export function writeAs(tag: unknown): void {
  if (typeof tag === "string") locale = nearest([tag], locale);
}

/** The first tag of the page's language: `de-CH` writes other numbers than `de`. */
function nearest(tags: readonly string[], otherwise: string = language): string {
  for (const tag of tags) {
    try {
      const [canonical] = Intl.getCanonicalLocales(tag);
      if (canonical && new Intl.Locale(canonical).language === new Intl.Locale(language).language) return canonical;
    } catch {
      // Not a language tag.
    }
  }
  return otherwise;
}

function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) return place;
    return typeof value === "number" ? value.toLocaleString(locale) : value;
  });
}

function ofPage(): Record<string, string> {
  const text = typeof document === "undefined" ? null : document.getElementById("words")?.textContent;
  if (!text) return {};
  try {
    const read: unknown = JSON.parse(text);
    const entries = typeof read === "object" && read !== null ? Object.entries(read) : [];
    return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    return {};
  }
}
