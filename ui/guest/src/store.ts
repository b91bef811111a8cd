/** Values that survive a reload of this tab, and nothing longer: a shared computer keeps no one's chat. */

export interface Slot<T> {
  read(): T | null;
  write(value: T): void;
  clear(): void;
}

export function slot<T>(name: string): Slot<T> {
  const key = `sightline.${name}`;
  let fallback: string | null = null;
  return {
    read() {
      let text = fallback;
      try {
        text = sessionStorage.getItem(key) ?? fallback;
      } catch {
        // Storage is blocked: the value then lives as long as the page.
      }
      if (!text) return null;
      try {
        return JSON.parse(text) as T;
      } catch {
        return null;
      }
    },
    write(value) {
      fallback = JSON.stringify(value);
      try {
        sessionStorage.setItem(key, fallback);
      } catch {
        // As above.
      }
    },
    clear() {
      fallback = null;
      try {
        sessionStorage.removeItem(key);
      } catch {
        // As above.
      }
    },
  };
}
