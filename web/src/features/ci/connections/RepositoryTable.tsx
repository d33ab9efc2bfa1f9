import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Lock } from "lucide-react";
import { useState } from "react";
import { api, data, done } from "@/api/client";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Chip } from "@/ui/facts";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Icon } from "@/ui/Icon";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { deliveriesPath } from "../paths";
import { hooksQuery } from "../queries";
import type { Repository } from "./queries";
import { ensured, hookAct, hookRefusal, hookState } from "./words";

type Props = { team: string; connection: string; rows: Repository[] | undefined; refused: string | false };

const fullName = ({ owner, name }: Pick<Repository, "owner" | "name">) => `${owner}/${name}`;

/** One row, one button: create, mend or remove the webhook at GitHub. */
export function RepositoryTable({ team, connection, rows, refused }: Props) {
  const client = useQueryClient();
  const toast = useToast();
  const [doomed, setDoomed] = useState<Repository | null>(null);
  const [working, setWorking] = useState("");
  const path = ({ owner, name }: Repository) => ({ params: { path: { id: connection, owner, repo: name } } });
  const refresh = async () => {
    await Promise.all([client.invalidateQueries({ queryKey: ["ci", "repositories", team] }), client.invalidateQueries({ queryKey: hooksQuery(team).queryKey })]);
    setWorking("");
  };
  const ensure = useTask({
    run: (one: Repository) => {
      setWorking(fullName(one));
      return data(api.PUT("/api/v1/ci/connections/{id}/repositories/{owner}/{repo}/hook", path(one)));
    },
    failed: "The webhook was not set up.",
    onDone: (hook, one) => {
      toast(ensured(fullName(one), hook));
      void refresh();
    },
  });
  const remove = useTask({
    run: (one: Repository) => done(api.DELETE("/api/v1/ci/connections/{id}/repositories/{owner}/{repo}/hook", path(one))),
    failed: "The webhook is still there.",
    onDone: (_, one) => {
      setDoomed(null);
      toast({ text: `The webhook of ${fullName(one)} is removed` });
      void refresh();
    },
  });
  const act = (one: Repository) => (one.hook.state === "ours" ? setDoomed(one) : void ensure.start(one));
  return (
    <>
      <Table label="Repositories" rows={rows} rowKey={fullName} columns={columns({ team, refused, onAct: act, working: ensure.busy ? working : "" })} keyboard />
      <Confirm open={doomed !== null} onClose={() => setDoomed(null)} onConfirm={() => doomed && void remove.start(doomed)} title={`Remove the webhook of ${doomed ? fullName(doomed) : ""}?`} act="Remove" busy={remove.busy}>
        It is removed at GitHub and here. Pushes to the repository are then seen at the next check only.
      </Confirm>
    </>
  );
}

type Options = { team: string; refused: string | false; working: string; onAct: (one: Repository) => void };

function columns({ team, refused, working, onAct }: Options): Column<Repository>[] {
  return [
    {
      key: "name",
      head: "Repository",
      lead: true,
      width: "36%",
      cell: (one) => (
        <span className="line">
          <span className="title clip">{fullName(one)}</span>
          {one.private && <Icon of={Lock} size="s" />}
          {one.private && <span className="sr">private</span>}
          {one.archived && <Chip>archived</Chip>}
        </span>
      ),
    },
    { key: "hook", head: "Webhook", cell: (one) => <Status {...hookState(one)} /> },
    {
      key: "deliveries",
      head: <span className="sr">Deliveries</span>,
      width: 112,
      cell: (one) =>
        one.hook.state === "none" ? null : (
          <Link className="link" to={deliveriesPath(team)} search={{ repository: fullName(one) } as never} aria-label={`Deliveries of ${fullName(one)}`}>
            Deliveries
          </Link>
        ),
    },
    {
      key: "act",
      head: <span className="sr">Actions</span>,
      width: 128,
      end: true,
      cell: (one) => (
        <Button size="small" aria-label={`${hookAct(one)} the webhook of ${fullName(one)}`} busy={working === fullName(one)} refused={refused || hookRefusal(one)} onClick={() => onAct(one)}>
          {hookAct(one)}
        </Button>
      ),
    },
  ];
}
