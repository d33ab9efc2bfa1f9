import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "@/api/client";
import { asProblem } from "@/api/problem";
import type { Role } from "@/api/session";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Tick } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import type { Member } from "./queries";
import { roles } from "./roles";

type Props = { open: boolean; onClose: () => void; team: string; members: Member[] };

/** Takes somebody who has an account into the team. */
export function AddMember({ open, onClose, team, members }: Props) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("member");
  const client = useQueryClient();
  const toast = useToast();
  const task = useTask({
    run: () => api.PUT("/api/v1/accounts/teams/{team}/members/{user}", { params: { path: { team, user: name.trim() } }, body: { role } }),
    onDone: () => {
      toast({ text: `${name.trim()} is in ${team} as ${role}` });
      setName("");
      onClose();
      void client.invalidateQueries({ queryKey: ["accounts"] });
    },
  });
  const problem = task.error ? asProblem(task.error) : undefined;
  const known = members.find((member) => member.name === name.trim());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() && !known) void task.start();
  };
  const error = known ? `${known.name} is already here, as ${known.role}` : problem && (problem.field("user") ?? problem.message);
  return (
    <Dialog open={open} onClose={onClose} title={`Add a member to ${team}`} description="They need an account; an administrator creates it under System, Users." onSubmit={submit}>
      <Field label="Name" error={error}>
        <Input
          value={name}
          onChange={(event) => {
            setName(event.target.value);
            task.clear();
          }}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
        />
      </Field>
      <fieldset className="grid gap-1">
        <legend className="label">Role</legend>
        {roles.map((option) => (
          <Tick key={option.value} kind="radio" name="role" checked={role === option.value} onChange={() => setRole(option.value)}>
            {option.label} <span className="meta">{option.may}</span>
          </Tick>
        ))}
      </fieldset>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={task.busy} disabled={!name.trim() || Boolean(known)}>
          Add
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </Dialog>
  );
}
