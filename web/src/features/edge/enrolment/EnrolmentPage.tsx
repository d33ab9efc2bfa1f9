import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Tick } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState, Notice } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { Fingerprint } from "../Fingerprint";
import { EdgeFrame } from "../EdgeFrame";
import { change } from "../shell/commands";
import { FromShell } from "../shell/FromShell";
import { type Node, nodesQuery, pendingMost, pendingOnes, tokensQuery } from "../queries";
import { useFirst } from "../useFirst";
import { labelsText } from "./commands";
import { ExpectedMachines } from "./ExpectedMachines";
import { NewToken } from "./NewToken";
import { Tokens } from "./Tokens";

/** Who asks to be let in, and the tokens by which they may ask. */
export function EnrolmentPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const tokens = useSuspenseQuery(tokensQuery(team)).data.items;
  const { data: pending, error } = useQuery(nodesQuery(team, pendingOnes, pendingMost));
  const refused = refusal(useSession(), team, "member");
  return (
    <EdgeFrame team={team} title="Enrolment" meta={pending?.total ? `${plural(pending.total, "machine")} to decide about` : "nobody waits"}>
      {error && !pending ? (
        <div className="pane">
          <Notice kind="bad">Who waits cannot be listed: {asProblem(error).message}</Notice>
        </div>
      ) : (
        <Pending team={team} nodes={pending?.items} refused={refused} />
      )}
      <NewToken team={team} refused={refused} />
      <ExpectedMachines team={team} refused={refused} />
      <Tokens team={team} tokens={tokens} refused={refused} />
      <FromShell command={(url) => change(url, "POST", "tokens", { team, name: "rack 4", site: "oslo", labels: { role: "edge-node" }, max_uses: 10, hours: 24 })} />
    </EdgeFrame>
  );
}

type PendingProps = { team: string; nodes: Node[] | undefined; refused: string | false };

/** Machines that showed a token and wait until a person has compared their fingerprint. */
function Pending({ team, nodes, refused }: PendingProps) {
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  const [rejecting, setRejecting] = useState(false);
  const chosen = (nodes ?? []).filter(({ id }) => marked.has(id));
  const { shown, more } = useFirst(nodes);
  const client = useQueryClient();
  const toast = useToast();
  const decide = useTask({
    run: (decision: "accept" | "reject") => data(api.POST("/api/v1/edge/decisions", { body: { team, decision, nodes: chosen.map(({ id }) => id) } })),
    failed: "Nothing was decided.",
    onDone: ({ items }, decision) => {
      setRejecting(false);
      const failed = items.filter(({ done }) => !done);
      setMarked(new Set(failed.map(({ node }) => node)));
      toast(failed.length > 0 ? { text: `${plural(failed.length, "machine")}: ${failed[0]?.problem ?? "not done"}`, kind: "bad" } : { text: `${plural(items.length, "machine")} ${decision}ed` });
      void client.invalidateQueries({ queryKey: ["edge"] });
    },
  });
  const none = chosen.length === 0 && "Mark machines first.";
  if (nodes?.length === 0) {
    return (
      <EmptyState small headline="Nobody waits to be let in">
        A machine that shows a token below stands here with the fingerprint of its key, until somebody who can see the machine has compared it. The agent says its own when it enrols, and again with signalbox-agent status.
      </EmptyState>
    );
  }
  return (
    <section className="edge-part" aria-label="To decide about">
      <div className="line flex-wrap mb-2">
        <Tick checked={nodes !== undefined && chosen.length === nodes.length} onChange={({ target }) => setMarked(new Set(target.checked ? nodes?.map(({ id }) => id) : []))}>
          All
        </Tick>
        <Button kind="primary" busy={decide.busy} refused={refused || none} onClick={() => void decide.start("accept")}>
          {chosen.length > 1 ? `Accept ${chosen.length}` : "Accept"}
        </Button>
        <Button kind="danger" refused={refused || none} onClick={() => setRejecting(true)}>
          {chosen.length > 1 ? `Reject ${chosen.length}` : "Reject"}
        </Button>
        <span className="meta">compare each fingerprint with what the machine says of itself</span>
      </div>
      <Table label="Machines that wait" columns={columns(marked, setMarked)} rows={shown} rowKey={({ id }) => id} selected={marked} onSelect={setMarked} keyboard />
      {more}
      <Confirm open={rejecting && chosen.length > 0} onClose={() => setRejecting(false)} onConfirm={() => void decide.start("reject")} busy={decide.busy} title={chosen.length === 1 ? `Reject ${chosen[0]?.name ?? ""}?` : `Reject ${plural(chosen.length, "machine")}?`} act="Reject">
        {chosen.length === 1 ? "Its key is" : "Their keys are"} never believed then; {chosen.length === 1 ? "it" : "they"} can come back only by enrolling anew with another key.
      </Confirm>
    </section>
  );
}

const columns = (marked: ReadonlySet<string>, setMarked: (marked: Set<string>) => void): Column<Node>[] => [
  {
    key: "name",
    head: "Machine",
    lead: true,
    width: "26%",
    sort: (a, b) => a.name.localeCompare(b.name),
    cell: ({ id, name, site }) => (
      <Tick
        checked={marked.has(id)}
        onChange={({ target }) => {
          const next = new Set(marked);
          if (target.checked) next.add(id);
          else next.delete(id);
          setMarked(next);
        }}
      >
        <span title={`${name} ${site}`}>
          <b>{name}</b> <span className="muted">{site}</span>
        </span>
      </Tick>
    ),
  },
  { key: "print", head: "Fingerprint", said: "fingerprint", cell: ({ fingerprint }) => <Fingerprint of={fingerprint} /> },
  { key: "system", head: "System", said: "runs", width: 148, cell: ({ variant }) => variant },
  { key: "from", head: "From", said: "from", width: 112, cell: ({ address }) => address },
  { key: "labels", head: "Labels", width: 150, cell: ({ labels }) => (labelsText(labels) ? <span title={labelsText(labels)}>{labelsText(labels)}</span> : <span className="muted">none</span>) },
  { key: "at", head: "Asked", said: "asked", width: 96, sort: (a, b) => Date.parse(a.enrolled_at) - Date.parse(b.enrolled_at), cell: ({ enrolled_at: at }) => <RelativeTime at={at} /> },
];
