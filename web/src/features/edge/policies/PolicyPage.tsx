import "../edge.css";
import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Rocket } from "lucide-react";
import { useState } from "react";
import { api, data, done } from "@/api/client";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { localTime } from "@/format/time";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { usePage, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { EdgeContext } from "../EdgeContext";
import { rolloutLook } from "../looks";
import { fleetPath, policiesPath, rolloutPath } from "../paths";
import { StartRollout } from "../rollouts/StartRollout";
import { call, change } from "../shell/commands";
import { FromShell } from "../shell/FromShell";
import { PolicyText } from "./PolicyText";
import { type Policy, policyQuery, revisionsQuery } from "./queries";
import { Simulation } from "./Simulation";

/** One policy: its text, what it would do, and who changed it. */
export function PolicyPage() {
  const { team, policy: id } = useParams({ strict: false }) as { team: string; policy: string };
  const policy = useSuspenseQuery(policyQuery(id)).data;
  usePage({ title: policy.name, crumbs: [{ label: "Edge", to: fleetPath(team) }, { label: "Policies", to: policiesPath(team) }, { label: policy.name }] });
  return (
    <>
      <EdgeContext team={team} />
      <Editor key={id} team={team} policy={policy} />
    </>
  );
}

function Editor({ team, policy }: { team: string; policy: Policy }) {
  const [text, setText] = useState(policy.text);
  // What was edited: somebody else may save meanwhile, and then the server refuses ours.
  const [based, setBased] = useState(policy.revision);
  const [asked, setAsked] = useState<"start" | "delete">();
  const refused = refusal(useSession(), team, "member");
  const fromGit = policy.source !== null && `It comes from ${policy.source.repository}; change it there.`;
  const client = useQueryClient();
  const toast = useToast();
  const navigate = useNavigate();
  const save = useTask({
    run: () => data(api.PUT("/api/v1/edge/policies/{policy}", { params: { path: { policy: policy.id } }, body: { text, revision: based } })),
    onDone: (saved) => {
      setBased(saved.revision);
      client.setQueryData(policyQuery(policy.id).queryKey, saved);
      void client.invalidateQueries({ queryKey: ["edge", "policy", policy.id, "revisions"] });
      toast({ text: `Revision ${saved.revision} is saved` });
    },
  });
  const remove = useTask({ run: () => done(api.DELETE("/api/v1/edge/policies/{policy}", { params: { path: { policy: policy.id } } })), failed: "The policy is still there.", onDone: () => void navigate({ to: policiesPath(team) }) });
  const close = () => setAsked(undefined);
  return (
    <>
      <PageHeader
        title={policy.name}
        meta={<>revision {policy.revision} by {policy.changed_by} <RelativeTime at={policy.changed_at} /></>}
        actions={
          <>
            <Button kind="danger" refused={refused || fromGit} onClick={() => setAsked("delete")}>
              Delete
            </Button>
            <Button icon={Rocket} refused={refused || (text !== policy.text && "Save it first.")} onClick={() => setAsked("start")}>
              Roll out
            </Button>
            <Button kind="primary" busy={save.busy} refused={refused || fromGit || (text === policy.text && "Nothing is changed.")} onClick={() => void save.start()}>
              Save
            </Button>
          </>
        }
      />
      <div className="edge-cols">
        <div>
          <section aria-label="Text">
            {save.error !== null && <Notice kind="bad">{asProblem(save.error).message}</Notice>}
            {based !== policy.revision && (
              <Notice kind="warn" actions={<Button size="small" onClick={() => { setText(policy.text); setBased(policy.revision); }}>Take theirs</Button>}>
                Somebody saved revision {policy.revision} meanwhile; yours is based on {based}.
              </Notice>
            )}
            {policy.problem && <Notice kind="bad">{policy.problem}</Notice>}
            {fromGit && <Notice>{fromGit}</Notice>}
            <PolicyText team={team} text={text} onText={setText} readOnly={Boolean(refused || fromGit)} />
          </section>
          <FromShell command={(url) => `${call(url, `policies/${policy.id}`)}\n${change(url, "POST", "policies/dry-run", { team, policy: policy.id })}`} />
        </div>
        <aside aria-label="What it does">
          <Simulation team={team} text={text} />
          <Windows team={team} policy={policy} />
          <Revisions id={policy.id} onTake={setText} />
        </aside>
      </div>
      {asked === "start" && <StartRollout team={team} policies={[policy]} policy={policy.id} onClose={close} />}
      <Confirm open={asked === "delete"} onClose={close} onConfirm={() => void remove.start()} busy={remove.busy} title={`Delete ${policy.name}?`} act="Delete">
        Rollouts that it began stay, with the text as it was.
      </Confirm>
    </>
  );
}

function Windows({ team, policy }: { team: string; policy: Policy }) {
  return (
    <section className="grid gap-1" aria-label="When">
      <h2>When</h2>
      {policy.windows.length === 0 && <p className="muted">At any time.</p>}
      {policy.windows.slice(0, 4).map(({ from, to }) => (
        <p key={from} className="meta num">
          {localTime(from).slice(0, 16)} to {localTime(to).slice(11, 16)}
        </p>
      ))}
      {policy.rollout && (
        <p className="pt-2">
          <Link to={rolloutPath(team, policy.rollout.id)}>Rollout #{policy.rollout.number}</Link> <span className="muted">{rolloutLook(policy.rollout.state).word}</span>
        </p>
      )}
    </section>
  );
}

function Revisions({ id, onTake }: { id: string; onTake: (text: string) => void }) {
  const items = useQuery(revisionsQuery(id)).data?.items ?? [];
  return (
    <section aria-label="Revisions">
      <h2>Revisions</h2>
      <ol className="grid gap-1">
        {items.map(({ revision, text, commit, reason, changed_by: by, changed_at: at }) => (
          <li key={revision} className="line">
            <span className="min-w-0">
              <b>{revision}</b> {by} <RelativeTime at={at} /> <span className="meta">{commit ? commit.slice(0, 7) : reason}</span>
            </span>
            <span className="push">
              <Button size="small" onClick={() => onTake(text)} aria-label={`Take the text of revision ${revision}`}>
                Take
              </Button>
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
