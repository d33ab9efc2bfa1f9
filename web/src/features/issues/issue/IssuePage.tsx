import "../issues.css";
import { keepPreviousData, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { ArrowLeft, ArrowRight, Braces, Copy, Ellipsis, Link2 } from "lucide-react";
import { asProblem } from "@/api/problem";
import { useSession } from "@/api/session";
import { count } from "@/format/bytes";
import { IconButton } from "@/ui/Button";
import { copyText } from "@/ui/clipboard";
import { Copyable } from "@/ui/CopyButton";
import { useActions, usePage, useToast } from "@/ui/frame/hooks";
import { Menu, MenuItem, MenuSeparator } from "@/ui/Menu";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { SkeletonRows } from "@/ui/Skeleton";
import { ErrorState, Notice } from "@/ui/states";
import { useNow } from "@/ui/useNow";
import { useUrlState } from "@/ui/useUrlState";
import { HourBars } from "../chart/HourBars";
import { fullHours, marksOf } from "../chart/layers";
import { IssuesContext } from "../IssuesContext";
import { Badge, strip } from "../list/IssueTable";
import { eventPath, issuePath, issuesPath, setupPath } from "../paths";
import { eventQuery, feedbackQuery, type Issue, type IssueEvent, issueQuery } from "../queries";
import { latestReleasesQuery } from "../releases/queries";
import { useReleaseCommit } from "../releases/useRelease";
import { releasedAt } from "../releases/words";
import { EventThreadPanel } from "../thread/EventThread";
import { issueGlyph, shortRelease, termsWords } from "../words";
import { Breadcrumbs } from "./Breadcrumbs";
import { Details, FeedbackList } from "./Details";
import { EventsTab } from "./EventsTab";
import { GroupingTab } from "./GroupingTab";
import { markdown } from "./markdown";
import { type IssueSearch, issueSearch } from "./search";
import { Side } from "./Side";
import { StackTrace } from "./StackTrace";
import { StateActions } from "./StateActions";

/** One issue: what, where, when, who, and what happened before. */
export function IssuePage() {
  const { team, issue: number, event = "recommended" } = useParams({ strict: false }) as { team: string; issue: string; event?: string };
  const issue = useSuspenseQuery(issueQuery(Number(number))).data;
  const shown = useQuery({ ...eventQuery(issue.id, event), placeholderData: keepPreviousData });
  const [search, setSearch] = useUrlState(issueSearch);
  usePage({
    title: `${issue.short_id} ${issue.title}`,
    status: issueGlyph(issue),
    crumbs: [{ label: "Issues", to: issuesPath(team) }, { label: issue.project.slug, to: setupPath(team, issue.project.slug) }, { label: issue.short_id }],
  });
  const here = issuePath(team, issue.id);
  const tab = (name?: IssueSearch["tab"]) => ({ to: here, search: name ? { tab: name } : {} });
  return (
    <>
      <IssuesContext team={team} project={issue.project.slug} />
      <div className="issues-head">
        <PageHeader
          status={issueGlyph(issue)}
          title={issue.title}
          meta={
            <span className="line">
              <Copyable text={issue.short_id} />
              <Badge issue={issue} />
            </span>
          }
          actions={
            <>
              <EventSteps team={team} issue={issue} found={shown.data} />
              <StateActions team={team} issue={issue} />
            </>
          }
          tabs={[
            { label: "Issue", ...tab() },
            { label: "Events", count: count(issue.events), ...tab("events") },
            { label: "Grouping", ...tab("grouping") },
            ...(issue.feedback > 0 ? [{ label: "Feedback", count: count(issue.feedback), ...tab("feedback") }] : []),
          ]}
          strip={{ bars: strip(issue.sparkline), label: "events, last 24 h" }}
        />
      </div>
      {search.tab === "events" && <EventsTab team={team} issue={issue.id} />}
      {search.tab === "grouping" && <GroupingTab team={team} issue={issue.id} />}
      {search.tab === "feedback" && <FeedbackTab issue={issue.id} />}
      {search.tab === "issue" && (
        <div className="issues-cols">
          <div className="issues-main">
            <FactLine issue={issue} />
            <Body team={team} shown={shown} issue={issue} search={search} setSearch={(change) => setSearch(change)} />
          </div>
          <Side team={team} issue={issue} found={shown.data} />
        </div>
      )}
    </>
  );
}

/** To the older and the newer event, and what is copied of the one that is shown. */
function EventSteps({ team, issue, found }: { team: string; issue: Issue; found?: IssueEvent }) {
  const navigate = useNavigate();
  const toast = useToast();
  const url = useSession().public_url;
  const go = (event: string | undefined) => event && void navigate({ to: eventPath(team, issue.id, event), search: true as never });
  const copy = async (what: string, text: string) => {
    toast({ text: (await copyText(text)) ? `${what} is copied` : "This browser refuses to copy" });
  };
  const asMarkdown = () => void copy("The issue", markdown(issue, found?.event, `${url}${found ? eventPath(team, issue.id, found.event.event_id) : issuePath(team, issue.id)}`));
  const asLink = () => void copy("The link", `${url}${found ? eventPath(team, issue.id, found.event.event_id) : issuePath(team, issue.id)}`);
  const asJson = () => void copy("The event", JSON.stringify(found?.event ?? {}, null, 2));
  const noOlder = !found?.previous && "This is the oldest event kept.";
  const noNewer = !found?.next && "This is the newest event.";
  const group = "This issue";
  useActions([
    { id: "event.older", label: "Older event", group, keys: "[", icon: ArrowLeft, refused: noOlder, run: () => go(found?.previous) },
    { id: "event.newer", label: "Newer event", group, keys: "]", icon: ArrowRight, refused: noNewer, run: () => go(found?.next) },
    { id: "event.first", label: "First event", group, run: () => go("first") },
    { id: "event.latest", label: "Latest event", group, run: () => go("latest") },
    { id: "issue.markdown", label: "Copy as Markdown", group, icon: Copy, run: asMarkdown },
    { id: "event.link", label: "Copy link to this event", group, icon: Link2, run: asLink },
    { id: "event.json", label: "Copy event JSON", group, icon: Braces, run: asJson },
  ]);
  return (
    <>
      <IconButton className="desk" icon={ArrowLeft} label="Older event" refused={noOlder} onClick={() => go(found?.previous)} />
      <IconButton className="desk" icon={ArrowRight} label="Newer event" refused={noNewer} onClick={() => go(found?.next)} />
      <Menu align="end" label="Event" trigger={<IconButton className="desk" icon={Ellipsis} label="Which event, and copies of it" />}>
        <MenuItem onSelect={() => void navigate({ to: issuePath(team, issue.id), search: true as never })}>Recommended event</MenuItem>
        <MenuItem onSelect={() => go("latest")}>Latest event</MenuItem>
        <MenuItem onSelect={() => go("first")}>First event</MenuItem>
        <MenuSeparator />
        <MenuItem icon={Link2} onSelect={asLink}>
          Copy link to this event
        </MenuItem>
        <MenuItem icon={Copy} onSelect={asMarkdown}>
          Copy as Markdown
        </MenuItem>
        <MenuItem icon={Braces} onSelect={asJson}>
          Copy event JSON
        </MenuItem>
      </Menu>
    </>
  );
}

function FactLine({ issue }: { issue: Issue }) {
  const how = termsWords(issue.terms);
  return (
    <>
      <dl className="issues-facts">
        <div>
          <dt className="micro">Events</dt>
          <dd>{count(issue.events)}</dd>
        </div>
        <div>
          <dt className="micro">Users</dt>
          <dd>{issue.users_estimated ? `~${count(issue.users)}` : count(issue.users)}</dd>
        </div>
        <div>
          <dt className="micro">First seen</dt>
          <dd>
            <RelativeTime at={issue.first_seen} /> <span className="meta" title={issue.releases.first}>{shortRelease(issue.releases.first)}</span>
          </dd>
        </div>
        <div>
          <dt className="micro">Last seen</dt>
          <dd>
            <RelativeTime at={issue.last_seen} /> <span className="meta" title={issue.releases.last}>{shortRelease(issue.releases.last)}</span>
          </dd>
        </div>
        {issue.culprit && (
          <div className="min-w-0">
            <dt className="micro">Where</dt>
            <dd className="clip mono" title={issue.culprit}>
              {issue.culprit}
            </dd>
          </div>
        )}
      </dl>
      {issue.state !== "unresolved" && (
        <div className="pt-4">
          <Notice>
            {issue.state === "resolved" ? "Resolved" : "Archived"} {how} {issue.state_by && `by ${issue.state_by}`} {issue.state_at && <RelativeTime at={issue.state_at} />}
          </Notice>
        </div>
      )}
    </>
  );
}

type BodyProps = { team: string; shown: { data?: IssueEvent; error: unknown; refetch: () => unknown }; issue: Issue; search: IssueSearch; setSearch: (change: Partial<IssueSearch>) => void };

function Body({ team, shown, issue, search, setSearch }: BodyProps) {
  const problem = shown.error ? asProblem(shown.error) : undefined;
  const gone = problem?.status === 404;
  const found = problem ? undefined : shown.data;
  const at = useReleaseCommit(team, issue.project.slug, found?.event.release);
  return (
    <>
      {gone && (
        <div className="pt-4">
          <Notice kind="warn">This event is not kept any more. The numbers of the issue stay.</Notice>
        </div>
      )}
      {problem && !gone && <ErrorState what="The event cannot be read" why={problem.message} requestId={problem.requestId} onRetry={() => void shown.refetch()} />}
      {!problem && !found && <SkeletonRows rows={8} />}
      {found && <StackTrace event={found.event} at={at} search={search} setSearch={setSearch} />}
      {found && <EventThreadPanel team={team} event={found.event.event_id} />}
      <When team={team} issue={issue} />
      {found && <Breadcrumbs event={found.event} search={search} setSearch={setSearch} />}
      {found && <Details team={team} found={found} />}
    </>
  );
}

function When({ team, issue }: { team: string; issue: Issue }) {
  const now = useNow(true, 60);
  const { hours, values } = fullHours(issue.histogram, now);
  const releases = useQuery(latestReleasesQuery(team, issue.project.slug)).data?.items ?? [];
  const marked = marksOf(releases.map((release) => ({ at: releasedAt(release), label: release.short_version })), hours);
  return <HourBars title="When" meta={marked.length > 0 ? "events per hour; dashed lines are releases" : "events per hour"} marks={marked} hours={hours} series={[{ label: "events", colour: "data", values }]} />;
}

function FeedbackTab({ issue }: { issue: number }) {
  const { data: found } = useQuery(feedbackQuery(issue));
  return <div className="pane max-w-[760px]">{found ? <FeedbackList feedback={found.feedback} /> : <SkeletonRows rows={3} />}</div>;
}
