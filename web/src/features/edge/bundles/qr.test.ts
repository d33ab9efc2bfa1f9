import { describe, expect, it } from "vitest";
import { qrOf } from "./qr";

const digest = "0d3bba9b47b239d7f1c2a3b4c5d6e7f80112233445566778899aabbccddeeff0";

describe("the code of a digest", () => {
  it("has its three finders, its timing and its dark square", () => {
    const map = qrOf(digest);
    expect(map).toHaveLength(29);
    for (const [row, column] of [[0, 0], [0, 22], [22, 0]] as const) {
      expect(map[row]?.slice(column, column + 7)).toEqual(Array.from({ length: 7 }, () => true));
      expect(map[row + 3]?.slice(column, column + 7)).toEqual([true, false, true, true, true, false, true]);
    }
    expect(map[6]?.slice(8, 21).map(Number).join("")).toBe("1010101010101");
    expect(map[21]?.[8]).toBe(true);
  });

  it("is what readers read as the digest", () => {
    // A reader of such codes made the digest of this very picture; another picture would have to be read anew.
    const hash = qrOf(digest).flat().reduce((sum, dark) => (Math.imul(sum, 31) + Number(dark)) >>> 0, 7);
    expect(hash).toBe(922098677);
  });

  it("refuses what it has no room for", () => {
    expect(() => qrOf("A".repeat(78))).toThrow(RangeError);
    expect(qrOf("A".repeat(77))).toHaveLength(29);
  });
});
