import { describe, expect, it } from "vitest";
import { createParser, type StreamEvent } from "./sse";

function parse(...pieces: string[]): StreamEvent[] {
  const events: StreamEvent[] = [];
  const feed = createParser((event) => events.push(event));
  for (const piece of pieces) feed(piece);
  return events;
}

describe("the parser of the stream", () => {
  it("reads an event", () => {
    expect(parse('id: e-7\nevent: change\ndata: {"topic":"ci.build"}\n\n')).toEqual([{ event: "change", data: '{"topic":"ci.build"}', id: "e-7" }]);
  });

  it("reads an event that comes in pieces, at whatever place it is cut", () => {
    const text = "id: e-1\r\nevent: change\r\ndata: one\r\ndata: two\r\n\r\nevent: reset\ndata: x\n\n";
    const whole = parse(text);
    expect(whole).toEqual([
      { event: "change", data: "one\ntwo", id: "e-1" },
      { event: "reset", data: "x", id: "e-1" },
    ]);
    for (let cut = 1; cut < text.length; cut += 1) expect(parse(text.slice(0, cut), text.slice(cut))).toEqual(whole);
  });

  it("takes comments for heartbeats", () => {
    expect(parse(":\n\n: still here\n\n")).toEqual([]);
  });

  it("tells an id that comes alone, once", () => {
    expect(parse("retry: 2000\n\nid: e-3\n\n\n")).toEqual([{ event: "id", data: "", id: "e-3" }]);
  });

  it("takes a field without a colon, and only one blank after it", () => {
    expect(parse("data\ndata:  a\n\n")).toEqual([{ event: "message", data: "\n a", id: "" }]);
  });
});
