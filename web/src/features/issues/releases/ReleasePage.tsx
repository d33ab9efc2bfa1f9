import "../issues.css";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Bug, ExternalLink } from "lucide-react";
import type { ReactNode } from "react";
import { count } from "@/format/bytes";
import { between } from "@/format/duration";
import { Button } from "@/ui/Button";
import { classes } from "@/ui/classes";
import { Copyable } from "@/ui/CopyButton";
import { Chip } from "@/ui/facts";
import { useActions, usePage } from "@/ui/frame/hooks";
import { Icon } from "@/ui/Icon";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { CodeBlock } from "@/ui/CodeBlock";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { useUrlState } from "@/ui/useUrlState";
import { ExternalAddress } from "../links/ExternalAddress";
import { IssuesContext } from "../IssuesContext";
import { IssueRows } from "../list/IssueRows";
import { withTerm } from "../list/tokens";
import { ReleaseThreadPanel } from "../thread/ReleaseThread";
import { issuesPath, releasePath, releasesPath } from "../paths";
import { Artifacts } from "./Artifacts";
import { Commits } from "./Commits";
import { deployCommand } from "./commands";
import { HealthChart } from "./HealthChart";
import { latestReleasesQuery, type Release, releaseQuery } from "./queries";
import { releaseSearch } from "./search";
import { CrashFree, ShareBar } from "./Shares";
import { healthStatus, neighbours } from "./words";

/** One release: how it does, what it broke, what is in it and where it runs. */
export function ReleasePage() {
  const { team, release: id } = useParams({ strict: false }) as { team: string; release: string };
  const release = useSuspenseQuery(releaseQuery(Number(id))).data;
  const [{ tab }] = useUrlState(releaseSearch);
  const navigate = useNavigate();
  const here = releasePath(team, release.id);
  const status = release.new_issues + release.regressed_issues > 0 ? (healthStatus(release.health.crash_free) === "failed" ? "failed" : "errored") : (healthStatus(release.health.crash_free) ?? "succeeded");
  usePage({ title: release.version, status, crumbs: [{ label: "Issues", to: issuesPath(team) }, { label: "Releases", to: releasesPath(team) }, { label: release.short_version }] });
  const toIssues = () => void navigate({ to: issuesPath(team), search: { query: withTerm("is:unresolved", "release", release.version) } as never });
  useActions([{ id: "release.issues", label: "Issues of this release", group: "This page", icon: Bug, run: toIssues }]);
  return (
    <>
      <IssuesContext team={team} />
      <div className="issues-head">
        <PageHeader
          title={release.short_version}
          meta={
            <span className="line">
              {release.version !== release.short_version && (
                <span className="desk">
                  <Copyable text={release.version} />
                </span>
              )}
              {release.status === "archived" && <Chip>archived</Chip>}
              <span>{release.projects.map(({ slug }) => slug).join(", ")}</span>
            </span>
          }
          actions={
            <>
              {release.url && (
                <ExternalAddress className="btn quiet" url={release.url}>
                  <Icon of={ExternalLink} />
                  What made it
                </ExternalAddress>
              )}
              <Button icon={Bug} onClick={toIssues}>
                Issues
              </Button>
            </>
          }
          tabs={[
            { label: "Overview", to: here, search: {} },
            { label: "Commits", count: count(release.commits), to: here, search: { tab: "commits" } },
            { label: "Artifacts", count: count(release.artifacts.length), to: here, search: { tab: "artifacts" } },
          ]}
        />
      </div>
      {tab === "overview" && <Overview team={team} release={release} />}
      {tab === "commits" && <Commits release={release} />}
      {tab === "artifacts" && <Artifacts release={release} />}
    </>
  );
}

function Overview({ team, release }: { team: string; release: Release }) {
  return (
    <div className="issues-cols">
      <div className="issues-main">
        <Numbers release={release} />
        <ReleaseThreadPanel team={team} release={release.id} />
        <HealthChart release={release} />
        <Among team={team} release={release} />
        <section aria-label="New">
          <div className="section-head">
            <h2>New in it</h2>
            <span className="meta">{release.new_issues === 0 ? "no issue began with it" : "issues first seen in this release"}</span>
          </div>
          <IssueRows team={team} label="New issues" issues={release.new} />
        </section>
        <section aria-label="Regressed issues">
          <div className="section-head">
            <h2>Came back in it</h2>
            <span className="meta">{release.regressed_issues === 0 ? "no resolved issue came back" : "issues that were resolved before"}</span>
          </div>
          <IssueRows team={team} label="Regressed issues" issues={release.regressed} />
        </section>
      </div>
      <aside className="issues-side" aria-label="About the release">
        <Deploys release={release} />
        <Dates release={release} />
      </aside>
    </div>
  );
}

function Figure({ name, wide, children }: { name: string; wide?: boolean; children: ReactNode }) {
  return (
    <div className={classes(wide && "min-w-0")}>
      <dt className="micro">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Numbers({ release: { health, new_issues: fresh, regressed_issues: back } }: { release: Release }) {
  return (
    <dl className="issues-facts">
      <Figure name="Crash-free">
        <CrashFree share={health.crash_free} />
      </Figure>
      <Figure name="Sessions">{count(health.sessions)}</Figure>
      <Figure name="Crashed">{count(health.crashed)}</Figure>
      <Figure name="Errored">{count(health.errored)}</Figure>
      <Figure name="Adoption">
        <ShareBar share={health.adoption} label="adoption" />
      </Figure>
      <Figure name="New">{count(fresh)}</Figure>
      <Figure name="Regressed">{count(back)}</Figure>
    </dl>
  );
}

/** Crash-free and adopted, beside the releases around it: the chart is a table, so that both read it. */
function Among({ team, release }: { team: string; release: Release }) {
  const project = release.projects[0]?.slug;
  const { data } = useQuery(latestReleasesQuery(team, project));
  const shown = neighbours(data?.items ?? [], release.id);
  const least = Math.min(0.98, ...shown.map(({ health }) => health.crash_free ?? 1));
  const floor = Math.max(0, Math.floor(least * 100 - 1) / 100);
  if (shown.every(({ health }) => health.sessions === 0)) {
    return (
      <section aria-label="Health">
        <div className="section-head">
          <h2>Health</h2>
        </div>
        <p className="meta">No sessions were sent. SDKs count them by themselves once a release is named; then this shows how many did not crash, and how many run it.</p>
      </section>
    );
  }
  return (
    <section aria-label="Health">
      <div className="section-head">
        <h2>Crash-free, beside its neighbours</h2>
        <span className="meta">sessions of 14 days; bars begin at {Math.round(floor * 100)} %</span>
      </div>
      <table className="issues-among">
        <thead className="sr">
          <tr>
            <th scope="col">Release</th>
            <th scope="col">Crash-free, as a bar</th>
            <th scope="col">Crash-free</th>
            <th scope="col">Adoption</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ id, short_version: short, version, health }) => (
            <tr key={id} aria-current={id === release.id || undefined}>
              <th scope="row">
                {id === release.id ? <b title={version}>{short}</b> : <Link className="link" to={releasePath(team, id)} title={version}>{short}</Link>}
              </th>
              <td className="plot">
                <span className="bar" aria-hidden="true">
                  {health.crash_free !== null && <i className={healthStatus(health.crash_free)} style={{ width: `${Math.max(1, ((health.crash_free - floor) / (1 - floor)) * 100)}%` }} />}
                </span>
              </td>
              <td>
                <CrashFree share={health.crash_free} />
              </td>
              <td className="desk">
                <ShareBar share={health.adoption} label="adoption" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Deploys({ release }: { release: Release }) {
  return (
    <section aria-label="Deploys">
      <h2 className="micro">Deploys</h2>
      {release.deploy_list.length === 0 && (
        <>
          <p className="meta mb-2">It runs nowhere that was told. Say so when you deploy:</p>
          <CodeBlock code={deployCommand(release.version)} label="Command" wrap />
        </>
      )}
      <ol className="issues-activity">
        {release.deploy_list.map(({ id, environment, name, url, started_at: from, finished_at: at }) => (
          <li key={id} className="issues-deploy">
            <StatusGlyph status="succeeded" label="deployed" />
            <span className="min-w-0">
              <b>{environment}</b> {url ? <ExternalAddress className="link" url={url}>{name || "open"}</ExternalAddress> : name}
              {from && <span className="meta"> in {between(from, at)}</span>}
            </span>
            <span className="meta">
              <RelativeTime at={at} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Dates({ release }: { release: Release }) {
  const rows: [string, ReactNode][] = [
    ["created", <RelativeTime key="c" at={release.created_at} />],
    ["released", release.released_at ? <RelativeTime key="r" at={release.released_at} /> : "not said"],
    ["first event", release.first_event_at ? <RelativeTime key="f" at={release.first_event_at} /> : "none yet"],
    ...(release.ref ? ([["ref", <code key="ref" className="clip">{release.ref}</code>]] as [string, ReactNode][]) : []),
  ];
  return (
    <section aria-label="Dates">
      <h2 className="micro">Dates</h2>
      {rows.map(([name, value]) => (
        <p key={name} className="line">
          <span className="muted issues-term">{name}</span> {value}
        </p>
      ))}
    </section>
  );
}
