import "../logs.css";
import { useInfiniteQuery, useQuery, keepPreviousData } from "@tanstack/react-query";
import { useParams, useSearch } from "@tanstack/react-router";
import { Clock, Radio, RefreshCw } from "lucide-react";
import { useCallback, useMemo, useRef } from "react";
import { asProblem, type Problem } from "@/api/problem";
import { count } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { useActions, usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { useNow } from "@/ui/useNow";
import { SkeletonRows } from "@/ui/Skeleton";
import { ErrorState, Notice } from "@/ui/states";
import { LogsContext } from "../LogsContext";
import { logsPath } from "../paths";
import { histogramQuery, type Line, searchQuery } from "../queries";
import { SaveSearch } from "../saved/SaveSearch";
import { AlertButton } from "./AlertButton";
import { chartOf } from "./bars";
import { ContextDialog } from "./ContextDialog";
import { CopyLink, ExportMenu } from "./ExportMenu";
import { Facets } from "./Facets";
import { FieldsTab } from "./FieldsTab";
import { HistogramChart } from "./HistogramChart";
import { LineList } from "./LineList";
import { mistakeOf } from "./mistake";
import { absolute, isRelative, resolve } from "./range";
import { NoLines, OnlyOwn } from "./NoLines";
import { PatternsTab } from "./PatternsTab";
import { QueryBar } from "./QueryBar";
import { ResultTable } from "./ResultTable";
import { SelectionMenu } from "./SelectionMenu";
import { StatusLine } from "./StatusLine";
import { TailBar } from "./TailBar";
import { TimePicker } from "./TimePicker";
import { type Explore, useExplore } from "./useExplore";
import { useTail } from "./useTail";

/** How often lines are counted anew while they are tailed, in seconds. */
const tailCounts = 5;

/** The log search: what, when, how many, and the lines. */
export function ExplorePage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const explore = useExplore(team);
  const { search, set, asked, query } = explore;
  usePage({ title: query ? `${query} · Logs` : "Logs", crumbs: [{ label: "Logs", to: logsPath(team) }] });
  const found = useFound(explore);
  const charted = useMemo(() => ({ ...explore, span: found.span }), [explore, found.span]);
  const tailing = Boolean(search.live) && !search.tab && !found.table;
  const tail = useTail(team, query, tailing && !found.problem, explore.again);
  useKeys(explore, found.table);
  const lines = useMemo(() => merged(tail.lines, found.lines, tailing), [tail.lines, found.lines, tailing]);
  const live = found.table ? "A table is counted anew with Run." : search.tab ? "Lines are tailed on the first tab." : false;
  return (
    <>
      <LogsContext team={team} query={query} />
      <PageHeader
        title="Logs"
        actions={
          <>
            <Button icon={Radio} aria-pressed={tailing} refused={live} onClick={() => set({ live: search.live ? undefined : true })} className={tailing ? "logs-live" : undefined} aria-label={tailing ? "Stop the live tail" : "Live tail"}>
              <span className="desk">Live tail</span>
              {tailing && tail.state === "open" && <span className="muted num">{count(tail.rate)}/s</span>}
            </Button>
            <ExportMenu explore={explore} lines={lines} />
            <AlertButton explore={explore} />
            <SaveSearch explore={explore} />
            <CopyLink explore={explore} />
          </>
        }
        tabs={useTabs(team)}
      />
      <div className="logs-bar">
        <QueryBar asked={asked} mistake={found.mistake} onRun={explore.run} />
        <TimePicker explore={explore} />
        <Button kind="primary" icon={RefreshCw} busy={found.fetching} onClick={explore.again}>
          Run
        </Button>
      </div>
      {found.problem && !found.mistake ? (
        <Refused problem={found.problem} onRetry={explore.again} />
      ) : (
        !found.mistake && (
          <>
            <HistogramChart explore={charted} histogram={found.histogram} stale={found.stale} />
            <StatusLine explore={explore} histogram={found.histogram} chart={found.chart} found={found.first} shown={found.lines.length} tailing={tailing} />
            {found.said.map((sentence) => (
              <div key={sentence} className="logs-said">
                <Notice kind="warn">{sentence}</Notice>
              </div>
            ))}
            {search.tab === "patterns" && <PatternsTab explore={explore} />}
            {search.tab === "fields" && <FieldsTab explore={explore} histogram={found.histogram} />}
            {!search.tab && found.lines.length > 0 && <OnlyOwn explore={explore} />}
            {!search.tab && <Body explore={explore} found={found} lines={lines} tailing={tailing} tail={tail} />}
          </>
        )
      )}
      {search.line && <ContextDialog key={search.line} team={team} id={search.line} utc={explore.utc} onClose={() => set({ line: undefined })} />}
    </>
  );
}

type BodyProps = { explore: Explore; found: ReturnType<typeof useFound>; lines: Line[]; tailing: boolean; tail: ReturnType<typeof useTail> };

function Body({ explore, found, lines, tailing, tail }: BodyProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const onScroll = () => tailing && tail.hold((scroller.current?.scrollTop ?? 0) > 4);
  const { fetchNextPage, hasNextPage, isFetchingNextPage, isFetchNextPageError } = found.pages;
  // A page of a tail that is watched is not looked for further down.
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
  if (found.first?.columns) return <ResultTable found={found.first} />;
  if (!found.first) return <SkeletonRows rows={14} label="Searching" />;
  if (lines.length === 0 && !tailing) return <NoLines explore={explore} />;
  return (
    <div className="logs-body">
      <Facets explore={explore} />
      <div className="logs-pane">
        {tailing && (
          <TailBar
            tail={tail}
            onTop={() => {
              tail.hold(false);
              // The rows that come in above are measured first, which moves the rest.
              requestAnimationFrame(() => requestAnimationFrame(() => scroller.current?.scrollTo({ top: 0 })));
            }}
          />
        )}
        <LineList
          explore={explore}
          lines={lines}
          scroller={scroller}
          onScroll={onScroll}
          onEnd={onEnd}
          after={
            <p className="end">
              {isFetchNextPageError ? "More lines could not be read; run the search again." : hasNextPage ? "Reading more" : found.lines.length > 0 ? `${explore.oldest && !tailing ? "The newest" : "The oldest"} of these lines` : "No line yet; the first one will appear here by itself."}
            </p>
          }
        />
        <SelectionMenu explore={explore} host={scroller} />
      </div>
    </div>
  );
}

function Refused({ problem, onRetry }: { problem: Problem; onRetry: () => void }) {
  return <ErrorState what="The logs cannot be searched" why={problem.detail ?? problem.title} requestId={problem.requestId} onRetry={onRetry} />;
}

/** Rows and numbers of a search. Two requests, and the numbers are there first. */
function useFound({ asked, oldest, search, range, span }: Explore) {
  // While lines come in by themselves, the numbers go with them.
  const ticking = Boolean(search.live) && isRelative(range);
  const now = useNow(ticking, tailCounts);
  const countedSpan = useMemo(() => (ticking ? resolve(range, now) : span), [ticking, range, now, span]);
  const counted = useQuery({ ...histogramQuery({ ...asked, ...absolute(countedSpan) }), placeholderData: keepPreviousData });
  const pages = useInfiniteQuery({ ...searchQuery(asked, oldest && !search.live), placeholderData: keepPreviousData });
  const lines = useMemo(() => pages.data?.pages.flatMap((page) => page.lines) ?? [], [pages.data]);
  const first = pages.data?.pages[0];
  const latest = pages.data?.pages.at(-1);
  const histogram = counted.data;
  const chart = useMemo(() => histogram && chartOf(histogram), [histogram]);
  const error = counted.error ?? (pages.isFetchNextPageError ? null : pages.error);
  const failed = error ? asProblem(error) : undefined;
  const mistake = failed && mistakeOf(failed);
  // Rows that are there stay, as under a tail whose counts fail once.
  const problem = mistake || !pages.data ? failed : undefined;
  const old = failed && !problem && `What you see may be old: ${failed.message}`;
  const said = [...new Set([old, latest?.stats.partial, latest?.cut, histogram?.stats.partial].filter((sentence): sentence is string => Boolean(sentence)))];
  return {
    pages,
    span: countedSpan,
    lines,
    first,
    histogram,
    chart,
    problem,
    mistake,
    said,
    table: Boolean(first?.columns),
    stale: counted.isPlaceholderData && !ticking,
    fetching: (counted.isFetching && !ticking) || (pages.isFetching && !pages.isFetchingNextPage),
  };
}

/** What a tail brought, above what was found; a line that came by both ways once. */
function merged(fresh: Line[], found: Line[], tailing: boolean): Line[] {
  if (!tailing || fresh.length === 0) return found;
  const seen = new Set<string>();
  return [...fresh, ...found].filter(({ id }) => !seen.has(id) && seen.add(id));
}

function useTabs(team: string) {
  const search = useSearch({ strict: false }) as Record<string, unknown>;
  const rest = Object.fromEntries(Object.entries(search).filter(([name]) => !["tab", "line", "field", "facets"].includes(name)));
  // The open tab keeps what is open in it, so that it counts as the current one.
  const to = (label: string, tab?: string) => ({ label, to: logsPath(team), search: search.tab === tab ? search : tab ? { ...rest, tab } : rest });
  return [to("Lines"), to("Patterns", "patterns"), to("Fields", "fields")];
}

function useKeys(explore: Explore, table: boolean) {
  const { search, set } = explore;
  const group = "This page";
  useActions([
    { id: "logs.live", label: search.live ? "Stop the live tail" : "Live tail", group, icon: Radio, keys: "l", refused: table && "A table is not tailed.", run: () => set({ live: search.live ? undefined : true }) },
    { id: "logs.wrap", label: "Wrap lines", group, keys: "w", run: () => set({ wrap: search.wrap ? undefined : true }) },
    { id: "logs.out", label: "Zoom out", group, keys: "z", run: explore.zoomOut },
    { id: "logs.earlier", label: "Half a window earlier", group, icon: Clock, keys: "ArrowLeft", run: () => explore.shift(-1) },
    { id: "logs.later", label: "Half a window later", group, icon: Clock, keys: "ArrowRight", run: () => explore.shift(1) },
    { id: "logs.run", label: "Run the search again", group, icon: RefreshCw, keys: "r", run: explore.again },
  ]);
}
