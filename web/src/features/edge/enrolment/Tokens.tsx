import { useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { api, done } from "@/api/client";
import { count, plural } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { useNow } from "@/ui/useNow";
import { type Token, tokensQuery } from "../queries";
import { labelsText } from "./commands";
import { tokenLook } from "./state";

type Props = { team: string; tokens: Token[]; refused: string | false };

/** The tokens that there are, those that still open the door first. */
export function Tokens({ team, tokens, refused }: Props) {
  const client = useQueryClient();
  const revoke = useTask({
    run: ({ id }: Token) => done(api.DELETE("/api/v1/edge/tokens/{token}", { params: { path: { token: id } } })),
    failed: "The token still holds.",
    onDone: () => {
      setAsked(undefined);
      void client.invalidateQueries({ queryKey: tokensQuery(team).queryKey });
    },
  });
  const [asked, setAsked] = useState<Token>();
  const now = useNow(true, 60);
  const [all, setAll] = useState(false);
  const open = tokens.filter((token) => tokenLook(token, now).word === "open");
  const over = tokens.length - open.length;
  return (
    <section aria-label="Tokens">
      <div className="section-head px-[var(--gutter)]">
        <h2>Tokens</h2>
        {over > 0 && (
          <span className="push">
            <Button size="small" aria-pressed={all} onClick={() => setAll(!all)}>
              {all ? "Only those that are open" : `Show ${count(over)} that ${over === 1 ? "is" : "are"} over`}
            </Button>
          </span>
        )}
      </div>
      {tokens.length > 0 && open.length === 0 && !all && <p className="pane muted">None is open.</p>}
      {tokens.length === 0 ? (
        <EmptyState small headline="No tokens yet">
          A token lets a machine ask. It ends by itself, after its hours or when it was used as often as it may.
        </EmptyState>
      ) : (
        (all || open.length > 0) && <Table label="Tokens" columns={columns(now, refused, setAsked)} rows={all ? tokens : open} rowKey={({ id }) => id} />
      )}
      <Confirm open={asked !== undefined} onClose={() => setAsked(undefined)} onConfirm={() => asked && void revoke.start(asked)} busy={revoke.busy} title={`Revoke ${asked?.name || "this token"}?`} act="Revoke">
        No machine can ask with it any more. {asked && asked.uses > 0 ? `The ${plural(asked.uses, "machine")} that did ${asked.uses === 1 ? "stays as it is" : "stay as they are"}.` : "None has yet."}
      </Confirm>
    </section>
  );
}

const columns = (now: number, refused: string | false, onRevoke: (token: Token) => void): Column<Token>[] => [
  { key: "name", head: "Token", lead: true, sort: (a, b) => a.name.localeCompare(b.name), cell: ({ name }) => <b>{name || "without a name"}</b> },
  {
    key: "state",
    head: "State",
    width: 120,
    cell: (token) => {
      const { status, word } = tokenLook(token, now);
      return <Status status={status} word={word} />;
    },
  },
  { key: "uses", head: "Used", said: "used", width: 96, number: true, cell: ({ uses, max_uses: most }) => `${count(uses)} of ${count(most)}` },
  { key: "site", head: "Site", said: "at", width: 110, cell: ({ site }) => site || <span className="muted">any</span> },
  { key: "labels", head: "Labels", width: "18%", cell: ({ labels }) => labelsText(labels) || <span className="muted">none</span> },
  { key: "accepts", head: "Lets in", width: 110, cell: ({ accepts }) => (accepts ? "by itself" : "a person") },
  { key: "expires", head: "Ends", said: "ends", width: 120, cell: ({ expires_at: at }) => <RelativeTime at={at} /> },
  { key: "by", head: "Made by", said: "by", width: 110, cell: ({ created_by: by }) => by },
  {
    key: "acts",
    head: <span className="sr">Acts</span>,
    width: 56,
    end: true,
    cell: (token) => !token.revoked_at && <IconButton size="small" icon={Trash2} label={`Revoke ${token.name}`} refused={refused} onClick={() => onRevoke(token)} />,
  },
];
