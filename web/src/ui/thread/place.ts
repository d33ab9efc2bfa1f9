/** An address of ours, as the server gives it, in the two parts that links of the router take. */
export function placeOf(path: string): { to: string; search: Record<string, string> } {
  const [to = "", query = ""] = path.split("?", 2);
  return { to, search: Object.fromEntries(new URLSearchParams(query)) };
}
