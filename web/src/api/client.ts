import createClient from "openapi-fetch";
import { problemFrom, unreachable } from "./problem";
import type { paths } from "./schema.gen";

let csrfToken = "";
const onAnonymous = new Set<() => void>();

/** Remembered from the session; sent with everything that changes something. */
export function setCsrfToken(token: string): void {
  csrfToken = token;
}

/** Called when the server says that the session is over. Returns the way to stop listening. */
export function whenAnonymous(listener: () => void): () => void {
  onAnonymous.add(listener);
  return () => onAnonymous.delete(listener);
}

/** A fetch that adds the CSRF token, lets the browser answer 304 from its cache, and throws problems. */
export async function request(input: Request): Promise<Response> {
  const safe = input.method === "GET" || input.method === "HEAD";
  if (!safe && csrfToken) input.headers.set("X-CSRF-Token", csrfToken);
  let response: Response;
  try {
    response = await fetch(input, safe ? { cache: "no-cache" } : undefined);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable(error);
  }
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => null);
  // A refused password is a 401 too, but nobody's session ended by it.
  if (response.status === 401 && !input.url.endsWith("/accounts/session")) for (const listener of onAnonymous) listener();
  throw problemFrom(response, body);
}

const client = createClient<paths>({ baseUrl: globalThis.location?.origin ?? "", fetch: request });

/**
 * The typed client of our own API. Its methods throw a Problem when refused, so `data` is there when they return:
 * `const me = await data(api.GET("/api/v1/accounts/me"))`.
 */
export const api = client;

/** The body of an answer that has one. */
export async function data<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}

/** For answers without a body. */
export async function done(call: Promise<unknown>): Promise<void> {
  await call;
}
