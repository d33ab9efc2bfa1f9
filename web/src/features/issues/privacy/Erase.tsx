import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { count, plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Progress } from "@/ui/facts";
import { Field, Input, Select, Tick } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import type { Status as StatusName } from "@/ui/status";
import { Status } from "@/ui/StatusGlyph";
import type { Project } from "../queries";
import { found, share } from "./change";
import { type Erasure, erasuresQuery } from "./queries";

type By = "email" | "id" | "username" | "ip_address";
const bys: { value: By; label: string }[] = [
  { value: "email", label: "mail address" },
  { value: "id", label: "id" },
  { value: "username", label: "user name" },
  { value: "ip_address", label: "IP address" },
];

/** Forgets a person: in events, tags, reports, notes and attachments, in the background. */
export function Erase({ team, project }: { team: string; project: Project }) {
  const [by, setBy] = useState<By>("email");
  const [who, setWho] = useState("");
  const [mode, setMode] = useState<"rewrite" | "delete">("rewrite");
  const [asking, setAsking] = useState(false);
  const refused = refusal(useSession(), team, "member");
  const client = useQueryClient();
  const list = useQuery(erasuresQuery(team, project.slug)).data?.items ?? [];
  const start = useTask({
    run: () => data(api.POST("/api/v1/issues/projects/{id}/erase", { params: { path: { id: project.id } }, body: { user: { [by]: who.trim() }, mode } })),
    onDone: () => {
      setWho("");
      setAsking(false);
      void client.invalidateQueries({ queryKey: erasuresQuery(team, project.slug).queryKey });
    },
  });
  const problem = start.error ? asProblem(start.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (who.trim()) setAsking(true);
  };
  return (
    <>
      <form className="grid gap-3" onSubmit={submit}>
        {problem && <Notice kind="bad">{problem.message}</Notice>}
        <div className="issues-form-line">
          <Field label="Known by">
            <Select value={by} options={bys} onValue={(next) => setBy(next as By)} />
          </Field>
          <Field label="Who" className="issues-grow">
            <Input mono value={who} placeholder={by === "email" ? "ann@example.com" : by === "ip_address" ? "203.0.113.9" : ""} onChange={(event) => setWho(event.target.value)} autoComplete="off" spellCheck={false} />
          </Field>
        </div>
        <div className="grid gap-1" role="radiogroup" aria-label="Their events">
          <Tick kind="radio" name="mode" checked={mode === "rewrite"} onChange={() => setMode("rewrite")}>
            their events stay, without them
          </Tick>
          <Tick kind="radio" name="mode" checked={mode === "delete"} onChange={() => setMode("delete")}>
            their events go
          </Tick>
        </div>
        <span>
          <Button kind="danger" type="submit" refused={refused || (!who.trim() && "Say who first.")}>
            Erase…
          </Button>
        </span>
      </form>
      {list.length > 0 && (
        <ul className="rows issues-erasures mt-3">
          {list.map((one) => (
            <li key={one.id}>
              <OneErasure erasure={one} />
            </li>
          ))}
        </ul>
      )}
      <Confirm open={asking} onClose={() => setAsking(false)} onConfirm={() => void start.start()} busy={start.busy} typed={who.trim()} title={`Erase ${who.trim()} from ${project.name}?`} act="Erase for good">
        Every event kept is looked at. {mode === "delete" ? "Events of this user are deleted" : "What tells who it was is taken out of their events"}; attachments, reports and notes that name them go. It cannot be undone.
      </Confirm>
    </>
  );
}

const glyphs: Record<Erasure["state"], [StatusName, string]> = { waiting: ["pending", "waiting"], running: ["running", "running"], done: ["succeeded", "done"], failed: ["failed", "failed"] };

function OneErasure({ erasure }: { erasure: Erasure }) {
  const { label, state, counts, error, created_by: by, created_at: at } = erasure;
  const [status, word] = glyphs[state];
  const ended = state === "done" || state === "failed";
  return (
    <>
      <span className="line">
        <Status status={status} word={word} />
        <code className="clip">{label}</code>
        <span className="meta push">
          {by}, <RelativeTime at={at} />
        </span>
      </span>
      {!ended && <Progress value={share(counts, ended)} label={`Looked at ${count(counts.scanned)} of ${plural(counts.total, "event")}`} />}
      <span className="meta">
        {found(counts)} {ended ? `in ${plural(counts.total, "event")}` : `so far, ${count(counts.scanned)} of ${plural(counts.total, "event")} looked at`}
      </span>
      {error && <span className="meta issues-bad">{error}</span>}
    </>
  );
}
