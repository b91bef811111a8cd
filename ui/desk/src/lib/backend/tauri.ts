import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { DeskEvent } from "$wire";
import type { Backend } from "./backend";

/** The real controller, behind Tauri. The only file that knows Tauri. */
export const tauriBackend: Backend = {
  send: (command) => invoke("desk", { command }),
  listen: async (handler) => {
    await listen<DeskEvent>("desk", (event) => handler(event.payload));
  },
};
