import { act, renderHook } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { useTail } from "./useViewport";

/** A pane of 100 px over a log of so many lines. */
function pane() {
  const node = document.createElement("div");
  const size = { height: 0 };
  Object.defineProperty(node, "clientHeight", { get: () => 100 });
  Object.defineProperty(node, "scrollHeight", { get: () => size.height });
  node.scrollTo = ((to: { top: number }) => (node.scrollTop = Math.max(0, Math.min(to.top, size.height - 100)))) as never;
  return { node, size };
}

function open(total: number, { begin, growing }: { begin: boolean; growing: boolean }) {
  const { node, size } = pane();
  size.height = total * 18;
  const scroller = { current: node };
  const hook = renderHook(({ lines, grows }) => useTail(scroller, lines, lines * 18, begin, grows), { initialProps: { lines: total, grows: growing } });
  const grow = (lines: number, grows = true) => {
    size.height = lines * 18;
    hook.rerender({ lines, grows });
  };
  const scroll = (top: number) => {
    node.scrollTop = top;
    act(() => hook.result.current.onScroll());
  };
  return { hook, grow, scroll, end: () => size.height - 100 };
}

describe("new lines", () => {
  it("are none in a log that was over when it was opened", () => {
    const { hook, grow } = open(40, { begin: false, growing: false });
    expect(hook.result.current.fresh).toBe(0);
    grow(41, false);
    expect(hook.result.current.fresh).toBe(0);
  });

  it("are counted from where following stopped, and gone once the end is seen", () => {
    const { hook, grow, scroll, end } = open(40, { begin: true, growing: true });
    expect(hook.result.current.following).toBe(true);
    scroll(100);
    expect(hook.result.current).toMatchObject({ following: false, fresh: 0 });
    grow(52);
    expect(hook.result.current.fresh).toBe(12);
    grow(52, false);
    scroll(end());
    expect(hook.result.current).toMatchObject({ following: false, fresh: 0 });
  });

  it("are counted from the opening where a link named lines", () => {
    const { hook, grow } = open(40, { begin: false, growing: true });
    expect(hook.result.current.fresh).toBe(0);
    grow(43);
    expect(hook.result.current.fresh).toBe(3);
  });
});
