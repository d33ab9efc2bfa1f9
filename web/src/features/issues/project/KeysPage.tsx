import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Gauge, KeyRound, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data, done } from "@/api/client";
import { Button, IconButton } from "@/ui/Button";
import { Copyable } from "@/ui/CopyButton";
import { Confirm, Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Switch } from "@/ui/Field";
import { useActions, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { useMemberRefusal } from "../acts";
import { keysQuery, type ProjectKey, type ProjectLimit } from "../queries";
import { LimitFields } from "./LimitFields";
import { limitWords } from "./limits";
import { ProjectHeader } from "./ProjectHeader";
import { useProject } from "./useProject";

type Asked = { key?: ProjectKey; what: "new" | "edit" | "delete" };

/** What clients show to be let in: several, each of its own limits, each revocable. */
export function KeysPage() {
  const { team, project } = useProject();
  const keys = useSuspenseQuery(keysQuery(project.id)).data.items;
  const refused = useMemberRefusal(team);
  const client = useQueryClient();
  const toast = useToast();
  const [asked, setAsked] = useState<Asked | null>(null);
  const refresh = () => void client.invalidateQueries({ queryKey: ["issues", "project", project.id] });
  const set = useTask({
    run: (key: ProjectKey, active: boolean) => data(api.PATCH("/api/v1/issues/keys/{id}", { params: { path: { id: key.id } }, body: { active } })),
    failed: "The key stays as it is.",
    onDone: refresh,
  });
  const remove = useTask({
    run: (key: ProjectKey) => done(api.DELETE("/api/v1/issues/keys/{id}", { params: { path: { id: key.id } } })),
    failed: "The key is still there.",
    onDone: (_, key) => {
      setAsked(null);
      toast({ text: `Key ${key.label || key.id.slice(0, 8)} is deleted` });
      refresh();
    },
  });
  useActions([{ id: "issues.key", label: "New key", group: "This page", icon: KeyRound, refused, run: () => setAsked({ what: "new" }) }]);
  return (
    <>
      <ProjectHeader
        team={team}
        project={project}
        page="Keys"
        actions={
          <Button kind="primary" icon={KeyRound} refused={refused} onClick={() => setAsked({ what: "new" })}>
            New key
          </Button>
        }
      />
      {keys.length === 0 ? (
        <EmptyState small headline="No key" actions={<Button refused={refused} onClick={() => setAsked({ what: "new" })}>New key</Button>}>
          Without a key nothing can report to {project.slug}.
        </EmptyState>
      ) : (
        <Table label="Keys" rows={keys} rowKey={({ id }) => id} columns={keyColumns(refused, (key, active) => void set.start(key, active), setAsked)} keyboard />
      )}
      {(asked?.what === "new" || asked?.what === "edit") && <KeyDialog project={project.id} known={asked.key} onClose={() => setAsked(null)} onDone={refresh} />}
      <Confirm open={asked?.what === "delete"} onClose={() => setAsked(null)} onConfirm={() => asked?.key && void remove.start(asked.key)} busy={remove.busy} title={`Delete the key ${asked?.key?.label ?? ""}?`} act="Delete">
        Programs that have it are refused from then on. To try that first, switch it off.
      </Confirm>
    </>
  );
}

function keyColumns(refused: string | false, onSet: (key: ProjectKey, active: boolean) => void, onAsk: (asked: Asked) => void): Column<ProjectKey>[] {
  return [
    { key: "label", head: "Key", lead: true, width: 180, cell: ({ label, id }) => <span className="title">{label || id.slice(0, 8)}</span> },
    { key: "dsn", head: "DSN", cell: ({ dsn }) => <Copyable text={dsn} /> },
    { key: "limits", head: "Limits", width: 200, cell: ({ limits }) => (limits.length > 0 ? limits.map(limitWords).join("; ") : <span className="muted">none of its own</span>) },
    { key: "used", head: "Last used", said: "used", width: 110, cell: ({ last_used_at: at }) => (at ? <RelativeTime at={at} /> : <span className="muted">never</span>) },
    { key: "active", head: "Works", width: 90, cell: (key) => <Switch on={key.active} label={key.active ? "on" : "off"} name={`Key ${key.label || key.id.slice(0, 8)} works`} disabled={Boolean(refused)} onChange={(active) => onSet(key, active)} /> },
    {
      key: "acts",
      head: <span className="sr">Acts</span>,
      width: 96,
      end: true,
      cell: (key) => (
        <span className="actions justify-end">
          <IconButton size="small" icon={Gauge} label={`Name and limits of ${key.label || key.id.slice(0, 8)}`} refused={refused} onClick={() => onAsk({ key, what: "edit" })} />
          <IconButton size="small" icon={Trash2} label={`Delete ${key.label || key.id.slice(0, 8)}`} refused={refused} onClick={() => onAsk({ key, what: "delete" })} />
        </span>
      ),
    },
  ];
}

function KeyDialog({ project, known, onClose, onDone }: { project: number; known?: ProjectKey; onClose: () => void; onDone: () => void }) {
  const [label, setLabel] = useState(known?.label ?? "");
  const [limits, setLimits] = useState<ProjectLimit[]>(known?.limits ?? []);
  const save = useTask({
    run: () =>
      known
        ? data(api.PATCH("/api/v1/issues/keys/{id}", { params: { path: { id: known.id } }, body: { label, limits } }))
        : data(api.POST("/api/v1/issues/projects/{id}/keys", { params: { path: { id: project } }, body: { label, limits } })),
    failed: "The key is not saved.",
    onDone: () => {
      onDone();
      onClose();
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={known ? "Name and limits of the key" : "New key"}
      description="A key may only send, never read."
      onSubmit={(event) => {
        event.preventDefault();
        void save.start();
      }}
    >
      <Field label="Name" hint="Who has it: the web page, the worker">
        <Input value={label} onChange={(event) => setLabel(event.target.value)} autoComplete="off" autoFocus />
      </Field>
      <LimitFields limits={limits} onChange={setLimits} />
      <DialogButtons>
        <Button kind="primary" type="submit" busy={save.busy}>
          {known ? "Save" : "Create"}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </Dialog>
  );
}
