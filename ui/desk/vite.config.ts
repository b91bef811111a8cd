import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// What Tauri sends with every page; the preview sends it too, so that a violation shows up in a browser.
const csp = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src ipc: http://ipc.localhost ws://127.0.0.1:*",
  "worker-src 'self'",
].join("; ");

// bits-ui has a few style attributes in its markup, which the policy forbids; set from script they are fine.
const stylesFromScript: Plugin = {
  name: "styles-from-script",
  enforce: "pre",
  transform(code, id) {
    if (!id.includes("/bits-ui/") || !id.endsWith(".svelte")) return null;
    return { code: code.replaceAll('style="display: contents;"', 'style:display="contents"'), map: null };
  },
};

export default defineConfig({
  plugins: [stylesFromScript, svelte()],
  server: { port: 5173, strictPort: true, host: "127.0.0.1", fs: { allow: [".."] } },
  preview: { host: "127.0.0.1", headers: { "content-security-policy": csp } },
  build: {
    target: ["safari17", "chrome120"],
    // The policy allows no data: fonts, so nothing is inlined.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  // Style sheets are tested too.
  test: { include: ["src/**/*.test.ts"], css: true },
});
