/**
 * `<script src="https://server/widget.js" async></script>`: a button in the corner that opens the chat in a frame
 * of our own origin. Lives in a shadow root, so that the page's styles and ours leave each other alone.
 * Options on the script element: data-company, data-accent, data-name, data-context (JSON), data-lang.
 */

import { spoken } from "../words/widget";
import styles from "../styles/widget.css?inline";

const script = document.currentScript as HTMLScriptElement | null;

function start(source: HTMLScriptElement): void {
  const server = new URL(source.src).origin;
  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles);
  root.adoptedStyleSheets = [sheet];
  const asked = [source.dataset["lang"], customerLocale(source.dataset["context"])];
  const { language, words } = spoken([...asked, ...navigator.languages]);
  host.lang = language;
  const accent = source.dataset["accent"];
  if (accent && /^#[0-9a-f]{6}$/i.test(accent)) host.style.setProperty("--launcher", accent);

  const launcher = document.createElement("button");
  launcher.type = "button";
  launcher.className = "launcher";
  launcher.setAttribute("aria-haspopup", "dialog");
  const shape = picture();
  const badge = document.createElement("span");
  badge.className = "badge";
  badge.hidden = true;
  launcher.append(shape, badge);

  const panel = document.createElement("div");
  panel.className = "panel";
  panel.hidden = true;
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-label", words.chat);
  root.append(panel, launcher);

  let frame: HTMLIFrameElement | null = null;
  let loaded = false;
  let open = false;
  let unread = 0;
  let live = false;

  const label = () => {
    const state = live ? `${words.live} ` : unread > 0 ? `${words.unread.replace("{count}", String(unread))} ` : "";
    launcher.setAttribute("aria-label", state + (open ? words.close : words.open));
    launcher.setAttribute("aria-expanded", String(open));
    launcher.classList.toggle("open", open);
    launcher.classList.toggle("live", live);
    badge.hidden = unread === 0 || open;
    badge.textContent = unread > 9 ? "9+" : String(unread);
  };

  const load = () => {
    if (frame) return;
    frame = document.createElement("iframe");
    frame.title = words.chat;
    frame.allow = "camera; microphone; display-capture; autoplay";
    const given = new URLSearchParams();
    for (const name of ["company", "accent", "name", "context"]) {
      const value = source.dataset[name];
      if (value) given.set(name, value);
    }
    // The server speaks the browser's language by itself.
    const lang = asked.some(Boolean) ? `&lang=${language}` : "";
    frame.src = `${server}/chat?embed=1${lang}#${given.toString()}`;
    frame.addEventListener("load", () => {
      loaded = true;
      tell();
    });
    panel.append(frame);
  };
  const tell = () => {
    if (loaded) frame?.contentWindow?.postMessage({ sightline_visible: open }, server);
  };

  const show = (next: boolean) => {
    open = next;
    if (open) load();
    panel.hidden = !open;
    remember(open);
    label();
    tell();
    if (open) frame?.focus();
    else launcher.focus();
  };

  launcher.addEventListener("click", () => show(!open));
  root.addEventListener("keydown", (event) => {
    if ((event as KeyboardEvent).key === "Escape" && open) show(false);
  });
  window.addEventListener("message", (event) => {
    if (event.origin !== server || event.source !== frame?.contentWindow) return;
    const data = event.data as { sightline_unread?: number; sightline_close?: boolean; sightline_live?: boolean };
    if (typeof data.sightline_unread === "number") unread = data.sightline_unread;
    if (typeof data.sightline_live === "boolean") live = data.sightline_live;
    if (data.sightline_close === true && open) show(false);
    else label();
  });

  label();
  document.body.append(host);
  // Someone who wrote on the page before is told of answers on this one too.
  if (usedBefore()) load();
}

const USED = "sightline.widget";

/** The language of the customer, as the embedding page's context variables may tell it. */
function customerLocale(context: string | undefined): unknown {
  try {
    const given: unknown = (JSON.parse(context ?? "{}") as { customerLocale?: unknown } | null)?.customerLocale;
    return typeof given === "object" && given !== null && "value" in given ? given.value : given;
  } catch {
    return null;
  }
}

function remember(opened: boolean): void {
  try {
    if (opened) sessionStorage.setItem(USED, "1");
  } catch {
    // Storage is blocked: the next page starts closed.
  }
}

function usedBefore(): boolean {
  try {
    return sessionStorage.getItem(USED) !== null;
  } catch {
    return false;
  }
}

function picture(): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  for (const [name, d] of [
    ["talk", "M21 15a2 2 0 0 1-2 2H8l-5 4V5a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2z"],
    ["close", "M18 6 6 18M6 6l12 12"],
  ] as const) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("class", name);
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

if (script) {
  if (document.body) start(script);
  else document.addEventListener("DOMContentLoaded", () => start(script), { once: true });
}
