import { useQueryClient } from "@tanstack/react-query";
import { FastForward, Pause, Play } from "lucide-react";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { refusal, useSession } from "@/api/session";
import { asProblem } from "@/api/problem";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input } from "@/ui/Field";
import { useActions } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { type Rollout, rolloutQuery } from "./queries";
import { refusedVerb, touched, type Verb } from "./state";

function useVerb(rollout: Rollout, onDone?: () => void) {
  const client = useQueryClient();
  return useTask({
    run: (verb: Verb, reason: string) => {
      const init = { params: { path: { rollout: rollout.id } }, body: { reason } };
      switch (verb) {
        case "pause":
          return data(api.POST("/api/v1/edge/rollouts/{rollout}/pause", init));
        case "resume":
          return data(api.POST("/api/v1/edge/rollouts/{rollout}/resume", init));
        case "proceed":
          return data(api.POST("/api/v1/edge/rollouts/{rollout}/proceed", init));
        case "abort":
          return data(api.POST("/api/v1/edge/rollouts/{rollout}/abort", init));
        case "rollback":
          return data(api.POST("/api/v1/edge/rollouts/{rollout}/rollback", init));
        case "approve":
          return data(api.POST("/api/v1/edge/rollouts/{rollout}/approve", init));
        default:
          return data(api.POST("/api/v1/edge/rollouts/{rollout}/reject", init));
      }
    },
    onDone: (changed) => {
      client.setQueryData(rolloutQuery(rollout.id).queryKey, changed);
      void client.invalidateQueries({ queryKey: ["edge", "rollout", rollout.id] });
      void client.invalidateQueries({ queryKey: ["edge", "rollouts"] });
      onDone?.();
    },
  });
}

/** What can be done to a rollout. All of it is always there; what cannot be done now says why. */
export function RolloutActs({ team, rollout }: { team: string; rollout: Rollout }) {
  const [asked, setAsked] = useState<Verb>();
  const refused = refusal(useSession(), team, "member");
  const no = (verb: Verb) => refused || refusedVerb(verb, rollout);
  useActions([
    { id: "edge.rollout.pause", label: "Pause the rollout", group: "This page", keys: "p", refused: no("pause"), run: () => setAsked("pause") },
    { id: "edge.rollout.resume", label: "Resume the rollout", group: "This page", keys: "r", refused: no("resume"), run: () => setAsked("resume") },
    { id: "edge.rollout.proceed", label: "Open the next batch now", group: "This page", keys: "n", refused: no("proceed"), run: () => setAsked("proceed") },
    { id: "edge.rollout.abort", label: "Abort the rollout", group: "This page", refused: no("abort"), run: () => setAsked("abort") },
    { id: "edge.rollout.rollback", label: "Roll the rollout back", group: "This page", refused: no("rollback"), run: () => setAsked("rollback") },
  ]);
  return (
    <>
      {rollout.state === "paused" ? (
        <Button kind="primary" icon={Play} refused={no("resume")} tip="r" onClick={() => setAsked("resume")}>
          Resume
        </Button>
      ) : (
        <Button icon={Pause} refused={no("pause")} tip="p" onClick={() => setAsked("pause")}>
          Pause
        </Button>
      )}
      <Button icon={FastForward} refused={no("proceed")} tip="n" onClick={() => setAsked("proceed")}>
        Next batch
      </Button>
      <Button refused={no("abort")} onClick={() => setAsked("abort")}>
        Abort
      </Button>
      <Button kind="danger" refused={no("rollback")} onClick={() => setAsked("rollback")}>
        Roll back
      </Button>
      {asked && <Reason verb={asked} rollout={rollout} onClose={() => setAsked(undefined)} />}
    </>
  );
}

const titles: Record<Verb, string> = { pause: "Pause", resume: "Resume", proceed: "Open the next batch now", abort: "Abort", rollback: "Roll back", approve: "Approve", reject: "Reject" };

function effect(verb: Verb, { counts }: Rollout): string {
  switch (verb) {
    case "pause":
      return "No further node gets the bundle until somebody resumes it. Nodes that are at it finish.";
    case "resume":
      return `It goes on with ${plural(counts.waiting ?? 0, "node")} that wait; failures are counted anew.`;
    case "abort":
      return `${plural(counts.waiting ?? 0, "node")} that wait get nothing. What is installed stays. It cannot be resumed.`;
    case "rollback":
      return `Rolls back ${plural(touched(counts), "node")}: they get what they had before.`;
    case "reject":
      return "It does not begin.";
    case "proceed":
      return "The next batch begins as soon as this one is closed, without the rest of its soak or delay. The stop line holds all the same.";
    default:
      return "It goes on at once.";
  }
}

function Reason({ verb, rollout, onClose }: { verb: Verb; rollout: Rollout; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const act = useVerb(rollout, onClose);
  const needed = !["approve", "resume", "proceed"].includes(verb);
  const missing = needed && reason.trim() === "" && "Say why first.";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!missing) void act.start(verb, reason.trim());
  };
  return (
    <Dialog open onClose={onClose} title={`${titles[verb]}: rollout #${rollout.number}?`} description={effect(verb, rollout)} onSubmit={submit}>
      {act.error !== null && <Notice kind="bad">{asProblem(act.error).message}</Notice>}
      <Field label={needed ? "Why" : "Why (may be left out)"} hint="Stands in the history.">
        <Input value={reason} onChange={({ target }) => setReason(target.value)} autoFocus />
      </Field>
      <DialogButtons>
        <Button kind={verb === "rollback" || verb === "abort" || verb === "reject" ? "danger" : "primary"} type="submit" busy={act.busy} refused={missing}>
          {titles[verb]}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </Dialog>
  );
}

/** Who has approved, when and with which words; while it waits for more, the buttons for who has not. */
export function Approvals({ rollout }: { rollout: Rollout }) {
  const { required, given, mine, may } = rollout.approval;
  const [rejecting, setRejecting] = useState(false);
  const approve = useVerb(rollout);
  if (required === 0 && given.length === 0) return null;
  const waits = rollout.state === "awaiting-approval";
  const refused = !may && (mine ? "You have approved it." : "Somebody else must approve: you began it, or may not change the fleet.");
  return (
    <section className={waits ? "edge-gate" : "grid gap-2"} aria-label="Approval">
      <h2>
        {given.length} of {required} approved
      </h2>
      <ul className="grid gap-1">
        {given.map(({ name, comment, at }) => (
          <li key={name} className="line flex-wrap">
            <StatusGlyph status="succeeded" />
            <b>{name}</b> <span className="muted">{at && <RelativeTime at={at} />}</span> {comment}
          </li>
        ))}
      </ul>
      {approve.error !== null && <Notice kind="bad">{asProblem(approve.error).message}</Notice>}
      {waits && (
        <p className="line">
          <Button kind="primary" busy={approve.busy} refused={refused} onClick={() => void approve.start("approve", "")}>
            Approve
          </Button>
          <Button refused={!may && refused} onClick={() => setRejecting(true)}>
            Reject
          </Button>
        </p>
      )}
      {rejecting && <Reason verb="reject" rollout={rollout} onClose={() => setRejecting(false)} />}
    </section>
  );
}
