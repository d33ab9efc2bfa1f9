import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { api, data } from "@/api/client";
import { IconButton } from "@/ui/Button";
import { Switch } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { type Column, Table } from "@/ui/Table";
import { AddDigest } from "./AddDigest";
import { channelsQuery, type Digest, digestsQuery, type Part } from "./queries";
import { parts as known, scheduleWords } from "./words";

/** What the team's channels are told regularly. */
export function Digests({ team }: { team: string }) {
  const digests = useSuspenseQuery(digestsQuery(team)).data.items;
  const channels = useSuspenseQuery(channelsQuery(team)).data.items;
  const columns: Column<Digest>[] = [
    {
      key: "channel",
      head: "Digest",
      lead: true,
      cell: ({ channel_name: name, channel, parts, trouble }) => (
        <>
          #{name || channel} <span className="meta block">{known.filter(({ value }) => parts.includes(value)).map(({ label }) => label).join(" · ")}</span>
          {trouble && <span className="meta block failed">{trouble}</span>}
        </>
      ),
    },
    {
      key: "schedule",
      head: "When",
      said: "comes",
      width: "24%",
      cell: ({ schedule, zone }) => (
        <>
          {scheduleWords(schedule)} <span className="meta block">{zone}</span>
        </>
      ),
    },
    { key: "last", head: "Last", said: "last", width: 110, cell: ({ last_at: at }) => (at ? <RelativeTime at={at} /> : <span className="muted">not yet</span>) },
    { key: "muted", head: "Muted", end: true, width: 90, cell: (digest) => <Mute team={team} digest={digest} /> },
    { key: "remove", head: "", end: true, width: 72, cell: (digest) => <Remove team={team} digest={digest} /> },
  ];
  return (
    <section aria-label="Digests">
      <div className="section-head">
        <h2>Digests</h2>
      </div>
      <p className="muted">Looked up without a model, with the rights of who has set it up. A review that is asked of a linked person is told to them directly, without being set up.</p>
      {digests.length > 0 && <Table label="Digests" columns={columns} rows={digests} rowKey={({ id }) => id} />}
      {channels.length === 0 ? <p className="muted">Add a channel first.</p> : <AddDigest key={digests.length} team={team} channels={channels} />}
    </section>
  );
}

function Mute({ team, digest }: { team: string; digest: Digest }) {
  const client = useQueryClient();
  const task = useTask({
    run: (muted: boolean) =>
      data(
        api.PUT("/api/v1/assistant/slack/digests/{id}", {
          params: { path: { id: digest.id } },
          body: { team, channel: digest.channel, schedule: digest.schedule, zone: digest.zone, parts: digest.parts as Part[], muted },
        }),
      ),
    onDone: () => void client.invalidateQueries({ queryKey: digestsQuery(team).queryKey }),
    failed: "The digest was not changed.",
  });
  return <Switch on={digest.muted} onChange={(muted) => void task.start(muted)} label="" name={`Mute the digest in #${digest.channel_name}`} disabled={task.busy} />;
}

function Remove({ team, digest }: { team: string; digest: Digest }) {
  const client = useQueryClient();
  const task = useTask({
    run: () => data(api.DELETE("/api/v1/assistant/slack/digests/{id}", { params: { path: { id: digest.id }, query: { team } } })),
    onDone: () => void client.invalidateQueries({ queryKey: digestsQuery(team).queryKey }),
    failed: "The digest was not removed.",
  });
  return <IconButton size="small" icon={Trash2} label={`Remove the digest in #${digest.channel_name}`} busy={task.busy} onClick={() => void task.start()} />;
}
