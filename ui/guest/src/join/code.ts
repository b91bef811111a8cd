/** The code in the address of an invite. What is encoded wrongly is taken as it stands: the server knows no such code, and says so. */
export function codeOf(pathname: string): string {
  const last = pathname.split("/").filter(Boolean).at(-1) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}
