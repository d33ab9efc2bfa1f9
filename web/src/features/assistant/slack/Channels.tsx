import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button, IconButton } from "@/ui/Button";
import { Field, Input, Tick } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { settingsQuery } from "../queries";
import { type Channel, channelsQuery } from "./queries";

/** Channels that belong to the team: only there is said what is the team's. */
export function Channels({ team }: { team: string }) {
  const channels = useSuspenseQuery(channelsQuery(team)).data.items;
  const columns: Column<Channel>[] = [
    { key: "name", head: "Channel", lead: true, cell: ({ name, channel }) => <span title={channel}>#{name}</span> },
    { key: "repositories", head: "Private repositories", said: "hears of", cell: ({ repositories }) => repositories.join(", ") || <span className="muted">none</span> },
    { key: "by", head: "Set by", said: "set by", width: 130, cell: ({ updated_by: by }) => by },
    { key: "remove", head: "", end: true, width: 72, cell: (channel) => <Remove team={team} channel={channel} /> },
  ];
  return (
    <section aria-label="Channels">
      <div className="section-head">
        <h2>Channels of this team</h2>
      </div>
      <p className="muted">Builds, errors, logs and private repositories are spoken of only in these. Elsewhere the asker is answered directly, with a word in the thread.</p>
      {channels.length > 0 && <Table label="Channels" columns={columns} rows={channels} rowKey={({ channel }) => channel} />}
      <AddChannel key={channels.length} team={team} />
    </section>
  );
}

function Remove({ team, channel }: { team: string; channel: Channel }) {
  const client = useQueryClient();
  const task = useTask({
    run: () => data(api.DELETE("/api/v1/assistant/slack/channels/{channel}", { params: { path: { channel: channel.channel }, query: { team } } })),
    onDone: () => void client.invalidateQueries({ queryKey: ["assistant", "slack"] }),
    failed: "The channel was not removed.",
  });
  return <IconButton size="small" icon={Trash2} label={`Remove #${channel.name} and its digests`} busy={task.busy} onClick={() => void task.start()} />;
}

function AddChannel({ team }: { team: string }) {
  const readable = useSuspenseQuery(settingsQuery(team)).data.repositories;
  const [channel, setChannel] = useState("");
  const [chosen, setChosen] = useState<string[]>([]);
  const client = useQueryClient();
  const toast = useToast();
  const save = useTask({
    run: () => data(api.PUT("/api/v1/assistant/slack/channels/{channel}", { params: { path: { channel: channel.trim() } }, body: { team, repositories: chosen } })),
    onDone: (saved) => {
      void client.invalidateQueries({ queryKey: ["assistant", "slack"] });
      toast({ text: `#${saved.name} belongs to ${team} now` });
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void save.start();
  };
  const toggle = (name: string) => setChosen(chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name]);
  return (
    <form onSubmit={submit} noValidate aria-label="Add a channel">
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Channel id" hint="At the end of the channel's details in Slack; invite the app there first. Entered again, it is changed." error={problem?.field("channel")}>
        <Input mono value={channel} placeholder="C0123456789" onChange={({ target }) => setChannel(target.value)} />
      </Field>
      {readable.length > 0 && (
        <fieldset>
          <legend className="meta">Everybody in the channel may hear of these, even of private ones</legend>
          <div className="slack-parts">
            {readable.map((name) => (
              <Tick key={name} checked={chosen.includes(name)} onChange={() => toggle(name)}>
                {name}
              </Tick>
            ))}
          </div>
          {problem?.field("repositories") && <Notice kind="bad">{problem.field("repositories")}</Notice>}
        </fieldset>
      )}
      <Button size="form" type="submit" busy={save.busy} refused={channel.trim() === "" && "Name a channel."}>
        Add the channel
      </Button>
    </form>
  );
}
