/** The random key that binds a seat in a call to this browser; made once, kept for good. */

const NAME = "sightline.browser";

let inMemory: string | null = null;

export function browserKey(): string {
  if (inMemory) return inMemory;
  try {
    const stored = localStorage.getItem(NAME);
    if (stored && /^[0-9a-f]{64}$/.test(stored)) return (inMemory = stored);
  } catch {
    // Storage is blocked: the key then lives as long as the page.
  }
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  inMemory = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  try {
    localStorage.setItem(NAME, inMemory);
  } catch {
    // As above.
  }
  return inMemory;
}
