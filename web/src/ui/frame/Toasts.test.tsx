import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ToastInit } from "./context";
import { FrameProvider } from "./FrameProvider";
import { useToast } from "./hooks";
import { undoSeconds } from "./Toasts";

function Say(init: ToastInit) {
  const toast = useToast();
  return <button onClick={() => toast(init)}>say</button>;
}

function setup(init: ToastInit) {
  render(
    <FrameProvider>
      <Say {...init} />
    </FrameProvider>,
  );
  fireEvent.click(screen.getByText("say"));
}

const pass = (seconds: number) => act(() => vi.advanceTimersByTime(seconds * 1000));
const shown = () => document.querySelector(".toast");

describe("toasts", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("offers undo for eight seconds, then goes", () => {
    setup({ text: "bob removed", undo: () => undefined });
    pass(undoSeconds - 1);
    expect(shown()?.textContent).toContain("bob removed");
    expect(screen.getByText("1 s")).toBeTruthy();
    pass(1);
    expect(shown()).toBeNull();
  });

  it("undoes once and goes", () => {
    const undo = vi.fn();
    setup({ text: "bob removed", undo });
    fireEvent.click(screen.getByText("Undo"));
    expect(undo).toHaveBeenCalledOnce();
    expect(shown()).toBeNull();
  });

  it("waits while somebody points at it", () => {
    setup({ text: "bob removed", undo: () => undefined });
    fireEvent.mouseEnter(shown() as Element);
    pass(60);
    expect(shown()).not.toBeNull();
    fireEvent.mouseLeave(shown() as Element);
    pass(undoSeconds);
    expect(shown()).toBeNull();
  });

  it("keeps a failure, with the request id, until it is closed", () => {
    setup({ text: "Not removed.", kind: "bad", requestId: "req-7" });
    pass(120);
    expect(shown()?.textContent).toContain("req-7");
    fireEvent.click(screen.getByLabelText("Close"));
    expect(shown()).toBeNull();
  });

  it("keeps three at most, and announces at most once in five seconds", () => {
    setup({ text: "first" });
    const region = document.querySelector("[aria-live=polite]");
    expect(region?.textContent).toBe("first");
    for (let more = 0; more < 4; more += 1) fireEvent.click(screen.getByText("say"));
    expect(document.querySelectorAll(".toast")).toHaveLength(3);
    expect(region?.textContent).toBe("first");
  });
});
