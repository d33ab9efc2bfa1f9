import "../issues.css";
import { useSuspenseInfiniteQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useSession } from "@/api/session";
import { count, plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Chip } from "@/ui/facts";
import { Select } from "@/ui/Field";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { useUrlState } from "@/ui/useUrlState";
import { IssuesContext } from "../IssuesContext";
import { issuesPath, releasePath } from "../paths";
import { projectsQuery } from "../queries";
import { releaseCommands } from "./commands";
import { type ReleaseItem, releasesQuery } from "./queries";
import { releasesSearch } from "./search";
import { CrashFree, ShareBar } from "./Shares";
import { releasedAt } from "./words";

/** What was shipped, the newest first, and how it does. */
export function ReleasesPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const [{ project }, setSearch] = useUrlState(releasesSearch);
  const projects = useSuspenseQuery(projectsQuery(team)).data.items;
  const pages = useSuspenseInfiniteQuery(releasesQuery(team, project));
  const navigate = useNavigate();
  const releases = pages.data.pages.flatMap((page) => page.items);
  usePage({ title: "Releases", crumbs: [{ label: "Issues", to: issuesPath(team) }, { label: "Releases" }] });
  return (
    <>
      <IssuesContext team={team} project={project} />
      <PageHeader
        title="Releases"
        meta={releases.length > 0 ? `${plural(releases.length, "release")}${pages.hasNextPage ? " and more" : ""}` : ""}
        actions={
          projects.length > 1 && (
            <Select
              compact
              className="issues-pick"
              aria-label="Project"
              value={project ?? ""}
              options={[{ value: "", label: "All projects" }, ...projects.map(({ slug }) => ({ value: slug, label: slug }))]}
              onValue={(next) => setSearch({ project: next }, { push: true })}
            />
          )
        }
      />
      {releases.length === 0 ? (
        <NoReleases team={team} project={project ?? projects[0]?.slug ?? "my-project"} />
      ) : (
        <div className="issues-releases">
          <Table label="Releases" rows={releases} rowKey={({ id }) => String(id)} columns={columns(team)} onOpen={({ id }) => void navigate({ to: releasePath(team, id) })} keyboard />
        </div>
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

function NoReleases({ team, project }: { team: string; project: string }) {
  const url = useSession().public_url;
  return (
    <EmptyState headline="No releases yet, because nothing names one" command={releaseCommands(url, team, project)} filled={[url, team, project]} commandLabel="Commands" waiting="Waiting for the first release">
      A release ties errors to commits, deploys and source maps, and says which version made things worse. It appears by itself when an event carries <code>release</code>, when a pipeline ships one, or when you run this. The token is made at{" "}
      <Link className="link underline" to={`/teams/${encodeURIComponent(team)}/settings/tokens`}>
        tokens
      </Link>
      .
    </EmptyState>
  );
}

const bad = (value: number) => (value > 0 ? <b>{count(value)}</b> : <span className="muted">0</span>);

const columns = (team: string): Column<ReleaseItem>[] => [
  {
    key: "version",
    head: "Release",
    lead: true,
    cell: ({ id, version, short_version: short, status }) => (
      <span className="line">
        <Link className="title clip" to={releasePath(team, id)} title={version}>
          {short}
        </Link>
        {status === "archived" && <Chip>archived</Chip>}
      </span>
    ),
  },
  { key: "projects", head: "Projects", width: 150, cell: ({ projects }) => <span className="clip" title={projects.map(({ slug }) => slug).join(", ")}>{projects.map(({ slug }) => slug).join(", ") || "–"}</span> },
  { key: "at", head: "Released", width: 110, cell: (release) => <RelativeTime at={releasedAt(release)} /> },
  { key: "adoption", head: "Adoption", said: "adoption", width: 150, cell: ({ health }) => <ShareBar share={health.adoption} label="adoption" /> },
  { key: "health", head: "Crash-free", said: "crash-free", width: 110, cell: ({ health }) => <CrashFree share={health.crash_free} /> },
  { key: "new", head: "New", said: "new", width: 64, number: true, cell: ({ new_issues: fresh }) => bad(fresh) },
  { key: "regressed", head: "Regressed", said: "regressed", width: 92, number: true, cell: ({ regressed_issues: back }) => bad(back) },
  { key: "commits", head: "Commits", said: "commits", width: 80, number: true, cell: ({ commits }) => count(commits) },
  { key: "deploys", head: "Deploys", said: "deploys", width: 76, number: true, cell: ({ deploys }) => count(deploys) },
];
