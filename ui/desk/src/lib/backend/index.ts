import type { Backend } from "./backend";

/** Chosen when the window loads. Production bundles contain no other backend than Tauri's. */
export async function openBackend(): Promise<Backend> {
  if (import.meta.env.DEV || import.meta.env.MODE === "mock") {
    const scenario = new URLSearchParams(location.search).get("mock");
    if (scenario !== null) {
      const { mockBackend } = await import("./mock/backend");
      return mockBackend(scenario);
    }
  }
  const { tauriBackend } = await import("./tauri");
  return tauriBackend;
}
