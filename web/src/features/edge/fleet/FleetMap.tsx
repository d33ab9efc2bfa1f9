import { type KeyboardEvent, type PointerEvent, useCallback, useDeferredValue, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { plural } from "@/format/bytes";
import { relativeTime } from "@/format/time";
import { Facts } from "@/ui/facts";
import { Status } from "@/ui/StatusGlyph";
import { exitWords } from "../looks";
import { type Cell, grouped, type Grouping, hit, layout, lookOf, moved, pitchFor, place, type Spot } from "./grid";
import { sizeOf } from "./paint";
import { usePainted } from "./usePainted";

type Props = { cells: Cell[]; by: Grouping; onOpen: (id: string) => void };

/** One square per node on a canvas. The table of the page holds the same, for those who do not see it. */
export function FleetMap({ cells: told, by, onOpen }: Props) {
  // Taking changes in and laying them out are two pieces of work, so that they need not share a frame.
  const cells = useDeferredValue(told);
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [theme, setTheme] = useState(0);
  const [spot, setSpot] = useState<Spot>();
  const groups = useMemo(() => grouped(cells, by), [cells, by]);
  const map = useMemo(() => layout(groups, width, pitchFor(cells.length)), [groups, width, cells.length]);
  const repaint = useCallback(() => setTheme((before) => before + 1), []);

  useLayoutEffect(() => {
    const element = host.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useThemeChange(repaint);

  usePainted(canvas, map, theme);

  const cell = spot && map.blocks[spot.block]?.cells[spot.at];
  const point = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    const next = hit(map, event.clientX - box.left - 2, event.clientY - box.top - 2);
    // Most moves stay on the same node: those cost nothing.
    setSpot((before) => (before?.block === next?.block && before?.at === next?.at ? before : next));
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter" && cell) onOpen(cell.id);
    else if (event.key === "Escape") setSpot(undefined);
    else if (event.key.startsWith("Arrow")) setSpot(moved(map, spot, event.key));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="edge-map" ref={host}>
      <canvas
        ref={canvas}
        // eslint-disable-next-line jsx-a11y/no-interactive-element-to-noninteractive-role -- arrows move in it, so keys must reach it
        role="application"
        tabIndex={0}
        aria-label={`${plural(cells.length, "node")} by ${by}. Arrows move, Enter opens. The table holds the same.`}
        className={cell ? "on-node" : undefined}
        onPointerMove={point}
        onPointerLeave={() => setSpot(undefined)}
        onClick={() => cell && onOpen(cell.id)}
        onKeyDown={press}
      />
      {cell && <div className="edge-mark" style={markPlace(map, spot)} />}
      {cell && <Lens cell={cell} at={lensPlace(map, spot, width)} />}
    </div>
  );
}

/** The frame around the node that is pointed at. It lies above the canvas, so that a move paints nothing anew. */
function markPlace(map: ReturnType<typeof layout>, spot: Spot) {
  const block = map.blocks[spot.block];
  if (!block) return undefined;
  const { x, y } = place(block, spot.at, map.pitch);
  const size = sizeOf(map.pitch) + 6;
  return { left: x - 1, top: y - 1, width: size, height: size };
}

function lensPlace(map: ReturnType<typeof layout>, spot: Spot, width: number) {
  const block = map.blocks[spot.block];
  if (!block) return { left: 0, top: 0 };
  const { x, y } = place(block, spot.at, map.pitch);
  return { left: Math.max(0, Math.min(x + map.pitch + 8, width - 280)), top: y + map.pitch + 8 };
}

function Lens({ cell, at }: { cell: Cell; at: { left: number; top: number } }) {
  const { status, word } = lookOf(cell);
  const heard = cell.heard === null ? "never" : relativeTime(cell.heard);
  return (
    <div className="float edge-lens" style={at} role="status">
      <p className="line">
        <b className="clip">{cell.name}</b>
        <span className="muted push">{cell.site}</span>
      </p>
      <Facts
        items={[
          ["State", <Status key="s" status={status} word={word} />],
          ...(cell.exit !== null && cell.exit > 0 ? [["Why", exitWords(cell.exit)] as [string, string]] : []),
          ["Bundle", cell.bundle || "none"],
          ["System", cell.variant],
          [cell.offline ? "Last seen" : "Seen", heard],
          ...(cell.cves ? [["Open", plural(cell.cves, "vulnerability", "vulnerabilities")] as [string, string]] : []),
        ]}
      />
    </div>
  );
}

/** Calls back when the colours of the page are other ones. */
function useThemeChange(changed: () => void) {
  useEffect(() => {
    const observer = new MutationObserver(changed);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", changed);
    void document.fonts.ready.then(changed);
    return () => {
      observer.disconnect();
      system.removeEventListener("change", changed);
    };
  }, [changed]);
}
