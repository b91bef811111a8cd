import type { ConversationId, Problem } from "$wire";
import { toProblem, type Backend } from "../backend/backend";

/** As the server counts, and the desk before it. */
export const MOST_BYTES = 4 * 1024 * 1024;
/** At a time. */
export const MOST_FILES = 10;

const NONE: readonly File[] = [];

const tooLarge = (message: string): Problem => ({
  code: "file_too_large",
  message,
  next_step: "Send a smaller one: up to 4 MB each, ten at a time.",
});

/** What is wrong with a file before anybody has read it; its kind is judged by its bytes, on their way. */
export function oversize(file: Pick<File, "name" | "size">): Problem | null {
  return file.size > MOST_BYTES ? tooLarge(`${file.name} is larger than 4 MB.`) : null;
}

/** Files that an agent has chosen and not sent yet. They stay with their conversation, as words do. */
export class Attachments {
  #chosen = $state.raw<Readonly<Record<ConversationId, readonly File[]>>>({});

  of(conversation: ConversationId): readonly File[] {
    return this.#chosen[conversation] ?? NONE;
  }

  /** Takes what can be sent; says what is wrong with the first of the others. */
  add(conversation: ConversationId, files: readonly File[]): Problem | null {
    const there = this.of(conversation);
    const fitting = files.filter((file) => oversize(file) === null);
    const taken = fitting.slice(0, Math.max(0, MOST_FILES - there.length));
    this.#set(conversation, [...there, ...taken]);
    const large = files.map(oversize).find((problem) => problem !== null) ?? null;
    return large ?? (taken.length < fitting.length ? tooLarge(`Only ${MOST_FILES} files go out at a time.`) : null);
  }

  remove(conversation: ConversationId, file: File): void {
    this.#set(conversation, this.of(conversation).filter((one) => one !== file));
  }

  clear(): void {
    this.#chosen = {};
  }

  /** One after the other; each leaves the list once the desk keeps it. What is wrong ends it: the rest stays chosen. */
  async send(conversation: ConversationId, backend: Backend): Promise<Problem | null> {
    for (const file of this.of(conversation)) {
      try {
        await backend.sendFile(conversation, file);
      } catch (error) {
        return toProblem(error);
      }
      this.remove(conversation, file);
    }
    return null;
  }

  #set(conversation: ConversationId, files: readonly File[]): void {
    this.#chosen = { ...this.#chosen, [conversation]: files };
  }
}
