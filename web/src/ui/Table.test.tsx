import { act, fireEvent, render, screen, within } from "@testing-library/react";
import { useEffect, useState } from "react";
import { describe, expect, it, vi } from "vitest";
import { type Action, useFrame } from "./frame/context";
import { FrameProvider } from "./frame/FrameProvider";
import { type Column, Table } from "./Table";

type Row = { name: string; took: number };
const rows: Row[] = [
  { name: "web", took: 124 },
  { name: "api", took: 31 },
  { name: "docs", took: 48 },
];
const columns: Column<Row>[] = [
  { key: "name", head: "Pipeline", lead: true, cell: (row) => row.name, sort: (a, b) => a.name.localeCompare(b.name) },
  { key: "took", head: "Took", number: true, cell: (row) => `${row.took} s`, sort: (a, b) => a.took - b.took },
  { key: "plain", head: "Plain", cell: () => <button>act</button> },
];

let run: (keys: string) => void = () => undefined;

function Keys() {
  const frame = useFrame();
  useEffect(() => {
    run = (keys) => frame.actions().find((action: Action) => action.keys === keys)?.run();
  }, [frame]);
  return null;
}

type Extra = { onOpen?: (row: Row) => void; loading?: boolean };

function Page({ onOpen, loading }: Extra) {
  const [selected, setSelected] = useState<Set<string>>(new Set());
  return (
    <FrameProvider>
      <Keys />
      <Table
        label="Pipelines"
        columns={columns}
        rows={loading ? undefined : rows}
        rowKey={(row) => row.name}
        onOpen={onOpen}
        selected={selected}
        onSelect={setSelected}
        keyboard
      />
    </FrameProvider>
  );
}

const names = () => screen.getAllByRole("row").slice(1).map((row) => within(row).getAllByRole("cell")[0]?.textContent);
const press = (keys: string) => act(() => run(keys));

describe("Table", () => {
  it("sorts by a head, turns around on the second press, and says so", () => {
    render(<Page />);
    expect(names()).toEqual(["web", "api", "docs"]);
    fireEvent.click(screen.getByRole("button", { name: "Took" }));
    expect(names()).toEqual(["api", "docs", "web"]);
    expect(screen.getByRole("columnheader", { name: "Took" }).getAttribute("aria-sort")).toBe("ascending");
    fireEvent.click(screen.getByRole("button", { name: "Took" }));
    expect(names()).toEqual(["web", "docs", "api"]);
    expect(screen.getByRole("columnheader", { name: "Pipeline" }).hasAttribute("aria-sort")).toBe(false);
  });

  it("moves with j and k, opens with Enter, marks with x", () => {
    const onOpen = vi.fn();
    render(<Page onOpen={onOpen} />);
    press("Enter");
    expect(onOpen).not.toHaveBeenCalled();
    press("j");
    press("j");
    press("k");
    press("Enter");
    expect(onOpen).toHaveBeenLastCalledWith(rows[0]);
    press("x");
    expect(document.querySelectorAll("tr.is-selected")).toHaveLength(1);
    press("x");
    expect(document.querySelectorAll("tr.is-selected")).toHaveLength(0);
  });

  it("stops at the ends", () => {
    const onOpen = vi.fn();
    render(<Page onOpen={onOpen} />);
    for (let times = 0; times < 9; times += 1) press("j");
    press("Enter");
    expect(onOpen).toHaveBeenLastCalledWith(rows[2]);
  });

  it("opens by a press on the row, not by a press on a button in it", () => {
    const onOpen = vi.fn();
    render(<Page onOpen={onOpen} />);
    fireEvent.click(screen.getAllByText("act")[0] as Element);
    expect(onOpen).not.toHaveBeenCalled();
    fireEvent.click(screen.getByText("124 s"));
    expect(onOpen).toHaveBeenCalledWith(rows[0]);
  });

  it("shows bars on the first load only", () => {
    const { rerender } = render(<Page loading />);
    expect(screen.getByRole("table").getAttribute("aria-busy")).toBe("true");
    rerender(<Page />);
    expect(document.querySelector(".skel")).toBeNull();
    expect(names()).toHaveLength(3);
  });
});

describe("a long Table", () => {
  it("draws two hundred rows, and more as the end comes near", () => {
    let near: (entries: { isIntersecting: boolean }[]) => void = () => undefined;
    vi.stubGlobal(
      "IntersectionObserver",
      class {
        constructor(seen: typeof near) {
          near = seen;
        }
        observe() {}
        disconnect() {}
      },
    );
    const many = Array.from({ length: 230 }, (_, took) => ({ name: `n${took}`, took }));
    render(
      <FrameProvider>
        <Table label="Many" columns={columns.slice(0, 1)} rows={many} rowKey={({ name }) => name} />
      </FrameProvider>,
    );
    // Counted without roles, which take the document of this test a second for a hundred rows.
    const counted = () => [document.querySelectorAll("tbody tr:not([aria-hidden])").length, document.querySelector("table")?.getAttribute("aria-rowcount")];
    expect(counted()).toEqual([200, "231"]);
    act(() => near([{ isIntersecting: true }]));
    expect(counted()).toEqual([230, null]);
    vi.unstubAllGlobals();
  });
});
