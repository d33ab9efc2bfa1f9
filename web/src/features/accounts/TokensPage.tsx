import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api } from "@/api/client";
import { useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { useActions, usePage, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { NewToken } from "./NewToken";
import { type Token, tokensQuery } from "./queries";

/** The person's tokens for this team. */
export function TokensPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const { items } = useSuspenseQuery(tokensQuery).data;
  // A token without a team works in every team of its user.
  const tokens = items.filter((token) => token.team === team || token.team === "");
  const { public_url: url } = useSession();
  const [making, setMaking] = useState(false);
  const [doomed, setDoomed] = useState<Token | null>(null);
  usePage({ title: `Tokens for ${team}`, crumbs: [{ label: "Settings" }, { label: "Tokens" }] });
  useActions([{ id: "token.new", label: "New token", group: "This page", icon: Plus, run: () => setMaking(true) }]);
  return (
    <>
      <PageHeader
        title="Tokens"
        meta={tokens.length > 0 ? `${plural(tokens.length, "token")} of yours for ${team}` : `for scripts that act as you in ${team}`}
        actions={
          <Button kind="primary" icon={Plus} onClick={() => setMaking(true)}>
            New token
          </Button>
        }
      />
      {tokens.length === 0 ? (
        <EmptyState
          headline="No tokens yet"
          command={`curl -H "Authorization: Bearer sbx_…" ${url}/api/v1/accounts/me`}
          filled={[url]}
          actions={<Button onClick={() => setMaking(true)}>New token</Button>}
        >
          A token lets a script, a monitor or an editor act as you in {team}, within the scopes you give it. It is shown once.
        </EmptyState>
      ) : (
        <Table label="Tokens" columns={tokenColumns(setDoomed)} rows={tokens} rowKey={(token) => token.id} keyboard />
      )}
      <NewToken open={making} onClose={() => setMaking(false)} team={team} />
      <Revoke token={doomed} onClose={() => setDoomed(null)} />
    </>
  );
}

function Revoke({ token, onClose }: { token: Token | null; onClose: () => void }) {
  const client = useQueryClient();
  const toast = useToast();
  const task = useTask({
    run: (doomed: Token) => api.DELETE("/api/v1/accounts/tokens/{id}", { params: { path: { id: doomed.id } } }),
    failed: "The token still works.",
    onDone: (_, doomed) => {
      onClose();
      toast({ text: `Token ${doomed.name} no longer works` });
      void client.invalidateQueries({ queryKey: ["accounts", "tokens"] });
    },
  });
  return (
    <Confirm
      open={token !== null}
      onClose={onClose}
      onConfirm={() => token && void task.start(token)}
      title={`Revoke token ${token?.name ?? ""}?`}
      act="Revoke"
      busy={task.busy}
    >
      Whatever uses it is refused from now on. {token?.last_used_at ? <>Last used <RelativeTime at={token.last_used_at} />.</> : "It was never used."} This cannot be undone.
    </Confirm>
  );
}

function tokenColumns(revoke: (token: Token) => void): Column<Token>[] {
  const time = (at?: string | null, none = "–") => (at ? <RelativeTime at={at} /> : none);
  return [
    {
      key: "name",
      head: "Name",
      lead: true,
      sort: (a, b) => a.name.localeCompare(b.name),
      cell: (token) => <span className="title">{token.name}</span>,
    },
    { key: "scopes", head: "May", cell: (token) => <span className="mono">{token.scopes.join(" ")}</span> },
    { key: "team", head: "In", width: 112, cell: (token) => token.team || "every team" },
    { key: "created", head: "Created", width: 112, sort: (a, b) => a.created_at.localeCompare(b.created_at), cell: (token) => time(token.created_at) },
    { key: "used", head: "Last used", width: 112, cell: (token) => time(token.last_used_at, "never") },
    { key: "expires", head: "Expires", width: 112, cell: (token) => time(token.expires_at, "never") },
    {
      key: "acts",
      head: <span className="sr">Actions</span>,
      width: 72,
      end: true,
      cell: (token) => <IconButton size="small" icon={Trash2} label={`Revoke ${token.name}`} onClick={() => revoke(token)} />,
    },
  ];
}
