import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { UserMinus, UserPlus } from "lucide-react";
import { useState } from "react";
import { api } from "@/api/client";
import { refusal, type Role, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { Avatar } from "@/ui/facts";
import { Select } from "@/ui/Field";
import { usePage, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { PageHeader } from "@/ui/PageHeader";
import { EmptyState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { useUrlState } from "@/ui/useUrlState";
import { AddMember } from "./AddMember";
import { FindPeople, NobodyFound } from "./FindPeople";
import { fewPeople, peopleSearch } from "./people";
import { type Member, membersQuery } from "./queries";
import { roleOptions } from "./roles";

/** Who belongs to the team, and as what. */
export function MembersPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const members = useSuspenseQuery(membersQuery(team)).data.items;
  const [{ q = "" }, setFilter] = useUrlState(peopleSearch);
  const shown = members.filter(({ name }) => name.toLowerCase().includes(q.toLowerCase()));
  const me = useSession();
  const [adding, setAdding] = useState(false);
  const acts = useMemberActs(team);
  usePage({ title: `Members of ${team}`, crumbs: [{ label: "Settings" }, { label: "Members" }] });
  const refused = refusal(me, team, "owner");
  const columns = memberColumns(refused, acts);
  return (
    <>
      <PageHeader
        title="Members"
        meta={plural(members.length, "person", "people")}
        actions={
          <Button kind="primary" icon={UserPlus} onClick={() => setAdding(true)} refused={refused}>
            Add a member
          </Button>
        }
      />
      {members.length > fewPeople && <FindPeople q={q} onFind={(q) => setFilter({ q: q || undefined })} />}
      {members.length === 0 ? (
        <EmptyState headline="Nobody is in this team">People added here see its pipelines and act by their role. Administrators see it anyway.</EmptyState>
      ) : (
        <Table label="Members" columns={columns} rows={shown} rowKey={(member) => member.name} keyboard />
      )}
      {members.length > 0 && shown.length === 0 && <NobodyFound q={q} />}
      <AddMember open={adding} onClose={() => setAdding(false)} team={team} members={members} />
    </>
  );
}

type Acts = ReturnType<typeof useMemberActs>;

function useMemberActs(team: string) {
  const client = useQueryClient();
  const toast = useToast();
  const refresh = () => client.invalidateQueries({ queryKey: ["accounts"] });
  const put = (user: string, role: Role) =>
    api.PUT("/api/v1/accounts/teams/{team}/members/{user}", { params: { path: { team, user } }, body: { role } });
  const undo = (member: Member) => () => void put(member.name, member.role).then(refresh);
  const change = useTask({
    run: (member: Member, role: Role) => put(member.name, role),
    failed: "The role was not changed.",
    onDone: (_, member, role) => {
      toast({ text: `${member.name} is now ${role}`, undo: undo(member) });
      void refresh();
    },
  });
  const remove = useTask({
    run: (member: Member) => api.DELETE("/api/v1/accounts/teams/{team}/members/{user}", { params: { path: { team, user: member.name } } }),
    failed: "Nobody was removed.",
    onDone: (_, member) => {
      toast({ text: `${member.name} is no longer in ${team}`, undo: undo(member) });
      void refresh();
    },
  });
  return { change, remove };
}

function memberColumns(refused: string | false, { change, remove }: Acts): Column<Member>[] {
  return [
    {
      key: "name",
      head: "Name",
      lead: true,
      sort: (a, b) => a.name.localeCompare(b.name),
      cell: (member) => (
        <span className="line">
          <Avatar name={member.name} small />
          <span className="title">{member.name}</span>
          {member.is_admin && <span className="meta">administrator</span>}
          {member.disabled && <span className="meta">cannot sign in</span>}
        </span>
      ),
    },
    {
      key: "role",
      head: "Role",
      width: 220,
      cell: (member) => (
        <Select
          compact
          aria-label={`Role of ${member.name}`}
          value={member.role}
          options={roleOptions}
          disabled={Boolean(refused)}
          title={refused || undefined}
          onValue={(role) => void change.start(member, role as Role)}
        />
      ),
    },
    {
      key: "acts",
      head: <span className="sr">Actions</span>,
      width: 72,
      end: true,
      cell: (member) => (
        <IconButton size="small" icon={UserMinus} label={`Remove ${member.name}`} refused={refused} onClick={() => void remove.start(member)} />
      ),
    },
  ];
}
