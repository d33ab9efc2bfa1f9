import { expect, it } from "vitest";
import type { Event, Frame } from "../queries";
import { chain, firstOpen, pieces, place, rawStack, shortValue, source } from "./frames";

const own = (name: string): Frame => ({ function: name, filename: `src/${name}.ts`, line: 7, in_app: true });
const other = (name: string): Frame => ({ function: name, abs_path: `/app/node_modules/${name}.js`, in_app: false });
const frames = [own("boot"), other("a"), other("b"), own("cart")];
const names = (found: ReturnType<typeof pieces>) => found.map((piece) => ("folded" in piece ? `${piece.folded.length} from ${piece.from}` : piece.frame.function));

it("shows one's own frames and folds the others", () => {
  expect(names(pieces(frames, true, true))).toEqual(["cart", "2 from node_modules", "boot"]);
  expect(names(pieces(frames, true, false))).toEqual(["boot", "2 from node_modules", "cart"]);
  expect(names(pieces(frames, false, true))).toEqual(["cart", "b", "a", "boot"]);
  expect(names(pieces([other("a")], true, true))).toEqual(["a"]);
});

it("opens the newest frame of one's own", () => {
  expect(firstOpen(frames)).toBe(3);
  expect(firstOpen([own("x"), other("y")])).toBe(0);
  expect(firstOpen([other("x"), other("y")])).toBe(1);
});

it("names places and numbers lines", () => {
  expect(place({ in_app: true, filename: "a.ts", line: 4, column: 2 })).toBe("a.ts:4:2");
  expect(place({ in_app: true })).toBe("unknown place");
  expect(source({ in_app: true, line: 10, pre_context: ["a", "b"], context: "c", post_context: ["d"] })).toEqual([
    { no: 8, text: "a", hit: false },
    { no: 9, text: "b", hit: false },
    { no: 10, text: "c", hit: true },
    { no: 11, text: "d", hit: false },
  ]);
  expect(source({ in_app: true, line: 3 })).toEqual([]);
});

it("puts causes below what they caused, and prints a stack", () => {
  const event = { exceptions: [{ type: "Cause" }, { type: "Outer", value: "no", stack: { frames: [own("cart")] } }] } as Event;
  const [outer, cause] = chain(event);
  expect([outer?.type, cause?.type]).toEqual(["Outer", "Cause"]);
  expect(rawStack(outer ?? {})).toBe("Outer: no\n    at cart (src/cart.ts:7)");
  expect(chain({ message: { formatted: "hm" }, stack: { frames: [own("x")] } } as Event)[0]?.type).toBe("hm");
  expect(chain({} as Event)).toEqual([]);
});

it("cuts long values", () => {
  expect(shortValue({ a: 1 })).toBe('{"a":1}');
  expect(shortValue("x".repeat(9), 4)).toBe("xxxx…");
  expect(shortValue(undefined)).toBe("undefined");
});
