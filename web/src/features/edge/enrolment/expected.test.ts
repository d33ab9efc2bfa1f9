import { describe, expect, it } from "vitest";
import { readList } from "./expected";

const print = "6bb2:62e7:0011:2233:4455:6677:8899:aabb";

describe("a list of machines", () => {
  it("has a fingerprint on each line, and what belongs to it", () => {
    expect(readList(`${print}\n${print.replaceAll(":", "").toUpperCase()} edge-7 osl role=edge-node region=no # rack 4\n\n`)).toEqual({
      items: [
        { fingerprint: print, name: undefined, site: undefined, labels: undefined },
        { fingerprint: print, name: "edge-7", site: "osl", labels: { role: "edge-node", region: "no" } },
      ],
      wrong: [],
    });
  });

  it("may be a table saved as CSV, with a head", () => {
    expect(readList(`fingerprint,name,site\r\n"${print}","edge-1","lhr"\r\n`).items).toEqual([{ fingerprint: print, name: "edge-1", site: "lhr", labels: undefined }]);
  });

  it("says which line is none", () => {
    expect(readList(`${print}\nedge-1 osl\n`).wrong).toEqual([{ line: 2, text: "edge-1 osl" }]);
  });
});
