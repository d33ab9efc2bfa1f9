import type { Change } from "@/ui/frame/feature";
import { readStream, RefusedStream, type StreamEvent } from "./sse";

export type LiveState = { state: "connecting" | "live" | "reconnecting" | "stale"; since: number };

/** What the leading tab tells the others. */
type Message =
  | { kind: "change"; change: Change; id: string }
  | { kind: "reset"; id: string }
  | { kind: "id"; id: string }
  | { kind: "state"; live: LiveState }
  | { kind: "hello" };

type Options = {
  url: string;
  onChange: (change: Change) => void;
  onReset: () => void;
  onState: (live: LiveState) => void;
};

const silence = 40_000; // two missed heartbeats and a half
const staleAfter = 15_000;
const firstWait = 500;
const longestWait = 15_000;
const channelName = "signalbox.live";

/**
 * Follows the server. One tab of the browser holds the connection and tells the others, because HTTP/1.1 allows six
 * per host. Without locks (plain http on another host) each tab holds its own. Returns the way to stop.
 */
export function followServer(options: Options): () => void {
  const stop = new AbortController();
  const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(channelName);
  const shared = channel !== null && typeof navigator !== "undefined" && navigator.locks !== undefined;
  const follower = createFollower(options);

  const lead = (lastId: string) =>
    holdConnection(options.url, lastId, stop.signal, (message) => {
      follower.receive(message);
      if (shared) channel.postMessage(message);
    });

  if (!shared) {
    void lead("");
  } else {
    let leader = false;
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.kind !== "hello") follower.receive(data);
      else if (leader) channel.postMessage({ kind: "state", live: follower.live() } satisfies Message);
    };
    channel.postMessage({ kind: "hello" } satisfies Message);
    navigator.locks
      .request(channelName, { signal: stop.signal }, () => {
        leader = true;
        return lead(follower.lastId());
      })
      .catch(() => undefined); // aborted while waiting to lead
  }
  return () => {
    stop.abort();
    channel?.close();
  };
}

/** Keeps what a tab must know to take over: the last id it has seen. */
function createFollower(options: Options) {
  let last = "";
  let live: LiveState = { state: "connecting", since: Date.now() };
  return {
    lastId: () => last,
    live: () => live,
    receive(message: Message) {
      if (message.kind === "change") {
        last = message.id || last;
        options.onChange(message.change);
      } else if (message.kind === "reset") {
        last = message.id || last;
        options.onReset();
      } else if (message.kind === "id") {
        last = message.id;
      } else if (message.kind === "state") {
        live = message.live;
        options.onState(live);
      }
    },
  };
}

async function holdConnection(url: string, lastId: string, stop: AbortSignal, tell: (message: Message) => void): Promise<void> {
  let last = lastId;
  let wait = firstWait;
  let lost = 0;
  const state = (name: LiveState["state"], since = Date.now()) => tell({ kind: "state", live: { state: name, since } });

  while (!stop.aborted) {
    const watchdog = createWatchdog(stop);
    try {
      await readStream(url, last, watchdog.signal, {
        onOpen: () => {
          watchdog.pet();
          // Without an id the server cannot replay what was missed.
          if (!last) tell({ kind: "reset", id: "" });
          wait = firstWait;
          lost = 0;
          state("live");
        },
        onBytes: watchdog.pet,
        onEvent: (event) => {
          last = event.id || last;
          const message = read(event);
          if (message) tell(message);
        },
      });
    } catch (error) {
      if (error instanceof RefusedStream && error.status === 401) tell({ kind: "reset", id: "" });
    } finally {
      watchdog.stop();
    }
    if (stop.aborted) return;
    lost ||= Date.now();
    state(Date.now() - lost >= staleAfter ? "stale" : "reconnecting", lost);
    await pause(wait * (0.75 + Math.random() / 2), stop);
    wait = Math.min(wait * 2, longestWait);
  }
}

function read(event: StreamEvent): Message | undefined {
  if (event.event === "reset") return { kind: "reset", id: event.id };
  if (event.event === "id") return { kind: "id", id: event.id };
  if (event.event !== "change") return undefined;
  try {
    return { kind: "change", change: JSON.parse(event.data) as Change, id: event.id };
  } catch {
    return undefined;
  }
}

/** Ends a connection that has gone silent, or when all is stopped. */
function createWatchdog(stop: AbortSignal) {
  const own = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const pet = () => {
    clearTimeout(timer);
    timer = setTimeout(() => own.abort(), silence);
  };
  pet();
  return { signal: AbortSignal.any([stop, own.signal]), pet, stop: () => clearTimeout(timer) };
}

/** Waits, but no longer than until the network is back or all is stopped. */
function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      stop.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    addEventListener("online", end);
    stop.addEventListener("abort", end);
  });
}
