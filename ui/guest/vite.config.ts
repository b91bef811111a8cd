import { defineConfig } from "vitest/config";
import { pages } from "./vite.pages.ts";

const here = (path: string) => new URL(path, import.meta.url).pathname;

/**
 * One build per page, chosen with `--mode`, so that no page waits for a chunk it shares with another:
 * chat.html, join.html and widget.js each load one script and one style sheet.
 */
export default defineConfig(({ mode }) => {
  const widget = mode === "widget";
  return {
    base: "/",
    publicDir: false,
    plugins: [pages()],
    server: {
      host: "127.0.0.1",
      proxy: {
        "/v1": { target: "http://127.0.0.1:8080", ws: true },
        "/v3": { target: "http://127.0.0.1:8080", ws: true },
      },
    },
    build: {
      target: "es2022",
      emptyOutDir: mode === "chat",
      // Inlined files would need data: addresses that the content security policy refuses.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: true,
      rollupOptions: {
        input: widget ? here("src/widget/main.ts") : here(`${mode}.html`),
        output: widget
          ? { entryFileNames: "widget.js", format: "iife" }
          : { entryFileNames: "assets/[name]-[hash].js" },
      },
    },
    test: { environment: "node", include: ["test/**/*.test.ts"], css: true },
  };
});
