/**
 * Where to go after signing in. A path of this server only: an address that leads elsewhere
 * would let a link to our sign-in page hand people to somebody else.
 */
export function destination(next: unknown): string {
  if (typeof next !== "string" || !next.startsWith("/") || /^\/[/\\]/.test(next)) return "/";
  const url = new URL(next, "http://self");
  if (url.host !== "self" || url.pathname === "/login") return "/";
  return url.pathname + url.search + url.hash;
}

/** The port at which a waiting fly listens on the person's own machine, or nothing. */
export function flyPort(value: unknown): number | undefined {
  const port = Number(value);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}
