import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { asProblem } from "@/api/problem";
import { count } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Select } from "@/ui/Field";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { memberLook, memberStates } from "../looks";
import { nodePath } from "../paths";
import { type Member, membersQuery } from "./queries";

type Search = { state?: string; batch: number; q?: string };
type Props = { id: string; team: string; counts: Record<string, number>; search: Search; onSearch: (change: { state?: string; batch?: number; q?: string }) => void };

/** The nodes of a rollout, each with how it stands in it. */
export function Members({ id, team, counts, search, onSearch }: Props) {
  const filter = { state: search.state ?? "", batch: search.batch > 0 ? search.batch - 1 : undefined, q: search.q ?? "" };
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(membersQuery(id, filter));
  const found = data?.pages.flatMap(({ items }) => items);
  const states = memberStates.filter((state) => counts[state]);
  const narrowed = Boolean(search.state || search.batch || search.q);
  return (
    <section aria-label="Nodes">
      <div className="section-head mb-2 flex-wrap">
        <h2>Nodes</h2>
        {search.batch > 0 && <span className="meta">batch {search.batch}</span>}
        {search.q && <span className="meta">{search.q}</span>}
        <span className="push line">
          <Select compact aria-label="State" value={filter.state} onValue={(state) => onSearch({ state: state || undefined })} options={[{ value: "", label: "every state" }, ...states.map((state) => ({ value: state, label: `${memberLook(state).word} (${count(counts[state] ?? 0)})` }))]} />
          {narrowed && <Button onClick={() => onSearch({ state: undefined, batch: undefined, q: undefined })}>All</Button>}
        </span>
      </div>
      {error && <Notice kind="bad">{asProblem(error).message}</Notice>}
      {(found || !error) && <Table label="Nodes" compact columns={columns(team)} rows={found} rowKey={({ node }) => node} />}
      {found?.length === 0 && <p className="muted">No node fits.</p>}
      {hasNextPage && (
        <p className="line pt-2">
          <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            More
          </Button>
          <span className="meta">the first {count(found?.length ?? 0)}</span>
        </p>
      )}
    </section>
  );
}

const columns = (team: string): Column<Member>[] => [
  {
    key: "name",
    head: "Node",
    lead: true,
    width: "24%",
    cell: ({ node, name }) => (
      <Link className="title" title={name} to={nodePath(team, node)}>
        {name}
      </Link>
    ),
  },
  {
    key: "state",
    head: "State",
    width: 120,
    cell: ({ state }) => {
      const { status, word } = memberLook(state);
      return <Status status={status} word={word} />;
    },
  },
  { key: "site", head: "Site", said: "at", width: "14%", cell: ({ site }) => <span title={site}>{site}</span> },
  { key: "batch", head: "Batch", said: "batch", width: 64, number: true, cell: ({ batch }) => (batch < 0 ? "–" : batch + 1) },
  { key: "why", head: "Why", cell: ({ reason, state, agent_state: agent }) => <span title={reason}>{reason || <span className="muted">{agent === state ? "" : agent}</span>}</span> },
  { key: "changed", head: "Since", said: "since", width: 88, cell: ({ changed_at: at }) => (at ? <RelativeTime at={at} /> : "–") },
];
