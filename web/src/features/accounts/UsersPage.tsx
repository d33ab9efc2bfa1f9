import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Ban, KeyRound, MoreHorizontal, Shield, UserPlus } from "lucide-react";
import { useState } from "react";
import { api, data } from "@/api/client";
import { useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Avatar } from "@/ui/facts";
import { usePage, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Menu, MenuItem, MenuSeparator } from "@/ui/Menu";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { useUrlState } from "@/ui/useUrlState";
import { FindPeople, NobodyFound } from "./FindPeople";
import { fewPeople, peopleSearch } from "./people";
import { NewUser } from "./NewUser";
import { PasswordShown } from "./PasswordShown";
import { type User, usersQuery } from "./queries";

/** Everybody with an account on this server. */
export function UsersPage() {
  const users = useSuspenseQuery(usersQuery).data.items;
  const [{ q = "" }, setFilter] = useUrlState(peopleSearch);
  const shown = users.filter(({ name }) => name.toLowerCase().includes(q.toLowerCase()));
  const me = useSession();
  const [making, setMaking] = useState(false);
  const [resetting, setResetting] = useState<User | null>(null);
  const patch = usePatch();
  usePage({ title: "Users", crumbs: [{ label: "System", to: "/admin" }, { label: "Users" }] });
  const columns = userColumns((user) => (
    <UserMenu user={user} self={user.id === me.user.id} onReset={() => setResetting(user)} patch={(change) => void patch.start(user, change)} />
  ));
  return (
    <>
      <PageHeader
        title="Users"
        meta={`${plural(users.length, "account")}, ${plural(users.filter((user) => user.is_admin).length, "administrator")}`}
        actions={
          <Button kind="primary" icon={UserPlus} onClick={() => setMaking(true)}>
            New user
          </Button>
        }
      />
      {users.length > fewPeople && <FindPeople q={q} onFind={(q) => setFilter({ q: q || undefined })} />}
      {users.length === 0 ? (
        <EmptyState headline="No users">Accounts appear here; each is added to teams by their owners.</EmptyState>
      ) : (
        <Table label="Users" columns={columns} rows={shown} rowKey={(user) => user.name} keyboard />
      )}
      {users.length > 0 && shown.length === 0 && <NobodyFound q={q} />}
      <NewUser open={making} onClose={() => setMaking(false)} />
      <ResetPassword user={resetting} onClose={() => setResetting(null)} />
    </>
  );
}

type Change = { is_admin?: boolean; disabled?: boolean };

function usePatch() {
  const client = useQueryClient();
  const toast = useToast();
  const send = (user: User, body: Change) => api.PATCH("/api/v1/accounts/users/{id}", { params: { path: { id: user.id } }, body });
  const refresh = () => client.invalidateQueries({ queryKey: ["accounts"] });
  return useTask({
    run: send,
    failed: "The account was not changed.",
    onDone: (_, user, change) => {
      void refresh();
      const back: Change = { is_admin: change.is_admin === undefined ? undefined : user.is_admin, disabled: change.disabled === undefined ? undefined : user.disabled };
      toast({ text: sentence(user, change), undo: () => void send(user, back).then(refresh) });
    },
  });
}

function sentence(user: User, change: Change): string {
  if (change.disabled !== undefined) return change.disabled ? `${user.name} can no longer sign in` : `${user.name} can sign in again`;
  return change.is_admin ? `${user.name} is an administrator` : `${user.name} is no administrator any more`;
}

type MenuProps = { user: User; self: boolean; onReset: () => void; patch: (change: Change) => void };

function UserMenu({ user, self, onReset, patch }: MenuProps) {
  const refused = self && "not on yourself";
  return (
    <Menu align="end" trigger={<IconButton size="small" icon={MoreHorizontal} label={`Actions for ${user.name}`} />}>
      <MenuItem icon={KeyRound} onSelect={onReset} refused={refused}>
        Reset password
      </MenuItem>
      <MenuItem icon={Shield} onSelect={() => patch({ is_admin: !user.is_admin })} refused={refused}>
        {user.is_admin ? "Take administration away" : "Make administrator"}
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon={Ban} danger={!user.disabled} onSelect={() => patch({ disabled: !user.disabled })} refused={refused}>
        {user.disabled ? "Enable" : "Disable"}
      </MenuItem>
    </Menu>
  );
}

function ResetPassword({ user, onClose }: { user: User | null; onClose: () => void }) {
  const [shown, setShown] = useState<string | null>(null);
  const task = useTask({
    run: (of: User) => data(api.POST("/api/v1/accounts/users/{id}/reset-password", { params: { path: { id: of.id } } })),
    failed: "The password was not reset.",
    onDone: ({ password }) => setShown(password),
  });
  const close = () => {
    setShown(null);
    onClose();
  };
  if (user && shown) return <PasswordShown name={user.name} password={shown} onClose={close} />;
  return (
    <Confirm
      open={user !== null}
      onClose={close}
      onConfirm={() => user && void task.start(user)}
      title={`Reset the password of ${user?.name ?? ""}?`}
      act="Reset"
      busy={task.busy}
    >
      Their password stops working, every session of theirs ends, and they choose a new one when they sign in with the one shown next.
    </Confirm>
  );
}

function userColumns(menu: (user: User) => React.ReactNode): Column<User>[] {
  return [
    {
      key: "name",
      head: "Name",
      lead: true,
      sort: (a, b) => a.name.localeCompare(b.name),
      cell: (user) => (
        <span className="line">
          <Avatar name={user.name} small />
          <span className={user.disabled ? "title muted" : "title"}>{user.name}</span>
        </span>
      ),
    },
    { key: "kind", head: "Is", width: 280, cell: (user) => standing(user) },
    { key: "seen", head: "Signed in", width: 128, cell: (user) => (user.last_login_at ? <RelativeTime at={user.last_login_at} /> : "never") },
    { key: "created", head: "Created", width: 128, sort: (a, b) => a.created_at.localeCompare(b.created_at), cell: (user) => <RelativeTime at={user.created_at} /> },
    { key: "acts", head: <span className="sr">Actions</span>, width: 72, end: true, cell: menu },
  ];
}

function standing(user: User): string {
  const words = [user.disabled && "disabled", user.is_admin && "administrator", user.must_change_password && "must choose a password"].filter(Boolean);
  return words.length > 0 ? words.join(", ") : "user";
}
