import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { ArrowDownUp, Check, LayoutGrid, Pin, Plus, TableProperties, Workflow } from "lucide-react";
import { lazy, Suspense, useRef, useState } from "react";
import { refusal, useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { useActions, usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { Segmented } from "@/ui/Segmented";
import { useNow } from "@/ui/useNow";
import { useGrowing } from "@/ui/useGrowing";
import { useUrlState } from "@/ui/useUrlState";
import { pipelineAddress, pipelineTitle } from "../address";
import { newPipelinePath } from "../paths";
import { type Pipeline, pipelinesQuery } from "../queries";
import { useGo } from "../useGo";
import { bars } from "../state";
import { newestBuilds, totals, visible } from "./arrange";
import { Cell } from "./Cell";
import { FirstPipeline } from "./FirstPipeline";
import { usePins } from "./pins";
import { type WallSearch, wallSearch } from "./search";
import "./wall.css";
import { WallContext } from "./WallContext";
import { WallTable } from "./WallTable";

const Arrange = lazy(async () => ({ default: (await import("./Arrange")).Arrange }));

/** Every pipeline of the team. */
export function WallPage() {
  const { team = "" } = useParams({ strict: false }) as { team?: string };
  const { items } = useSuspenseQuery(pipelinesQuery(team)).data;
  const [search, setSearch] = useUrlState(wallSearch);
  const { pins, toggle } = usePins();
  const me = useSession();
  const go = useGo();
  const now = useNow(items.some(({ running }) => running > 0));
  const shown = visible(items, search, pins);
  const arranging = search.view === "arrange" && items.length > 0;
  usePage({ title: "Pipelines", crumbs: [{ label: "Pipelines" }], status: items.some(({ status, paused }) => !paused && status === "failed") ? "failed" : undefined });
  const refused = refusal(me, team, "member");
  const create = () => go({ to: newPipelinePath(team) });
  useActions([
    { id: "ci.arrange", label: "Arrange the pipelines", group: "This page", icon: ArrowDownUp, also: "order sort", refused: refused || (items.length < 2 && "There is one pipeline at most."), run: () => setSearch({ view: "arrange" }) },
    { id: "ci.new", label: "New pipeline", group: "This page", icon: Plus, refused, run: create },
    ...items.map((pipeline) => ({
      id: `ci.go.${pipeline.id}`,
      label: pipelineTitle(pipeline),
      group: "Pipelines",
      also: "go to pipeline",
      icon: Workflow,
      run: () => go(pipelineAddress(pipeline)),
    })),
  ]);
  return (
    <>
      {items.length > 0 && <WallContext team={team} />}
      <PageHeader
        title="Pipelines"
        meta={search.group ? `group ${search.group} · ${totals(shown, team)}` : totals(items, team)}
        actions={
          <>
            {items.length > 1 && (
              <Button kind="quiet" icon={arranging ? Check : ArrowDownUp} onClick={() => setSearch({ view: arranging ? undefined : "arrange", group: undefined, show: undefined })}>
                {arranging ? "Done" : "Arrange"}
              </Button>
            )}
            {items.length > 0 && !arranging && <ViewSwitch view={search.view} onView={(view) => setSearch({ view: view === "wall" ? undefined : view })} />}
            <Button icon={Plus} refused={refused} onClick={create}>
              New pipeline
            </Button>
          </>
        }
        tabs={items.length > 0 ? filterTabs(team, items, pins) : undefined}
        tabsLabel="Which pipelines"
        strip={items.length > 0 ? { bars: bars(newestBuilds(items, 24), now), label: "last 24 builds" } : undefined}
      />
      {items.length === 0 && <FirstPipeline team={team} start={search.start} onStart={(start) => setSearch({ start })} />}
      {arranging && (
        <Suspense>
          <Arrange team={team} pipelines={items} refused={refused} />
        </Suspense>
      )}
      {items.length > 0 && shown.length === 0 && <NoneShown search={search} team={team} />}
      {shown.length > 0 && search.view === "wall" && <Wall pipelines={shown} pins={pins} onPin={toggle} now={now} />}
      {shown.length > 0 && search.view === "table" && <WallTable pipelines={shown} now={now} />}
    </>
  );
}

function filterTabs(team: string, items: Pipeline[], pins: ReadonlySet<number>) {
  const to = `/teams/${encodeURIComponent(team)}/ci`;
  const count = (show: WallSearch["show"]) => visible(items, { show }, pins).length;
  return [
    { label: "All", to, search: {}, count: items.length },
    { label: "Pinned", to, search: { show: "pinned" }, count: count("pinned") },
    { label: "Failing", to, search: { show: "failing" }, count: count("failing") },
  ];
}

function ViewSwitch({ view, onView }: { view: WallSearch["view"]; onView: (view: WallSearch["view"]) => void }) {
  return (
    <span className="desk">
      <Segmented
        label="Show as"
        value={view}
        onChange={onView}
        options={[
          { value: "wall", label: "Wall", icon: LayoutGrid },
          { value: "table", label: "Table", icon: TableProperties },
        ]}
      />
    </span>
  );
}

type WallProps = { pipelines: Pipeline[]; pins: ReadonlySet<number>; onPin: (id: number) => void; now: number };

/** Cells in the team's order. j and k walk them, Enter opens, p pins. */
function Wall({ pipelines, pins, onPin, now }: WallProps) {
  const go = useGo();
  const list = useRef<HTMLUListElement>(null);
  const [at, setAt] = useState(-1);
  const current = pipelines[Math.min(at, pipelines.length - 1)];
  const { limit, end } = useGrowing(60);
  const drawn = pipelines.slice(0, Math.max(limit, at + 60));
  const move = (by: number) => {
    const next = Math.max(0, Math.min(pipelines.length - 1, at + by));
    setAt(next);
    list.current?.children[next]?.scrollIntoView?.({ block: "nearest" });
  };
  const group = "Lists";
  useActions([
    { id: "wall.next", label: "Next pipeline", group, keys: "j", hidden: true, run: () => move(1) },
    { id: "wall.previous", label: "Previous pipeline", group, keys: "k", hidden: true, run: () => move(-1) },
    { id: "wall.open", label: "Open the pipeline", group, keys: "Enter", hidden: true, run: () => current && go(pipelineAddress(current)) },
    { id: "wall.pin", label: "Pin the pipeline to the front", group, keys: "p", icon: Pin, hidden: true, run: () => current && onPin(current.id) },
  ]);
  return (
    <ul className="wall" ref={list} aria-label="Pipelines">
      {drawn.map((pipeline) => (
        <Cell key={pipeline.id} pipeline={pipeline} pinned={pins.has(pipeline.id)} onPin={() => onPin(pipeline.id)} current={pipeline === current} now={now} />
      ))}
      {drawn.length < pipelines.length && <li ref={end} key={`end ${drawn.length}`} aria-hidden="true" />}
    </ul>
  );
}

function NoneShown({ search, team }: { search: WallSearch; team: string }) {
  const said = search.show === "pinned" ? "No pipeline is pinned. Press the pin of a cell, or p, to keep it at the front." : "No pipeline is failing.";
  return (
    <div className="pane grid gap-3 justify-items-start">
      <p className="strong">{search.show === "all" ? "No pipeline is in this group." : said}</p>
      <Link to={`/teams/${encodeURIComponent(team)}/ci`} className="link">
        Show all pipelines
      </Link>
    </div>
  );
}
