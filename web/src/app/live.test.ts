// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Change } from "@/ui/frame/feature";
import { followServer, type LiveState } from "./live";

type Opened = { lastId: string | null; send: (text: string) => void; end: () => void };

let opened: Opened[] = [];
let refuse = 0;
let stop: () => void = () => undefined;

/** A server whose streams the test writes and ends. */
function serve() {
  vi.stubGlobal("fetch", (_url: string, init: RequestInit) => {
    if (refuse) return Promise.resolve(new Response(null, { status: refuse }));
    let control: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({ start: (given) => void (control = given) });
    init.signal?.addEventListener("abort", () => {
      try {
        control.error(new DOMException("aborted", "AbortError"));
      } catch {
        // It has ended before.
      }
    });
    opened.push({
      lastId: new Headers(init.headers).get("Last-Event-ID"),
      send: (text) => control.enqueue(new TextEncoder().encode(text)),
      end: () => control.close(),
    });
    return Promise.resolve(new Response(body, { status: 200 }));
  });
}

function follow() {
  const changes: Change[] = [];
  const states: LiveState["state"][] = [];
  let resets = 0;
  stop = followServer({
    url: "/api/v1/stream?topics=ci",
    onChange: (change) => changes.push(change),
    onReset: () => (resets += 1),
    onState: ({ state }) => states.push(state),
  });
  return { changes, states, resets: () => resets };
}

const change = (n: number) => `id: e-${n}\nevent: change\ndata: {"topic":"ci.build","id":"${n}"}\n\n`;
const until = (check: () => void) => vi.waitFor(check, { timeout: 4000 });

beforeEach(() => {
  opened = [];
  refuse = 0;
  // Without a channel each tab holds its own connection, which is what is looked at here.
  vi.stubGlobal("BroadcastChannel", undefined);
  serve();
});
afterEach(() => {
  stop();
  vi.unstubAllGlobals();
});

describe("followServer", () => {
  it("says what changed", async () => {
    const seen = follow();
    await until(() => expect(opened).toHaveLength(1));
    opened[0]?.send(change(1) + change(2));
    await until(() => expect(seen.changes.map(({ id }) => id)).toEqual(["1", "2"]));
    expect(seen.states).toEqual(["live"]);
  });

  it("resumes where it was, without refetching everything", async () => {
    const seen = follow();
    await until(() => expect(opened).toHaveLength(1));
    expect(seen.resets()).toBe(1);
    opened[0]?.send(change(7));
    await until(() => expect(seen.changes).toHaveLength(1));
    opened[0]?.end();
    await until(() => expect(opened).toHaveLength(2));
    expect(opened[1]?.lastId).toBe("e-7");
    await until(() => expect(seen.states).toEqual(["live", "reconnecting", "live"]));
    expect(seen.resets()).toBe(1);
  });

  it("refetches everything when the server says so", async () => {
    const seen = follow();
    await until(() => expect(opened).toHaveLength(1));
    opened[0]?.send("id: e-9\nevent: reset\ndata: {}\n\n");
    await until(() => expect(seen.resets()).toBe(2));
  });

  it("looks whether the session is over when it is refused, and tries again", async () => {
    refuse = 401;
    const seen = follow();
    await until(() => expect(seen.resets()).toBeGreaterThan(0));
    expect(seen.states[0]).toBe("reconnecting");
    refuse = 0;
    await until(() => expect(seen.states.at(-1)).toBe("live"));
  });

  it("goes on after an event it cannot read", async () => {
    const seen = follow();
    await until(() => expect(opened).toHaveLength(1));
    opened[0]?.send(`event: change\ndata: {broken\n\nevent: other\ndata: x\n\n${change(3)}`);
    await until(() => expect(seen.changes.map(({ id }) => id)).toEqual(["3"]));
  });
});
