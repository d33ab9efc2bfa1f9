import { useQueryClient } from "@tanstack/react-query";
import { List, Pencil, Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data, done } from "@/api/client";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Switch } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { type Channel, channelsQuery } from "./queries";
import { fate, kindWord, mannerWord, told } from "./words";

type Props = { team: string; channels: Channel[]; refused: string | false; onEdit: (channel: Channel) => void; onHistory: (channel: Channel) => void };

/** The channels of a team, each tried, stopped, changed and deleted from its row. */
export function ChannelList({ team, channels, refused, onEdit, onHistory }: Props) {
  const client = useQueryClient();
  const toast = useToast();
  const [doomed, setDoomed] = useState<Channel | null>(null);
  const refresh = () => void client.invalidateQueries({ queryKey: ["notifications"] });
  const test = useTask({
    run: (channel: Channel) => data(api.POST("/api/v1/ci/channels/{id}/test", { params: { path: { id: channel.id } } })),
    failed: "No test was sent.",
    onDone: ({ ok, error }, channel) => {
      refresh();
      toast(ok ? { text: `The test reached ${channel.name}` } : { text: `The test did not reach ${channel.name}. ${error}`, kind: "bad" });
    },
  });
  const toggle = useTask({
    run: (channel: Channel, enabled: boolean) => data(api.PATCH("/api/v1/ci/channels/{id}", { params: { path: { id: channel.id } }, body: { enabled } })),
    failed: "The channel stays as it is.",
    onDone: refresh,
  });
  const remove = useTask({
    run: (channel: Channel) => done(api.DELETE("/api/v1/ci/channels/{id}", { params: { path: { id: channel.id } } })),
    failed: "The channel is still there.",
    onDone: (_, channel) => {
      setDoomed(null);
      toast({ text: `Channel ${channel.name} is deleted` });
      void client.invalidateQueries({ queryKey: channelsQuery(team).queryKey });
    },
  });
  const acts = { refused, busy: test.busy, onTest: (channel: Channel) => void test.start(channel), onToggle: (channel: Channel, on: boolean) => void toggle.start(channel, on), onEdit, onHistory, onDelete: setDoomed };
  return (
    <>
      <Table label="Channels" rows={channels} rowKey={({ id }) => id} columns={columns(acts)} keyboard onOpen={onHistory} />
      <Confirm open={doomed !== null} onClose={() => setDoomed(null)} onConfirm={() => doomed && void remove.start(doomed)} title={`Delete channel ${doomed?.name ?? ""}?`} act="Delete" busy={remove.busy}>
        {doomed?.summary} is told nothing more, and the list of what was sent goes too.
      </Confirm>
    </>
  );
}

type Acts = {
  refused: string | false;
  busy: boolean;
  onTest: (channel: Channel) => void;
  onToggle: (channel: Channel, on: boolean) => void;
  onEdit: (channel: Channel) => void;
  onHistory: (channel: Channel) => void;
  onDelete: (channel: Channel) => void;
};

function columns({ refused, busy, onTest, onToggle, onEdit, onHistory, onDelete }: Acts): Column<Channel>[] {
  return [
    {
      key: "name",
      head: "Name",
      lead: true,
      width: "18%",
      cell: (channel) => (
        <button type="button" className="title clip" onClick={() => onHistory(channel)}>
          {channel.name}
        </button>
      ),
    },
    { key: "kind", head: "Way", width: 88, cell: ({ kind }) => kindWord(kind) },
    { key: "to", head: "To", cell: ({ summary }) => <span className="clip" title={summary}>{summary}</span> },
    {
      key: "what",
      head: "Told of",
      width: "26%",
      cell: (channel) => (
        <span className="notify-lines" title={channel.pipelines.join(", ")}>
          <span>{told(channel)}</span>
          {mannerWord(channel.manner) && <span className="meta">{mannerWord(channel.manner)}</span>}
        </span>
      ),
    },
    { key: "last", head: "Last message", width: 208, cell: ({ last }) => (last ? <Status status={fate(last).status} word={<>{fate(last).word}, <RelativeTime at={last.ended_at ?? last.created_at} /></>} /> : <Status status="skipped" word="none yet" />) },
    { key: "on", head: "On", width: 72, cell: (channel) => <Switch on={channel.enabled} label={channel.enabled ? "on" : "off"} name={`${channel.name} is told`} disabled={Boolean(refused)} onChange={(on) => onToggle(channel, on)} /> },
    {
      key: "acts",
      head: <span className="sr">Actions</span>,
      width: 184,
      end: true,
      cell: (channel) => (
        <span className="line justify-end">
          <Button size="small" icon={Send} refused={refused} busy={busy} aria-label={`Send a test to ${channel.name}`} onClick={() => onTest(channel)}>
            Test
          </Button>
          <IconButton size="small" icon={List} label={`What was sent to ${channel.name}`} onClick={() => onHistory(channel)} />
          <IconButton size="small" icon={Pencil} label={`Change ${channel.name}`} refused={refused} onClick={() => onEdit(channel)} />
          <IconButton size="small" icon={Trash2} label={`Delete ${channel.name}`} refused={refused} onClick={() => onDelete(channel)} />
        </span>
      ),
    },
  ];
}
