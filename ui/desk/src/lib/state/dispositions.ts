/** How a conversation can end. The server keeps any wording; these are the ones offered. */
export const DISPOSITIONS = [
  "Solved",
  "Follow-up needed",
  "Handed over",
  "Customer left",
  "Spam or wrong number",
] as const;
