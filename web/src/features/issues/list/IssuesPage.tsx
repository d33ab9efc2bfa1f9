import "../issues.css";
import { keepPreviousData, useInfiniteQuery, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { ChartNoAxesColumn, Copy, FolderPlus, Settings2 } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { asProblem, type Problem } from "@/api/problem";
import { useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { copyText } from "@/ui/clipboard";
import { useActions, usePage, useToast } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { Segmented } from "@/ui/Segmented";
import { EmptyState, ErrorState, Notice } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { useMemberRefusal } from "../acts";
import { IssuesContext, views } from "../IssuesContext";
import { intakePath, issuePath, issuesPath, setupPath } from "../paths";
import { FirstProject } from "../project/FirstProject";
import { NewProject } from "../project/NewProject";
import { type IssueItem, issuesQuery, peopleQuery, type Project, projectsQuery } from "../queries";
import { curl, searchOf } from "../views/address";
import { viewsQuery } from "../views/queries";
import { SaveView } from "../views/SaveView";
import { IssueBar } from "./IssueBar";
import { IssueTable, strip } from "./IssueTable";
import { QueryBar } from "./QueryBar";
import { type ListSearch, listSearch, usualQuery } from "./search";
import { mistake } from "./tokens";

/** The errors of a team, the newest first. */
export function IssuesPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const projects = useSuspenseQuery(projectsQuery(team)).data.items;
  const [search, setSearch] = useUrlState(listSearch);
  const [making, setMaking] = useState(false);
  const refused = useMemberRefusal(team);
  const navigate = useNavigate();
  const project = projects.find(({ slug }) => slug === search.project);
  usePage({ title: project ? `Issues of ${project.slug}` : "Issues", crumbs: [{ label: "Issues", to: issuesPath(team) }, { label: project?.slug ?? "All projects" }] });
  const goTo = (to: string) => void navigate({ to });
  const saved = useQuery(viewsQuery(team)).data?.items ?? [];
  const url = useSession().public_url;
  const toast = useToast();
  const asCurl = async () => toast({ text: (await copyText(curl(url, team, search))) ? "The command is copied" : "This browser refuses to copy" });
  useActions([{ id: "issues.curl", label: "Copy this list as cURL", group: "This page", icon: Copy, run: () => void asCurl() }, { id: "issues.project", label: "New error project", group: "This page", icon: FolderPlus, refused, run: () => setMaking(true) }]);
  const found = useFound(team, search);
  return (
    <>
      <IssuesContext team={team} project={search.project} />
      <PageHeader
        title={project?.name ?? "Issues"}
        meta={found.meta ?? (projects.length > 0 ? `${plural(projects.length, "project")} of ${team}` : "")}
        actions={
          <>
            {project && (
              <>
                <Button kind="quiet" className="desk" icon={ChartNoAxesColumn} onClick={() => goTo(intakePath(team, project.slug))}>
                  Intake
                </Button>
                <Button kind="quiet" icon={Settings2} onClick={() => goTo(setupPath(team, project.slug))}>
                  Set up
                </Button>
              </>
            )}
            {projects.length > 0 && <SaveView team={team} search={search} />}
            <Button icon={FolderPlus} refused={refused} onClick={() => setMaking(true)}>
              New project
            </Button>
          </>
        }
        tabs={projects.length === 0 ? undefined : [
                ...views.map(({ label, query }) => ({ label, to: issuesPath(team), search: { ...(search.project ? { project: search.project } : {}), ...(query ? { query } : {}) } })),
                ...saved.map((view) => ({ label: view.name, to: issuesPath(team), search: searchOf(view) })),
              ]}
        tabsLabel="Views"
        strip={projects.length === 0 ? undefined : { bars: strip(found.hours), label: "events listed, last 24 h" }}
      />
      {projects.length === 0 ? (
        <FirstProject team={team} refused={refused} onNew={() => setMaking(true)} />
      ) : (
        <List team={team} projects={projects} project={project} search={search} setSearch={setSearch} found={found} />
      )}
      <NewProject open={making} onClose={() => setMaking(false)} team={team} />
    </>
  );
}

function useFound(team: string, search: ListSearch) {
  const query = search.query ?? usualQuery;
  const pages = useInfiniteQuery({ ...issuesQuery(team, { project: search.project, query, sort: search.sort }), placeholderData: keepPreviousData });
  const issues = useMemo(() => pages.data?.pages.flatMap((page) => page.issues), [pages.data]);
  const hours = useMemo(() => sumHours(issues ?? []), [issues]);
  const meta = issues && `${plural(issues.length, "issue")}${pages.hasNextPage ? " and more" : ""}`;
  return { query, pages, issues, hours, meta, problem: pages.error ? asProblem(pages.error) : undefined };
}

function sumHours(issues: IssueItem[]): number[] {
  return Array.from({ length: 24 }, (_, hour) => issues.reduce((sum, { sparkline }) => sum + (sparkline[hour] ?? 0), 0));
}

type ListProps = {
  team: string;
  projects: Project[];
  project?: Project;
  search: ListSearch;
  setSearch: (change: Partial<ListSearch>, how?: { push?: boolean }) => void;
  found: ReturnType<typeof useFound>;
};

function List({ team, projects, project, search, setSearch, found }: ListProps) {
  const people = useSuspenseQuery(peopleQuery(team)).data.items.map(({ name }) => name);
  const [marked, setMarked] = useState<Set<string>>(new Set());
  const navigate = useNavigate();
  const { query, pages, issues, problem } = found;
  const wrong = problem && mistake(query, problem.fields);
  const open = useCallback(({ id }: IssueItem) => void navigate({ to: issuePath(team, id) }), [navigate, team]);
  const listed = issues?.filter(({ id }) => marked.has(String(id))) ?? [];
  const setQuery = (next: string) => setSearch({ query: next || "is:unresolved" }, { push: true });
  return (
    <>
      <div className="toolbar issues-bar">
        <QueryBar query={query} mistake={wrong} onQuery={setQuery} />
        <Segmented
          label="Order"
          value={search.sort}
          onChange={(sort) => setSearch({ sort })}
          options={[
            { value: "last_seen", label: "Last seen" },
            { value: "first_seen", label: "First seen" },
            { value: "events", label: "Events" },
            { value: "users", label: "Users" },
          ]}
        />
      </div>
      <IssueBar key={`${project?.slug ?? ""} ${query}`} team={team} people={people} issues={listed} search={{ project: project?.slug, query }} more={pages.hasNextPage} onClear={() => setMarked(new Set())} />
      {problem && !wrong && <Refused problem={problem} old={issues !== undefined} onRetry={() => void pages.refetch()} />}
      {issues?.length === 0 ? (
        <NothingFound team={team} projects={projects} project={project} query={query} onUsual={() => setSearch({ query: undefined })} />
      ) : (
        (issues || !problem) && <IssueTable team={team} issues={issues} selected={marked} onSelect={setMarked} onOpen={open} />
      )}
      {pages.hasNextPage && (
        <div className="pane">
          <Button busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

/** What came before stays; without it the failure is all there is to say. */
function Refused({ problem, old, onRetry }: { problem: Problem; old: boolean; onRetry: () => void }) {
  if (old) {
    return (
      <div className="pane pb-0">
        <Notice kind="bad" actions={<Button size="small" onClick={onRetry}>Try again</Button>}>
          This list may be old: {problem.message}
        </Notice>
      </div>
    );
  }
  return <ErrorState what="The issues cannot be listed" why={problem.detail ?? problem.title} requestId={problem.requestId} onRetry={onRetry} />;
}

type NothingProps = { team: string; projects: Project[]; project?: Project; query: string; onUsual: () => void };

/** Nothing came yet, or nothing of what came is meant. */
function NothingFound({ team, projects, project, query, onUsual }: NothingProps) {
  const navigate = useNavigate();
  const silent = project ? (project.first_event_at ? undefined : project) : projects.every(({ first_event_at: at }) => !at) ? projects[0] : undefined;
  if (silent) {
    return (
      <EmptyState
        headline="No errors yet, because nothing reports here"
        waiting={<>Waiting for the first event of {silent.slug}</>}
        actions={
          <Button kind="primary" onClick={() => void navigate({ to: setupPath(team, silent.slug) })}>
            Set up {silent.slug}
          </Button>
        }
      >
        Errors appear here within two seconds: grouped, with the source line and the release. Any Sentry SDK works.
      </EmptyState>
    );
  }
  const usual = query === usualQuery;
  return (
    <EmptyState small headline={usual ? "No unresolved issue" : "No issue is like that"} actions={usual ? undefined : <Button onClick={onUsual}>Show unresolved issues</Button>}>
      {usual ? "Everything that was reported is resolved or archived." : "Take a word away from the search, or look among the resolved and archived ones."}
    </EmptyState>
  );
}
