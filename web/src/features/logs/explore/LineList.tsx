import { useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, type ReactNode, type RefObject, useCallback, useLayoutEffect, useMemo, useState } from "react";
import { useActions } from "@/ui/frame/hooks";
import { classes } from "@/ui/classes";
import { usePhone } from "./usePhone";
import type { Line } from "../queries";
import { LineDetail } from "./LineDetail";
import { LineRow, type RowLook } from "./LineRow";
import { marked } from "./terms";
import type { Explore } from "./useExplore";

type Props = {
  explore: Explore;
  lines: Line[];
  scroller: RefObject<HTMLDivElement | null>;
  onScroll?: () => void;
  /** The last line came into sight. */
  onEnd?: () => void;
  before?: ReactNode;
  after?: ReactNode;
};

const day = 86_400_000;

/** The rows, of which only those in sight exist. */
export function LineList({ explore, lines, scroller, onScroll, onEnd, before, after }: Props) {
  "use no memo";
  const { columns, utc, span, query, search } = explore;
  const phone = usePhone();
  const wrap = phone || Boolean(search.wrap);
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set());
  const [current, setCurrent] = useState<string>();
  const toggle = useCallback((id: string) => {
    setCurrent(id);
    setOpen((were) => {
      const next = new Set(were);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  }, []);
  const names = columns.join(",");
  const look: RowLook = useMemo(() => ({ utc, days: span.to - span.from > day, columns: names ? names.split(",") : [], words: marked(query) }), [utc, span, names, query]);
  const key = useCallback((index: number) => lines[index]?.id ?? index, [lines]);
  // eslint-disable-next-line react-hooks/incompatible-library -- the compiler is told to leave this function alone
  const pane = useVirtualizer<HTMLDivElement, HTMLDivElement>({ count: lines.length, getScrollElement: () => scroller.current, estimateSize: () => (phone ? 64 : 24), getItemKey: key, overscan: 12 });
  useLayoutEffect(() => pane.measure(), [pane, wrap]);
  const items = pane.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useLayoutEffect(() => {
    if (last >= lines.length - 20 && lines.length > 0) onEnd?.();
  }, [last, lines.length, onEnd]);

  const at = lines.findIndex(({ id }) => id === current);
  const move = (by: number) => {
    const to = Math.max(0, Math.min(lines.length - 1, at + by));
    setCurrent(lines[to]?.id);
    pane.scrollToIndex(to);
  };
  const group = "Lines";
  useActions([
    { id: "logs.next", label: "Next line", group, keys: "j", hidden: true, run: () => move(1) },
    { id: "logs.previous", label: "Previous line", group, keys: "k", hidden: true, run: () => move(-1) },
    { id: "logs.expand", label: "Open the line", group, keys: " ", hidden: true, run: () => toggle(current ?? lines[0]?.id ?? "") },
  ]);
  const style = { "--cols": `${look.days ? 164 : 100}px 44px minmax(0, 104px) ${look.columns.map(() => "minmax(0, 128px)").join(" ")} minmax(0, 1fr)` } as CSSProperties;
  const unpin = (name: string) => explore.set({ cols: look.columns.filter((other) => other !== name).join(",") || undefined });
  return (
    <>
      {look.columns.length > 0 && (
        <div className="logs-heads" style={style}>
          <span className="first">Pinned</span>
          {look.columns.map((name) => (
            <button key={name} type="button" className="clip" title={`Take column ${name} away`} aria-label={`Take column ${name} away`} onClick={() => unpin(name)}>
              {name} ×
            </button>
          ))}
        </div>
      )}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls and must be reachable */}
      <div className={classes("logs-lines", wrap && "wrap")} ref={scroller} role="region" aria-label={`Lines, ${lines.length}`} tabIndex={0} onScroll={onScroll} style={style}>
        {before}
        <div className="all" style={{ height: pane.getTotalSize() }}>
          {items.map((item) => {
            const line = lines[item.index];
            if (!line) return null;
            return (
              <div key={item.key} ref={pane.measureElement} data-index={item.index} className={classes("item", line.id === current && "is-current")} style={{ transform: `translateY(${item.start}px)` }}>
                <LineRow line={line} look={look} open={open.has(line.id)} onToggle={toggle} />
                {open.has(line.id) && <LineDetail line={line} explore={explore} />}
              </div>
            );
          })}
        </div>
        {after}
      </div>
    </>
  );
}
