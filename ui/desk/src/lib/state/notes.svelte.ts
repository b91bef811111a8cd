import type { Problem } from "$wire";

export type NotesState = "clean" | "typing" | "saving" | "saved" | "failed";

const PAUSE_MS = 700;

/** One conversation's notes while they are edited: saves itself after a pause, never loses a letter. */
export class NotesDraft {
  text = $state("");
  state = $state<NotesState>("clean");
  problem = $state.raw<Problem | null>(null);

  readonly #save: (text: string) => Promise<Problem | null>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stored: string;

  constructor(stored: string, save: (text: string) => Promise<Problem | null>) {
    this.text = stored;
    this.#stored = stored;
    this.#save = save;
  }

  /** Whether something is not stored yet. */
  get dirty(): boolean {
    return this.text !== this.#stored;
  }

  edit(text: string): void {
    this.text = text;
    this.state = "typing";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), PAUSE_MS);
  }

  /** The server's text, e.g. from another desk; what is being typed here wins. */
  receive(stored: string): void {
    const untouched = !this.dirty;
    this.#stored = stored;
    if (untouched) this.text = stored;
    else if (!this.dirty) this.state = "saved";
  }

  /** Saves now, if there is something to save. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    if (!this.dirty || this.state === "saving") return;
    const text = this.text;
    this.state = "saving";
    const problem = await this.#save(text);
    this.problem = problem;
    if (problem !== null) {
      this.state = "failed";
      return;
    }
    this.#stored = text;
    // Typing went on while the answer was under way.
    if (this.text !== text) {
      this.state = "typing";
      await this.flush();
    } else {
      this.state = "saved";
    }
  }
}
