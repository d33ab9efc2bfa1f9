import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Select } from "@/ui/Field";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState, ErrorState } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { deliveriesQuery, type Delivery, type Hook } from "../queries";
import type { HooksSearch } from "./search";
import { verdict } from "./verdict";

type Props = { team: string; hooks: Hook[]; search: HooksSearch; onSearch: (change: Partial<HooksSearch>, how?: { push?: boolean }) => void };

const states = [
  { value: "", label: "Every state" },
  { value: "waiting", label: "Waiting" },
  { value: "done", label: "Done" },
  { value: "failed", label: "Failed" },
  { value: "none", label: "Nothing to do" },
];

/** What has come from GitHub, and what each delivery caused. */
export function Deliveries({ team, hooks, search, onSearch }: Props) {
  const { hook, state, before } = search;
  const { data, error, refetch } = useQuery({ ...deliveriesQuery(team, { hook, state, before, limit: 20 }), placeholderData: keepPreviousData });
  const names = new Map(hooks.map(({ id, name }) => [id, name]));
  const choices = [{ value: "", label: "Every webhook" }, ...hooks.map(({ id, name }) => ({ value: id, label: name }))];
  const filtered = Boolean(hook || state || before);
  const problem = error ? asProblem(error) : undefined;
  return (
    <section aria-label="Deliveries">
      <div className="hooks-head section-head">
        <h2>Deliveries</h2>
        <span className="push line">
          <Select compact aria-label="Webhook" className="w-44" value={hook ?? ""} options={choices} onValue={(value) => onSearch({ hook: value || undefined, before: undefined })} />
          <Select compact aria-label="State" className="w-36" value={state ?? ""} options={states} onValue={(value) => onSearch({ state: (value || undefined) as HooksSearch["state"], before: undefined })} />
        </span>
      </div>
      {problem && <ErrorState what={problem.title} why={problem.detail} requestId={problem.requestId} onRetry={() => void refetch()} />}
      {data?.items.length === 0 && (
        <EmptyState headline={filtered ? "None like that" : "Waiting for the first delivery"} small actions={filtered && <Button onClick={() => onSearch({ hook: undefined, state: undefined, before: undefined })}>Show all</Button>}>
          {filtered ? "No delivery is in this state." : "GitHub sends a ping as soon as the address and the secret are entered there. It shows here by itself."}
        </EmptyState>
      )}
      {!problem && data?.items.length !== 0 && <Table label="Deliveries" rows={data?.items} rowKey={({ id }) => id} keyboard onOpen={(one) => onSearch({ delivery: one.id })} columns={columns(names)} />}
      <div className="pane line">
        {before && <Button onClick={() => onSearch({ before: undefined }, { push: true })}>Newest</Button>}
        {data?.next && <Button onClick={() => onSearch({ before: data.next }, { push: true })}>Older</Button>}
      </div>
    </section>
  );
}

function columns(names: Map<string, string>): Column<Delivery>[] {
  return [
    {
      key: "event",
      head: "Event",
      lead: true,
      width: 216,
      cell: (one) => (
        <Link className="title" to="." search={((now: Record<string, unknown>) => ({ ...now, delivery: one.id })) as never} data-keeps-focus>
          {one.event}
          {one.action && <span className="muted"> {one.action}</span>}
        </Link>
      ),
    },
    { key: "repository", head: "From", cell: (one) => <><span className="mono">{one.repository || "–"}</span> <span className="muted">{one.sender}</span></> },
    { key: "verdict", head: "Verdict", width: 240, cell: (one) => <Verdict one={one} /> },
    { key: "caused", head: "Caused", cell: (one) => <Caused one={one} /> },
    { key: "hook", head: "Webhook", width: 128, cell: (one) => names.get(one.hook) ?? "–" },
    { key: "at", head: "Received", width: 104, end: true, cell: (one) => <RelativeTime at={one.received_at} /> },
  ];
}

export function Verdict({ one }: { one: Delivery }) {
  const { status, word } = verdict(one);
  return <Status status={status} word={word} />;
}

export function Caused({ one }: { one: Delivery }) {
  const effects = one.caused ?? [];
  if (effects.length === 0) return <span className="muted">nothing</span>;
  return (
    <span className="caused">
      {effects.map((effect) => (
        <Link key={`${effect.kind}${effect.id}`} className="link" to={effect.url}>
          {effect.title}
        </Link>
      ))}
    </span>
  );
}
