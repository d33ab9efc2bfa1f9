import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Eye, Plus, Rocket, Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { count, plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { useActions } from "@/ui/frame/hooks";
import { Icon } from "@/ui/Icon";
import { oneOfOr, params, text } from "@/ui/schema";
import { Segmented } from "@/ui/Segmented";
import { EmptyState, Notice } from "@/ui/states";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { useUrlState } from "@/ui/useUrlState";
import { EdgeFrame } from "../EdgeFrame";
import { EnrolCommand } from "../enrolment/EnrolCommand";
import { agentLook, agentStates } from "../looks";
import { cvesPath, enrolmentPath, fleetPath, nodePath, rolloutsPath } from "../paths";
import { cveIn } from "../cves/state";
import { policiesQuery } from "../policies/queries";
import { StartRollout } from "../rollouts/StartRollout";
import { call } from "../shell/commands";
import { FromShell } from "../shell/FromShell";
import { countsQuery, type Counts, gridQuery } from "../queries";
import { FleetMap } from "./FleetMap";
import { type Fleet, groupings } from "./grid";
import { NodeTable } from "./NodeTable";

const fleetSearch = params({ q: text(500), view: oneOfOr(["grid", "table"], "grid"), by: oneOfOr(groupings as unknown as ["site", "bundle", "variant"], "site") });

/** All nodes at once: one square each, or a row each. */
export function FleetPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const summary = useSuspenseQuery(countsQuery(team)).data;
  const navigate = useNavigate();
  const enrol = () => void navigate({ to: enrolmentPath(team) });
  const policies = useQuery(policiesQuery(team)).data?.items ?? [];
  const [simulating, setSimulating] = useState(false);
  const none = policies.length === 0 && "Write a policy first: it says which nodes, when and how.";
  useActions([{ id: "edge.fleet.simulate", label: "Simulate a rollout", group: "This page", keys: "s", icon: Eye, refused: none, run: () => setSimulating(true) }]);
  return (
    <EdgeFrame
      team={team}
      title="Fleet"
      meta={summary.total > 0 ? fleetWords(summary) : "no node yet"}
      actions={
        <>
          <Button kind="quiet" icon={Plus} onClick={enrol}>
            Enrol nodes
          </Button>
          <Button icon={Eye} refused={none} tip="s" onClick={() => setSimulating(true)}>
            Simulate
          </Button>
          <Button icon={Rocket} onClick={() => void navigate({ to: rolloutsPath(team) })}>
            Rollouts
          </Button>
        </>
      }
    >
      {summary.total === 0 ? <NoNodes team={team} /> : <Shown team={team} />}
      {simulating && <StartRollout team={team} policies={policies} onClose={() => setSimulating(false)} />}
    </EdgeFrame>
  );
}

function fleetWords({ total, counts }: { total: number; counts: Counts }): string {
  const sites = Object.keys(counts.sites).filter(Boolean).length;
  const here = (counts.states.accepted ?? 0) - counts.offline;
  return [`${plural(total, "node")}${sites > 0 ? ` at ${plural(sites, "site")}` : ""}`, `${count(Math.max(0, here))} heard from lately`, counts.states.pending ? `${count(counts.states.pending)} to decide` : ""].filter(Boolean).join(" · ");
}

function NoNodes({ team }: { team: string }) {
  const refused = refusal(useSession(), team, "member");
  return (
    <EmptyState
      headline="No nodes yet"
      waiting={<b>Waiting for the first node</b>}
      more={<EnrolCommand team={team} refused={refused} />}
    >
      Each machine that runs the agent stands here as a square: what it is at, what is installed, when it was heard of. Make a token, and run this on a machine; it makes its own key and asks to be let in.
    </EmptyState>
  );
}

function Shown({ team }: { team: string }) {
  const [search, setSearch] = useUrlState(fleetSearch);
  const q = search.q ?? "";
  const navigate = useNavigate();
  const { data: fleet, error, refetch } = useQuery(gridQuery(team, q));
  const open = (id: string) => void navigate({ to: nodePath(team, id) });
  return (
    <>
      <FilterBar
        key={q}
        q={q}
        onSearch={(next) => {
          // The name of a vulnerability alone is a question that has a page of its own.
          if (next !== "" && cveIn(next) === next.toUpperCase()) void navigate({ to: cvesPath(team), search: { cve: cveIn(next) } as never });
          else setSearch({ q: next || undefined }, { push: true });
        }}
      >
        {search.view === "grid" && (
          <Segmented label="Group by" value={search.by} options={[{ value: "site", label: "Site" }, { value: "bundle", label: "Bundle" }, { value: "variant", label: "System" }]} onChange={(by) => setSearch({ by: by === "site" ? undefined : by })} />
        )}
        <Segmented label="Show as" value={search.view} options={[{ value: "grid", label: "Grid" }, { value: "table", label: "Table" }]} onChange={(view) => setSearch({ view: view === "grid" ? undefined : view })} />
      </FilterBar>
      {error && (
        <div className="pane">
          <Notice kind="bad" actions={<Button size="small" onClick={() => void refetch()}>Try again</Button>}>
            {fleet && "What you see may be old: "}
            {asProblem(error).message}
          </Notice>
        </div>
      )}
      {fleet?.total === 0 && (
        <EmptyState small headline="No node fits">
          Words are looked for in names, hosts, sites and fingerprints; site:osl, bundle:, agent_state:failed, variant:debian*, offline&gt;24h, root:&lt;3 and any label such as role:edge-node narrow it, and - before a word leaves out. <Link className="link underline" to={fleetPath(team)}>All nodes</Link>
        </EmptyState>
      )}
      {fleet && fleet.total > 0 && (search.view === "table" ? <NodeTable team={team} q={q} /> : <FleetMap cells={fleet.cells} by={search.by} onOpen={open} />)}
      <FromShell command={(url) => call(url, "nodes", { team, q })} />
      {fleet && <Keyline team={team} q={q} fleet={fleet} />}
    </>
  );
}

function FilterBar({ q, onSearch, children }: { q: string; onSearch: (q: string) => void; children: React.ReactNode }) {
  const [typed, setTyped] = useState(q);
  const input = useRef<HTMLInputElement>(null);
  const latest = useRef(onSearch);
  useEffect(() => {
    latest.current = onSearch;
  });
  useActions([{ id: "edge.filter", label: "Filter nodes", group: "This page", keys: "/", run: () => input.current?.focus() }]);
  return (
    <form
      className="toolbar edge-bar"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(typed.trim());
      }}
    >
      <span className="query">
        <Icon of={Search} />
        <input ref={input} type="search" aria-label="Filter nodes" value={typed} placeholder="site:osl  bundle:…  agent_state:failed  offline>24h  CVE-2026-12345" spellCheck={false} onChange={({ target }) => setTyped(target.value)} onBlur={() => typed.trim() !== q && onSearch(typed.trim())} />
      </span>
      {children}
    </form>
  );
}

/** What the forms mean, how many there are of each, and the way to only those. */
function Keyline({ team, q, fleet }: { team: string; q: string; fleet: Fleet }) {
  const { agent_states: agents, offline, states } = fleet.counts;
  const only = (word: string) => ({ q: [q, word].filter(Boolean).join(" ") }) as never;
  const entries = [
    ...agentStates.filter((state) => agents[state]).map((state) => ({ ...agentLook(state), n: agents[state] ?? 0, word: state.replaceAll("-", " "), search: `agent_state:${state} -offline` })),
    { status: "offline" as const, word: "offline", n: offline, search: "offline" },
    { status: "paused" as const, word: "to decide", n: states.pending ?? 0, search: "state:pending" },
    { status: "aborted" as const, word: "revoked", n: states.revoked ?? 0, search: "state:revoked" },
  ].filter(({ n }) => n > 0);
  return (
    <nav className="edge-key" aria-label="States">
      {entries.map(({ status, word, n, search }) => (
        <Link key={search} to={fleetPath(team)} search={only(search)}>
          <StatusGlyph status={status} />
          <b>{word}</b> <span className="muted num">{count(n)}</span>
        </Link>
      ))}
    </nav>
  );
}
