import "./log.css";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { type MouseEvent, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import type { BuildSearch } from "../build/search";
import { flatten, isOver } from "../build/steps";
import type { Build } from "../queries";
import { type Block, cut, layOut } from "./blocks";
import { useLogActions } from "./actions";
import { opensAtFirst } from "./FoldHeading";
import { LogFoot } from "./LogFoot";
import { LogList } from "./LogList";
import { LogToolbar } from "./LogToolbar";
import { parseRange, pressed, type Range, rangeHash } from "./ranges";
import { useFind, nearest } from "./useFind";
import { useFirstError } from "./useFirstError";
import { useLog } from "./useLog";
import { useNow, usePhone } from "./useMedia";
import { useReveal } from "./useReveal";
import { usePane, useTail } from "./useViewport";

type Props = {
  build: Build;
  search: BuildSearch;
  onSearch: (change: Partial<BuildSearch>) => void;
  onEnd: () => void;
  /** Counts the presses of "First error". */
  toError: number;
};

/** The log of a build. Mount with the build's id as key. */
export function LogViewer({ build, search, onSearch, onEnd, toError }: Props) {
  "use no memo";
  const running = !isOver(build.status);
  const { store, state } = useLog(build.id, running, onEnd);
  const phone = usePhone();
  const wrap = phone || (search.wrap ?? false);
  const time = phone ? "off" : (search.time ?? "utc");
  const now = useNow(running);
  const scroller = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const steps = useMemo(() => new Map(flatten(build.steps).map((step) => [step.id, step])), [build.steps]);
  const folds = useFolds(build, steps);
  const { isOpen } = folds;
  const layout = useMemo(() => layOut(cut(state.total, state.sections, store.runs), isOpen), [state, store, isOpen]);
  const pane = usePane(layout, scroller, wrap, phone ? 36 : 24);
  const [range, setRange] = useRange();
  const tail = useTail(scroller, state.total, pane.getTotalSize(), running && range === null, running && !state.ended);
  const reveal = useReveal({ pane, layout, scroller, state, store, open: folds.open, stopFollowing: () => tail.follow(false) });
  const find = useFind(build.id, search, running);
  const firstError = useFirstError(build);
  const current = find.lines[find.at] ?? 0;

  useFirstLook({ opened: state.opened && state.total > 0, range, firstError, match: search.match ? current : 0, running, reveal });
  useEffect(() => {
    if (toError > 0 && firstError) reveal(firstError);
  }, [toError, firstError, reveal]);
  useNewMatches(search, find.lines, () => topLine(scroller.current), onSearch, reveal);
  useWanted(pane, layout, store);

  const step = (by: 1 | -1) => {
    if (find.lines.length === 0) return;
    const at = (find.at + by + find.lines.length) % find.lines.length;
    onSearch({ match: at + 1 });
    reveal(find.lines[at] as number);
  };
  const follow = () => tail.follow(!tail.following);
  useLogActions({
    time,
    hasError: firstError > 0,
    onTime: (next) => onSearch({ time: next === "utc" ? undefined : next }),
    onWrap: () => onSearch({ wrap: search.wrap ? undefined : true }),
    onFollow: follow,
    onStep: step,
    onFind: () => field.current?.focus(),
    onError: () => firstError && reveal(firstError),
  });

  const press = (event: MouseEvent) => {
    const link = (event.target as Element).closest<HTMLElement>("[data-ln]");
    if (!link || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    setRange(pressed(Number(link.dataset.ln), range, event.shiftKey));
  };

  return (
    <section className="viewer" aria-label="Log">
      <LogToolbar id={build.id} total={state.total} search={search} onSearch={onSearch} find={find} onStep={step} field={field} following={tail.following && !state.ended} onFollow={follow} time={time} />
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events -- the line numbers inside are links; this is where their presses are gathered */}
      <div
        className="log"
        ref={scroller}
        role="region"
        aria-label={`Lines of the log, ${state.total}`}
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls and must be reachable
        tabIndex={0}
        data-wrap={wrap || undefined}
        data-time={time}
        onScroll={tail.onScroll}
        onClick={press}
        onMouseDown={(event) => event.shiftKey && (event.target as Element).closest("[data-ln]") && event.preventDefault()}
      >
        <Said state={state} build={build} onRetry={store.retry} />
        <LogList pane={pane} layout={layout} store={store} steps={steps} now={now} start={build.started_at} time={time} wrap={wrap} range={range} pattern={find.pattern} current={current} failing={build.failure?.step} onToggle={folds.toggle} />
      </div>
      <Hits lines={find.lines} total={state.total} />
      <LogFoot range={range} onClear={() => setRange(null)} id={build.id} fresh={tail.fresh} onEnd={() => tail.follow(true)} />
    </section>
  );
}

function Said({ state, build, onRetry }: { state: { opened: boolean; total: number; error: unknown }; build: Build; onRetry: () => void }) {
  if (state.error) {
    const problem = asProblem(state.error);
    return (
      <div className="log-say" role="alert">
        <p>The log could not be read. {problem.message}</p>
        <p className="line">
          <Button className="on-log" onClick={onRetry}>
            Try again
          </Button>
          {problem.requestId && <span className="quiet mono">request {problem.requestId}</span>}
        </p>
      </div>
    );
  }
  if (!state.opened) return <p className="log-say quiet">Reading the log</p>;
  if (state.total > 0) return null;
  if (build.status === "pending") return <p className="log-say">The build waits; its first line will appear here.</p>;
  return <p className="log-say">{isOver(build.status) ? "This build wrote nothing." : "No line yet. The first one will appear here by itself."}</p>;
}

function Hits({ lines, total }: { lines: number[]; total: number }) {
  if (lines.length === 0 || lines.length > 400) return null;
  return (
    <span className="hits desk" aria-hidden="true">
      {lines.map((line) => (
        <i key={line} style={{ top: `${(line / total) * 100}%` }} />
      ))}
    </span>
  );
}

/** Which blocks are open: as they should be at first, until somebody pressed them. */
function useFolds(build: Build, steps: Map<string, Build["steps"][number]>) {
  const [chosen, setChosen] = useState<ReadonlyMap<string, boolean>>(() => new Map());
  const [failed] = useState(build.status === "failed" || build.status === "errored");
  const isOpen = useCallback((block: Block) => chosen.get(foldKey(block)) ?? opensAtFirst(block, steps, failed), [chosen, steps, failed]);
  const set = useCallback((block: Block, open: boolean) => setChosen((before) => new Map(before).set(foldKey(block), open)), []);
  const toggle = (block: Block) => set(block, !isOpen(block));
  const open = useCallback((block: Block) => set(block, true), [set]);
  return { isOpen, toggle, open };
}

const foldKey = (block: Block) => `${block.steps.join()}@${block.first}`;

/** The linked lines live in the hash of the address. */
function useRange(): [Range | null, (range: Range | null) => void] {
  const { hash } = useLocation();
  const navigate = useNavigate();
  const range = useMemo(() => parseRange(hash), [hash]);
  const set = useCallback(
    (next: Range | null) => void navigate({ to: ".", search: true as never, hash: next ? rangeHash(next) : "", replace: true, resetScroll: false, hashScrollIntoView: false }),
    [navigate],
  );
  return [range, set];
}

type Look = { opened: boolean; range: Range | null; firstError: number; match: number; running: boolean; reveal: (line: number) => void };

/** Where a page opens: at the linked lines, at the match, at the first error, else at the top or the growing end. */
function useFirstLook({ opened, range, firstError, match, running, reveal }: Look) {
  const looked = useRef(0);
  const linked = range?.first ?? 0;
  useEffect(() => {
    if (!opened) return;
    // A step that is pressed, or a link that is followed, changes the hash; a press on a line number is already in sight.
    if (linked > 0 && linked !== looked.current) {
      looked.current = linked;
      reveal(linked);
    } else if (looked.current === 0 && (match > 0 || (firstError > 0 && !running))) {
      looked.current = -1;
      reveal(match || firstError);
    }
  }, [opened, linked, match, firstError, running, reveal]);
}

/** A new search goes to the match that is nearest below what is read. */
function useNewMatches(search: BuildSearch, lines: number[], top: () => number, onSearch: (change: Partial<BuildSearch>) => void, reveal: (line: number) => void) {
  const settled = useRef(search.match ? lines : null);
  const asked = `${search.q ?? ""} ${search.regex ?? false}`;
  const shownFor = useRef(search.match ? asked : "");
  useEffect(() => {
    if (!search.q || lines.length === 0 || settled.current === lines || shownFor.current === asked) return;
    settled.current = lines;
    shownFor.current = asked;
    const at = nearest(lines, top());
    onSearch({ match: at + 1 });
    reveal(lines[at] as number);
  });
}

function topLine(pane: HTMLDivElement | null): number {
  if (!pane) return 1;
  const edge = pane.getBoundingClientRect().top;
  for (const row of pane.querySelectorAll<HTMLElement>("[data-n]")) if (row.getBoundingClientRect().bottom > edge) return Number(row.dataset.n);
  return 1;
}

/** Asks for the lines that are drawn. */
function useWanted(pane: ReturnType<typeof usePane>, layout: ReturnType<typeof layOut>, store: ReturnType<typeof useLog>["store"]) {
  const items = pane.getVirtualItems();
  useLayoutEffect(() => {
    const stretches = items.map(({ index }) => layout.item(index)).filter((item) => item.kind === "lines");
    if (stretches.length > 0) store.want(stretches);
  });
}
