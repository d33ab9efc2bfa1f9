import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { api } from "@/api/client";
import { asProblem } from "@/api/problem";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input } from "@/ui/Field";
import { usePage, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { type Team, teamsQuery } from "./queries";

const address = (team: Team) => `/teams/${encodeURIComponent(team.name)}/settings/team`;

const columns: Column<Team>[] = [
  {
    key: "name",
    head: "Name",
    lead: true,
    sort: (a, b) => a.name.localeCompare(b.name),
    cell: (team) => (
      <Link to={address(team)} className="title">
        {team.name}
      </Link>
    ),
  },
  { key: "members", head: "Members", number: true, width: 112, sort: (a, b) => a.members - b.members, cell: (team) => team.members },
  { key: "created", head: "Created", width: 128, end: true, sort: (a, b) => a.created_at.localeCompare(b.created_at), cell: (team) => <RelativeTime at={team.created_at} /> },
];

/** Every team of this server. */
export function TeamsPage() {
  const teams = useSuspenseQuery(teamsQuery).data.items;
  const navigate = useNavigate();
  const [making, setMaking] = useState(false);
  usePage({ title: "Teams", crumbs: [{ label: "System", to: "/admin" }, { label: "Teams" }] });
  const make = (
    <Button kind="primary" icon={Plus} onClick={() => setMaking(true)}>
      New team
    </Button>
  );
  return (
    <>
      <PageHeader title="Teams" meta={plural(teams.length, "team")} actions={make} />
      {teams.length === 0 ? (
        <EmptyState headline="No teams">A team owns pipelines, secrets and tokens. People see only their teams.</EmptyState>
      ) : (
        <Table label="Teams" columns={columns} rows={teams} rowKey={(team) => team.name} keyboard onOpen={(team) => void navigate({ to: address(team) })} />
      )}
      <NewTeam open={making} onClose={() => setMaking(false)} />
    </>
  );
}

function NewTeam({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [name, setName] = useState("");
  const client = useQueryClient();
  const toast = useToast();
  const task = useTask({
    run: () => api.POST("/api/v1/accounts/teams", { body: { name: name.trim() } }),
    onDone: () => {
      toast({ text: `Team ${name.trim()} exists; add its members` });
      setName("");
      onClose();
      void client.invalidateQueries({ queryKey: ["accounts"] });
    },
  });
  const problem = task.error ? asProblem(task.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) void task.start();
  };
  return (
    <Dialog open={open} onClose={onClose} title="New team" onSubmit={submit}>
      <Field label="Name" hint="Small letters, digits, dashes; part of every address" error={problem && (problem.field("name") ?? problem.message)}>
        <Input value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" autoCapitalize="none" spellCheck={false} autoFocus />
      </Field>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={task.busy} disabled={!name.trim()}>
          Create
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </Dialog>
  );
}
