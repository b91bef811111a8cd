/**
 * One page for each language: `chat.html` in English, `chat.de.html` and so on beside it. The server only chooses, so
 * that the first picture speaks the customer's language already, nothing of a request comes near the page's text, and no
 * language costs bytes of another.
 */

import type { Plugin } from "vite";
import type { Words } from "./src/say.ts";
import { de } from "./src/words/de.ts";
import { en } from "./src/words/en.ts";
import { es } from "./src/words/es.ts";
import { fr } from "./src/words/fr.ts";
import { it } from "./src/words/it.ts";
import { nl } from "./src/words/nl.ts";
import { pt } from "./src/words/pt.ts";

export const DICTIONARIES: Readonly<Record<string, Words>> = { en, de, es, fr, it, nl, pt };

export function pages(): Plugin {
  return {
    name: "pages",
    enforce: "post",
    transformIndexHtml(html, { server }) {
      return server ? written(html, "en", en) : html;
    },
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type !== "asset" || !file.fileName.endsWith(".html")) continue;
        const template = String(file.source);
        for (const [language, words] of Object.entries(DICTIONARIES)) {
          const text = written(template, language, words);
          if (language === "en") file.source = text;
          else this.emitFile({ type: "asset", fileName: file.fileName.replace(".html", `.${language}.html`), source: text });
        }
      }
    },
  };
}

/** A page in one language: `{{name}}` stands for a sentence, and the script's own sentences go into `#words`. */
export function written(template: string, language: string, words: Words): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    if (name === "language") return language;
    if (name === "dictionary") return language === "en" ? "" : dictionary(words);
    if (!Object.hasOwn(words, name)) throw new Error(`no sentence is called ${name}`);
    return escaped(words[name as keyof Words]);
  });
}

/** Data, which no policy runs. A `<` could end the element. */
function dictionary(words: Words): string {
  return `<script type="application/json" id="words">${JSON.stringify(words).replaceAll("<", "\\u003c")}</script>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
