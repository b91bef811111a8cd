import type { Channel } from "$wire";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

/** 2:07, 1:04:09. */
export function timer(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const seconds = String(total % 60).padStart(2, "0");
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  if (hours === 0) return `${minutes}:${seconds}`;
  return `${hours}:${String(minutes).padStart(2, "0")}:${seconds}`;
}

/** Remaining time, rounded up: a countdown shows 0:00 only when it is over. */
export function countdown(ms: number): string {
  return timer(Math.max(0, Math.ceil(ms / 1000) * 1000));
}

/** How long someone waits: seconds matter first, then minutes, then hours. */
export function waited(ms: number): string {
  if (ms < HOUR) return timer(ms);
  const hours = Math.floor(ms / HOUR);
  if (hours < 24) return `${hours} h ${Math.floor((ms % HOUR) / MINUTE)} m`;
  return `${Math.floor(hours / 24)} d`;
}

/** now, 4 m, 3 h, 2 d. */
export function ago(ms: number): string {
  if (ms < MINUTE) return "now";
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} m`;
  if (ms < 24 * HOUR) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / (24 * HOUR))} d`;
}

/** 14:02 */
export function time(at: number): string {
  return clock.format(at);
}

const short = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });

/** 14:02, or 2:02 PM: for where there is no room. */
export function shortClock(at: number): string {
  return short.format(at);
}

/** Today, Yesterday, Monday, 3 March. */
export function dayName(at: number, now: number): string {
  const date = new Date(at).toDateString();
  if (date === new Date(now).toDateString()) return "Today";
  if (date === new Date(now - 24 * HOUR).toDateString()) return "Yesterday";
  return day.format(at);
}

/** 14:02 of today, "Yesterday, 14:02", "Monday, 2 March, 14:02". */
export function moment(at: number, now: number): string {
  const name = dayName(at, now);
  return name === "Today" ? time(at) : `${name}, ${time(at)}`;
}

/** "4 min 12 s" for sentences. */
export function duration(ms: number): string {
  const total = Math.max(0, Math.round(ms / 1000));
  if (total < 60) return `${total} s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return `${minutes} min ${total % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** 1.4 Mbit/s, 320 kbit/s */
export function bitrate(bits: number): string {
  if (bits >= 1_000_000) return `${(bits / 1_000_000).toFixed(1)} Mbit/s`;
  return `${Math.round(bits / 1000)} kbit/s`;
}

/** 0.8 %, 12 % */
export function share(value: number): string {
  const percent = value * 100;
  return `${percent >= 10 || percent === 0 ? Math.round(percent) : percent.toFixed(1)} %`;
}

/** "AM" for Ana Moreno; one letter for one word. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = firstLetter(words[0]);
  const last = words.length > 1 ? firstLetter(words.at(-1)) : "";
  return (first + last).toLocaleUpperCase() || "?";
}

function firstLetter(word: string | undefined): string {
  return word?.match(/[\p{L}\p{N}]/u)?.[0] ?? "";
}

/** Whether a customer is known only by an address: a number, an e-mail address, a platform's id. */
export function isAddress(name: string): boolean {
  const text = name.trim();
  return !/\s/u.test(text) && (/^\+?\d[\d().-]{4,}$/u.test(text) || /[:@]/u.test(text) || (text.length > 20 && /\d/u.test(text)));
}

/** An address that fits: beginning and end tell one from another, the middle does not. */
export function shortAddress(name: string, most = 32): string {
  const chars = [...name.trim()];
  if (!isAddress(name) || chars.length <= most) return name;
  const end = Math.floor((most - 1) / 2);
  return `${chars.slice(0, most - 1 - end).join("")}…${chars.slice(-end).join("")}`;
}

/** "Ana" for Ana Moreno, for sentences in a call. */
export function firstName(name: string): string {
  if (isAddress(name)) return shortAddress(name, 20);
  // "Customer 4821" is a label, not a first and a last name.
  if (/^Customer\b/u.test(name)) return name;
  return name.trim().split(/\s+/u)[0] ?? name;
}

/** One of six avatar tones, the same for the same name (FNV-1a). */
export function tone(name: string): number {
  let hash = 0x811c9dc5;
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 8) % 6;
}

const CHANNELS: Record<Channel, string> = {
  web_chat: "Web chat",
  sms: "SMS",
  whats_app: "WhatsApp",
  twilio: "Twilio",
  genesys: "Genesys",
  azure: "Azure chat",
  bot: "Bot",
  webex: "Webex",
  webhook: "Webhook",
  phone: "Phone",
  self_test: "Self-test",
};

/** A name for a channel. */
export function channelName(channel: Channel): string {
  return CHANNELS[channel];
}

const languages = new Intl.DisplayNames("en", { type: "language", languageDisplay: "standard" });

/** "English (United Kingdom)" for en-GB; what is no language stays as it is. */
export function languageName(code: string): string {
  try {
    return languages.of(code.trim().replaceAll("_", "-")) ?? code;
  } catch {
    return code;
  }
}

/** A file's size as people say it. */
export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  if (count < 1024 * 1024) return `${Math.round(count / 1024)} KB`;
  return `${(count / (1024 * 1024)).toFixed(1)} MB`;
}
