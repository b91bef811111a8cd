import { invoke } from "@tauri-apps/api/core";
import type { DeskEvent } from "$wire";
import type { Backend } from "./backend";

/** The real controller, behind Tauri. The only file that knows Tauri. */
export const tauriBackend: Backend = {
  send: (command) => invoke("desk", { command }),
  // Beside the bytes stands what a header can hold: ASCII.
  sendFile: async (conversation, file) =>
    invoke("send_file", new Uint8Array(await file.arrayBuffer()), {
      headers: { "x-conversation": conversation, "x-name": encodeURIComponent(file.name), "x-kind": file.type },
    }),
  listen: async (handler) => {
    // Another number after each load: the controller's side tells this page from the one before it.
    const [page] = crypto.getRandomValues(new Uint32Array(1));
    await invoke("listen", { page });
    void take(page, handler);
  },
};

/** Asks for what has happened, again and again, until another page listens. */
async function take(page: number | undefined, handler: (event: DeskEvent) => void): Promise<void> {
  for (;;) {
    const events = await invoke<DeskEvent[]>("events", { page });
    if (events.length === 0) return;
    for (const event of events) {
      try {
        handler(event);
      } catch (error) {
        // What follows must still arrive.
        reportError(error);
      }
    }
  }
}
