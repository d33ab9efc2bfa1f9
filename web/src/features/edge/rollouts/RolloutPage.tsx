import "../edge.css";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { plural } from "@/format/bytes";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { numberOr, params, text } from "@/ui/schema";
import { Notice } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { EdgeContext } from "../EdgeContext";
import { memberLook, rolloutLook } from "../looks";
import { bundlePath, fleetPath, policyPath, rolloutPath, rolloutsPath } from "../paths";
import { call, change } from "../shell/commands";
import { FromShell } from "../shell/FromShell";
import { Batches, StopLine } from "./Batches";
import { Approvals, RolloutActs } from "./Acts";
import { Members } from "./Members";
import { type Rollout, rolloutEventsQuery, rolloutQuery } from "./queries";
import { rateWords } from "./state";

export const rolloutSearch = params({ state: text(40), batch: numberOr(0), q: text(200) });

/** A bundle on its way: how far it is, what went wrong, and how to stop it. */
export function RolloutPage() {
  const { team, rollout: id } = useParams({ strict: false }) as { team: string; rollout: string };
  const rollout = useSuspenseQuery(rolloutQuery(id)).data;
  const [search, setSearch] = useUrlState(rolloutSearch);
  const { status, word } = rolloutLook(rollout.state);
  const name = `#${rollout.number} ${rollout.bundle}`;
  usePage({ title: name, status, crumbs: [{ label: "Edge", to: fleetPath(team) }, { label: "Rollouts", to: rolloutsPath(team) }, { label: name }] });
  return (
    <>
      <EdgeContext team={team} />
      <PageHeader
        title={name}
        status={status}
        meta={[word, plural(rollout.total, "node"), rateWords(rollout)].filter(Boolean).join(" · ")}
        actions={<RolloutActs team={team} rollout={rollout} />}
      />
      <div className="edge-cols first">
        <div>
          <Summary team={team} rollout={rollout} />
          <Members id={id} team={team} counts={rollout.counts} search={search} onSearch={setSearch} />
          <FromShell command={(url) => shellOf(url, rollout)} />
        </div>
        <aside aria-label="How far it is">
          <Approvals rollout={rollout} />
          <Batches rollout={rollout} onBatch={(batch) => setSearch({ batch: search.batch === batch + 1 ? undefined : batch + 1 })} />
          <StopLine threshold={rollout.threshold} />
          <Reasons team={team} rollout={rollout} />
          <Times rollout={rollout} />
          <History id={id} />
        </aside>
      </div>
    </>
  );
}

/** The call that matters most as the rollout stands. */
function shellOf(url: string, { id, state }: Rollout): string {
  const verb = { running: "pause", paused: "resume", "awaiting-approval": "approve" }[state as string];
  return verb ? change(url, "POST", `rollouts/${id}/${verb}`, { reason: "why" }) : call(url, `rollouts/${id}`);
}

function Summary({ team, rollout }: { team: string; rollout: Rollout }) {
  return (
    <section className="grid gap-2" aria-label="What it does">
      {rollout.state === "paused" && rollout.reason && <Notice kind="warn">Paused: {rollout.reason}</Notice>}
      {rollout.waits && <Notice>Waits: {rollout.waits}</Notice>}
      <p>{rollout.sentence}</p>
      <p className="meta">
        bundle <Link className="link underline" to={bundlePath(team, rollout.bundle)}>{rollout.bundle}</Link> by policy <Link className="link underline" to={policyPath(team, rollout.policy_id)}>{rollout.policy}</Link>, revision {rollout.revision}; begun by {rollout.created_by}
        {rollout.created_at && (
          <>
            {" "}
            <RelativeTime at={rollout.created_at} />
          </>
        )}
        {rollout.reason && rollout.state !== "paused" && `: ${rollout.reason}`}
      </p>
    </section>
  );
}

function Reasons({ team, rollout }: { team: string; rollout: Rollout }) {
  if (rollout.failure_groups.length === 0) return null;
  return (
    <section aria-label="Why nodes failed">
      <h2>Why {plural(rollout.failures, "node")} failed</h2>
      <div className="edge-reasons">
        {rollout.failure_groups.map(({ state, exit, reason, count, example }) => (
          <Link key={`${state} ${exit ?? ""} ${reason}`} to={rolloutPath(team, rollout.id)} search={{ state, q: count === 1 ? example : undefined } as never}>
            <b className="num">{count}</b>
            <span className="clip" title={reason}>
              {memberLook(state).word}
              {reason && `: ${reason}`}
            </span>
            <span className="meta">{exit === null ? "no report" : `exit ${exit}`}</span>
          </Link>
        ))}
      </div>
    </section>
  );
}

function Times({ rollout }: { rollout: Rollout }) {
  const next = rollout.windows[0];
  return (
    <section className="grid gap-1 meta" aria-label="Times">
      {rollout.next_at && <p>goes on by itself <RelativeTime at={rollout.next_at} /></p>}
      {next && <p>next window <RelativeTime at={next.from} /></p>}
      {rollout.deadline && <p>ends at the latest <RelativeTime at={rollout.deadline} /></p>}
      {rollout.ended_at && <p>ended <RelativeTime at={rollout.ended_at} /></p>}
    </section>
  );
}

const eventWords = { created: "begun", state: "", batch: "next batch", approval: "approved", proceed: "next batch asked for" };

function History({ id }: { id: string }) {
  const events = useQuery(rolloutEventsQuery(id)).data?.items ?? [];
  return (
    <section aria-label="History">
      <h2>History</h2>
      <ol className="edge-events narrow">
        {events.map(({ id: number, at, kind, state, actor, reason }) => (
          <li key={number}>
            <span className="meta">
              <RelativeTime at={at} />
            </span>
            <p>
              <b>{kind === "state" ? rolloutLook(state).word : eventWords[kind]}</b> <span className="muted">{actor ? `by ${actor}` : "by itself"}</span> {reason}
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}
