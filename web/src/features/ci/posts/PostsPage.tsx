import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Repeat } from "lucide-react";
import { api, done } from "@/api/client";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { Copyable } from "@/ui/CopyButton";
import { Select } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState, ErrorState } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { useUrlState } from "@/ui/useUrlState";
import { GitHubHead } from "../hooks/GitHubHead";
import { type Post, type PostFilter, postsQuery } from "./queries";
import { postsSearch } from "./search";
import { kindWords, standing } from "./words";

const states = [
  { value: "", label: "Every state" },
  { value: "waiting", label: "Waiting" },
  { value: "retrying", label: "Tried again" },
  { value: "posted", label: "Shown at GitHub" },
  { value: "failed", label: "Given up" },
];
const kinds = [{ value: "", label: "Every kind" }, ...Object.entries(kindWords).map(([value, label]) => ({ value, label }))];

/** What this server writes at GitHub, and what of it GitHub did not take. */
export function PostsPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const [{ state, kind }, setSearch] = useUrlState(postsSearch);
  const { data, error, refetch } = useQuery({ ...postsQuery(team, { state, kind, limit: 100 }), placeholderData: keepPreviousData });
  const client = useQueryClient();
  const toast = useToast();
  const refused = refusal(useSession(), team, "member");
  const retry = useTask({
    run: (post: Post) => done(api.POST("/api/v1/ci/posts/retry", { body: { kind: post.kind, id: post.id } })),
    failed: "It stays given up.",
    onDone: (_, post) => {
      toast({ text: `${kindWords[post.kind]} ${post.subject} is written again` });
      void client.invalidateQueries({ queryKey: ["ci", "posts", team] });
    },
  });
  const problem = error ? asProblem(error) : undefined;
  return (
    <>
      <GitHubHead team={team} title="Outbox" meta="statuses, checks and comments that GitHub should show" />
      <div className="hooks-bar">
        <Select compact aria-label="State" className="w-44" value={state ?? ""} options={states} onValue={(value) => setSearch({ state: (value || undefined) as PostFilter["state"] })} />
        <Select compact aria-label="Kind" className="w-40" value={kind ?? ""} options={kinds} onValue={(value) => setSearch({ kind: (value || undefined) as PostFilter["kind"] })} />
      </div>
      {problem && <ErrorState what={problem.title} why={problem.detail} requestId={problem.requestId} onRetry={() => void refetch()} />}
      {data?.items.length === 0 &&
        (state || kind ? (
          <EmptyState headline="None like that" small actions={<Button onClick={() => setSearch({ state: undefined, kind: undefined })}>Show all</Button>}>
            {state === "failed" ? "GitHub took everything that was written." : "Nothing fits these filters."}
          </EmptyState>
        ) : (
          <EmptyState headline="Nothing was written at GitHub yet" waiting="Waiting for the first build of a commit.">
            Each build of a commit shows there with a link back to its log: as a commit status with a token, as a check run with a GitHub App. What GitHub does not take is tried again for hours.
          </EmptyState>
        ))}
      {!problem && data?.items.length !== 0 && <Table label="Outbox" rows={data?.items} rowKey={({ kind: of, id }) => `${of} ${id}`} columns={columns(refused, retry.busy, (post) => void retry.start(post))} keyboard />}
    </>
  );
}

function columns(refused: string | false, busy: boolean, onRetry: (post: Post) => void): Column<Post>[] {
  return [
    { key: "subject", head: "What", lead: true, width: "24%", cell: (post) => <span className="title clip" title={post.subject}>{post.subject}</span> },
    { key: "kind", head: "Kind", width: 120, cell: (post) => kindWords[post.kind] },
    { key: "repository", head: "Repository", width: "18%", cell: (post) => <span className="mono clip" title={post.repository}>{post.repository}</span> },
    { key: "at", head: "At", width: 112, cell: (post) => (post.sha ? <Copyable text={post.sha}>{post.sha.slice(0, 8)}</Copyable> : `#${post.number ?? 0}`) },
    { key: "state", head: "State", cell: (post) => <Status {...standing(post)} /> },
    { key: "updated", head: "Changed", width: 104, cell: (post) => <RelativeTime at={post.updated_at} /> },
    {
      key: "acts",
      head: <span className="sr">Actions</span>,
      width: 96,
      end: true,
      cell: (post) =>
        post.state === "failed" ? (
          <Button size="small" icon={Repeat} refused={refused} busy={busy} aria-label={`Try ${post.subject} again`} onClick={() => onRetry(post)}>
            Retry
          </Button>
        ) : null,
    },
  ];
}
