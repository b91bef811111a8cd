/**
 * WebKitGTK calls the language of a session without a locale "C" (or "POSIX"), which is no language tag (BCP 47):
 * whoever hands it to `Intl`, as the plotting library does while it loads, gets a RangeError. Imported before all else.
 */
try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en-US", configurable: true });
}
