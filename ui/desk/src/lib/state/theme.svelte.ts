export type ThemeChoice = "system" | "light" | "dark";

const KEY = "theme";
const ORDER: readonly ThemeChoice[] = ["system", "light", "dark"];

/** Follows the system unless the person has chosen. */
class Theme {
  choice = $state<ThemeChoice>(stored());

  /** Puts the choice on the document; the tokens do the rest. */
  show(): void {
    if (this.choice === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = this.choice;
  }

  set(choice: ThemeChoice): void {
    this.choice = choice;
    localStorage.setItem(KEY, choice);
    this.show();
  }

  next(): void {
    const at = ORDER.indexOf(this.choice);
    this.set(ORDER[(at + 1) % ORDER.length] ?? "system");
  }
}

function stored(): ThemeChoice {
  const value = typeof localStorage === "undefined" ? null : localStorage.getItem(KEY);
  return value === "light" || value === "dark" ? value : "system";
}

export const theme = new Theme();
