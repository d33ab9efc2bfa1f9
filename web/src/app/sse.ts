/** One event of a server-sent stream. */
export type StreamEvent = { event: string; data: string; id: string };

/**
 * Reads server-sent events out of text that arrives in pieces. Our own and not EventSource, because that one
 * hides heartbeats (a dead connection then looks alive), hides the status of a refusal, and forgets the last id.
 * An id that comes alone is emitted as an event called "id".
 */
export function createParser(emit: (event: StreamEvent) => void): (piece: string) => void {
  let rest = "";
  let event = "";
  let id = "";
  let seen = "";
  let data: string[] = [];

  const line = (text: string) => {
    if (text === "") {
      if (data.length > 0) emit({ event: event || "message", data: data.join("\n"), id });
      else if (id !== seen) emit({ event: "id", data: "", id });
      seen = id;
      event = "";
      data = [];
      return;
    }
    if (text.startsWith(":")) return;
    const colon = text.indexOf(":");
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event = value;
    else if (field === "data") data.push(value);
    else if (field === "id") id = value;
  };

  return (piece) => {
    const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const text of lines) line(text);
  };
}

type Handlers = { onOpen: () => void; onBytes: () => void; onEvent: (event: StreamEvent) => void };

/** Opens the stream and resolves when it ends. Rejects with a number when the server refused with that status. */
export async function readStream(url: string, lastId: string, signal: AbortSignal, handlers: Handlers): Promise<void> {
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  if (lastId) headers["Last-Event-ID"] = lastId;
  const response = await fetch(url, { headers, signal, cache: "no-store" });
  if (!response.ok || !response.body) throw new RefusedStream(response.status);
  handlers.onOpen();
  const parse = createParser(handlers.onEvent);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    handlers.onBytes();
    parse(value);
  }
}

export class RefusedStream extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`The stream was refused with ${status}.`);
    this.status = status;
  }
}
