import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Field, Input, Select, Tick } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { type Channel, digestsQuery, type Part } from "./queries";
import { parts as known, scheduleWords } from "./words";

/** A new digest: where, when, and what of. */
export function AddDigest({ team, channels }: { team: string; channels: Channel[] }) {
  const [channel, setChannel] = useState(channels[0]?.channel ?? "");
  const [schedule, setSchedule] = useState("45 9 * * 1-5");
  const [zone, setZone] = useState(Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC");
  const [chosen, setChosen] = useState<Part[]>(["merged", "reviews", "builds", "errors"]);
  const client = useQueryClient();
  const toast = useToast();
  const save = useTask({
    run: () => data(api.POST("/api/v1/assistant/slack/digests", { body: { team, channel, schedule, zone, parts: chosen } })),
    onDone: (saved) => {
      void client.invalidateQueries({ queryKey: digestsQuery(team).queryKey });
      toast({ text: `#${saved.channel_name} is told ${scheduleWords(saved.schedule)}` });
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void save.start();
  };
  const toggle = (part: Part) => setChosen(chosen.includes(part) ? chosen.filter((other) => other !== part) : [...chosen, part]);
  return (
    <form onSubmit={submit} noValidate aria-label="Add a digest">
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Channel" error={problem?.field("channel")}>
        <Select value={channel} onValue={setChannel} options={channels.map(({ channel: id, name }) => ({ value: id, label: `#${name}` }))} />
      </Field>
      <Field label="When" hint={`A crontab line: ${scheduleWords(schedule)}. It looks back to the time before.`} error={problem?.field("schedule")}>
        <Input mono value={schedule} onChange={({ target }) => setSchedule(target.value)} />
      </Field>
      <Field label="In the time zone" error={problem?.field("zone")}>
        <Input value={zone} onChange={({ target }) => setZone(target.value)} />
      </Field>
      <fieldset>
        <legend className="meta">It tells of</legend>
        <div className="slack-parts">
          {known.map(({ value, label }) => (
            <Tick key={value} checked={chosen.includes(value)} onChange={() => toggle(value)}>
              {label}
            </Tick>
          ))}
        </div>
      </fieldset>
      <Button size="form" type="submit" busy={save.busy} refused={chosen.length === 0 && "Choose something that it tells of."}>
        Add the digest
      </Button>
    </form>
  );
}
