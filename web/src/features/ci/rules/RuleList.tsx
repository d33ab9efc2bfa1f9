import { useQueryClient } from "@tanstack/react-query";
import { List, Pencil, Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data, done } from "@/api/client";
import { count } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Switch } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { type Column, Table } from "@/ui/Table";
import type { Channel } from "../channels/queries";
import { type Rule, rulesQuery } from "./queries";
import { when } from "./words";

type Props = { team: string; rules: Rule[]; channels: Channel[]; refused: string | false; onEdit: (rule: Rule) => void; onHistory: (rule: Rule) => void };

/** The rules of a team as sentences, each tried, stopped, changed and deleted from its row. */
export function RuleList({ team, rules, channels, refused, onEdit, onHistory }: Props) {
  const client = useQueryClient();
  const toast = useToast();
  const [doomed, setDoomed] = useState<Rule | null>(null);
  const refresh = () => void client.invalidateQueries({ queryKey: rulesQuery(team).queryKey });
  const test = useTask({
    run: (rule: Rule) => done(api.POST("/api/v1/ci/rules/{id}/test", { params: { path: { id: rule.id } } })),
    failed: "No test was sent.",
    onDone: (_, rule) => {
      refresh();
      toast({ text: `A test of ${rule.name} is on its way` });
      onHistory(rule);
    },
  });
  const toggle = useTask({
    run: (rule: Rule, enabled: boolean) => data(api.PATCH("/api/v1/ci/rules/{id}", { params: { path: { id: rule.id } }, body: { enabled } })),
    failed: "The rule stays as it is.",
    onDone: refresh,
  });
  const remove = useTask({
    run: (rule: Rule) => done(api.DELETE("/api/v1/ci/rules/{id}", { params: { path: { id: rule.id } } })),
    failed: "The rule is still there.",
    onDone: (_, rule) => {
      setDoomed(null);
      toast({ text: `Rule ${rule.name} is deleted` });
      refresh();
    },
  });
  const names = new Map(channels.map(({ id, name }) => [id, name]));
  const acts = { names, refused, busy: test.busy, onTest: (rule: Rule) => void test.start(rule), onToggle: (rule: Rule, on: boolean) => void toggle.start(rule, on), onEdit, onHistory, onDelete: setDoomed };
  return (
    <>
      <Table label="Rules" rows={rules} rowKey={({ id }) => id} columns={columns(acts)} keyboard onOpen={onHistory} />
      <Confirm open={doomed !== null} onClose={() => setDoomed(null)} onConfirm={() => doomed && void remove.start(doomed)} title={`Delete rule ${doomed?.name ?? ""}?`} act="Delete" busy={remove.busy}>
        {names.get(doomed?.channel ?? "") ?? "Its channel"} is told nothing more by it, and the list of what was sent goes too.
      </Confirm>
    </>
  );
}

type Acts = {
  names: Map<string, string>;
  refused: string | false;
  busy: boolean;
  onTest: (rule: Rule) => void;
  onToggle: (rule: Rule, on: boolean) => void;
  onEdit: (rule: Rule) => void;
  onHistory: (rule: Rule) => void;
  onDelete: (rule: Rule) => void;
};

function columns({ names, refused, busy, onTest, onToggle, onEdit, onHistory, onDelete }: Acts): Column<Rule>[] {
  return [
    {
      key: "sentence",
      head: "Rule",
      lead: true,
      cell: (rule) => (
        <button type="button" className="title clip" title={rule.name} onClick={() => onHistory(rule)}>
          {when(rule)} → {names.get(rule.channel) ?? "a channel that is gone"}
        </button>
      ),
    },
    { key: "name", head: "Name", width: "16%", cell: (rule) => <span className="clip">{rule.name}</span> },
    { key: "sent", head: "Sent", width: 72, number: true, said: "sent", cell: (rule) => count(rule.sent) },
    { key: "failed", head: "Failed", width: 72, number: true, said: "failed", cell: (rule) => (rule.failed > 0 ? <span className="bad">{count(rule.failed)}</span> : "0") },
    { key: "last", head: "Last sent", width: 112, said: "last", cell: (rule) => (rule.last_sent_at ? <RelativeTime at={rule.last_sent_at} /> : "never") },
    { key: "on", head: "On", width: 72, cell: (rule) => <Switch on={rule.enabled} label={rule.enabled ? "on" : "off"} name={`${rule.name} is followed`} disabled={Boolean(refused)} onChange={(on) => onToggle(rule, on)} /> },
    {
      key: "acts",
      head: <span className="sr">Actions</span>,
      width: 184,
      end: true,
      cell: (rule) => (
        <span className="line justify-end">
          <Button size="small" icon={Send} refused={refused} busy={busy} aria-label={`Send a test by ${rule.name}`} onClick={() => onTest(rule)}>
            Test
          </Button>
          <IconButton size="small" icon={List} label={`What ${rule.name} sent`} onClick={() => onHistory(rule)} />
          <IconButton size="small" icon={Pencil} label={`Change ${rule.name}`} refused={refused} onClick={() => onEdit(rule)} />
          <IconButton size="small" icon={Trash2} label={`Delete ${rule.name}`} refused={refused} onClick={() => onDelete(rule)} />
        </span>
      ),
    },
  ];
}
