// Fails when what a page loads first exceeds 40 KB gzip or 5 requests (GOALS P8), or names another origin.
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";

const MOST_BYTES = 40 * 1024;
const MOST_REQUESTS = 5;
/** Requests a page's script makes before anyone touches it: the link page's for the invite and its room. One stays free for the chat. */
const OWN_REQUESTS = { "chat.html": 1, "join.html": 2 };

const dist = new URL("../dist/", import.meta.url);
let failed = false;

/** Each page in each of its languages: `chat.html`, `chat.de.html`. */
const pages = readdirSync(dist)
  .filter((name) => name.endsWith(".html"))
  .map((name) => [name, OWN_REQUESTS[name.replace(/\..*/, ".html")]]);

for (const [page, own] of pages) {
  const html = readFileSync(new URL(page, dist), "utf8");
  const files = new Set();
  for (const [, path] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
    if (path.startsWith("data:")) continue;
    if (!path.startsWith("/assets/")) fail(`${page} loads ${path}, which is not one of our files`);
    files.add(path.slice(1));
  }
  for (const file of [...files]) {
    const text = readFileSync(new URL(file, dist), "utf8");
    const imports = file.endsWith(".css")
      ? text.matchAll(/url\("?(\/assets\/[^)"]+)/g)
      : text.matchAll(/\bfrom\s*"\.\/([^"]+)"/g);
    for (const [, path] of imports) files.add(path.startsWith("/") ? path.slice(1) : `assets/${path}`);
  }
  const sizes = [page, ...files].map((file) => [file, gzipSync(readFileSync(new URL(file, dist))).length]);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  const requests = sizes.length + own;
  console.log(`${page}: ${(total / 1024).toFixed(1)} KB gzip in ${requests} requests`);
  for (const [file, size] of sizes) console.log(`  ${String(size).padStart(6)}  ${file}`);
  if (total > MOST_BYTES) fail(`${page} is over ${MOST_BYTES} bytes`);
  if (requests > MOST_REQUESTS) fail(`${page} needs over ${MOST_REQUESTS} requests`);
}
console.log(`widget.js: ${gzipSync(readFileSync(new URL("widget.js", dist))).length} bytes gzip`);
process.exitCode = failed ? 1 : 0;

function fail(what) {
  console.error(`FAILED: ${what}`);
  failed = true;
}
