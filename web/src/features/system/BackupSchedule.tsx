import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Select, Tick } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import type { BackupSettings } from "./queries";
import { atClock, minuteOf, pauses, said } from "./schedule";

type Props = { open: boolean; settings: BackupSettings; onClose: () => void };

/** When backups are made by themselves, and how many of them stay. */
export function BackupSchedule({ open, settings, onClose }: Props) {
  return (
    <Dialog open={open} onClose={onClose} title="Schedule of backups" description="Where they go is set in the configuration: backup.folder, or backup.s3_endpoint.">
      {open && <ScheduleForm settings={settings} onClose={onClose} />}
    </Dialog>
  );
}

function ScheduleForm({ settings, onClose }: Omit<Props, "open">) {
  const [every, setEvery] = useState(settings.every_hours);
  const [at, setAt] = useState(atClock(settings.at_minute));
  const [keep, setKeep] = useState(String(settings.keep));
  const [rehearse, setRehearse] = useState(settings.rehearse);
  const client = useQueryClient();
  const toast = useToast();
  const body = { every_hours: every, at_minute: minuteOf(at), keep: Number(keep), rehearse };
  const task = useTask({
    run: () => api.PUT("/api/v1/system/backups/settings", { body }),
    onDone: () => {
      void client.invalidateQueries({ queryKey: ["system", "backups"] });
      toast({ text: `Backups: ${said(body)}` });
      onClose();
    },
  });
  const problem = task.error ? asProblem(task.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void task.start();
  };
  return (
    <form className="grid gap-3" onSubmit={submit} noValidate>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="How often" error={problem?.field("every_hours")}>
        <Select value={String(every)} onValue={(value) => setEvery(Number(value))} options={pauses(settings.every_hours)} />
      </Field>
      {every > 0 && (
        <>
          <Field label="Counted from (UTC)" error={problem?.field("at_minute")}>
            <Input type="time" value={at} onChange={(event) => setAt(event.target.value)} required />
          </Field>
          <Field label="How many stay" hint="Older ones of the schedule are deleted" error={problem?.field("keep")}>
            <Input type="number" min={1} max={1000} value={keep} onChange={(event) => setKeep(event.target.value)} />
          </Field>
          <Tick checked={rehearse} onChange={(event) => setRehearse(event.target.checked)}>
            Rehearse each <span className="meta">restores it into a scratch place at once; needs the room</span>
          </Tick>
        </>
      )}
      <DialogButtons>
        <Button kind="primary" type="submit" busy={task.busy}>
          Save
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </form>
  );
}
