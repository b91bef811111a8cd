import type { ContextValue } from "$wire";

/** As a person reads it. */
export function valueText(value: ContextValue): string {
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}

/** What a person typed; "007" and "+34 600" stay text, because they would not come back the same. */
export function parseValue(text: string): ContextValue {
  const trimmed = text.trim();
  if (trimmed === "yes" || trimmed === "true") return true;
  if (trimmed === "no" || trimmed === "false") return false;
  const number = Number(trimmed);
  if (trimmed !== "" && Number.isFinite(number) && String(number) === trimmed) return number;
  return text;
}
