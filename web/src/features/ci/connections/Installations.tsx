import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ExternalLink } from "lucide-react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Drawer } from "@/ui/Drawer";
import { Chip } from "@/ui/facts";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Icon } from "@/ui/Icon";
import { SkeletonRows } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { type Connection, connectionsQuery } from "../queries";
import { installationsQuery } from "./queries";

type Props = { connection: Connection | undefined; team: string; refused: string | false; onClose: () => void };

/** Where a GitHub App is installed; one of these is what the connection speaks for. */
export function Installations({ connection, team, refused, onClose }: Props) {
  const { data: list, error } = useQuery({ ...installationsQuery(connection?.id ?? ""), enabled: connection !== undefined });
  const client = useQueryClient();
  const toast = useToast();
  const choose = useTask({
    run: (id: string, installation: number) => data(api.PATCH("/api/v1/ci/connections/{id}", { params: { path: { id } }, body: { installation } })),
    failed: "The installation was not chosen.",
    onDone: (changed) => {
      toast({ text: `${changed.name} speaks for that installation now` });
      void client.invalidateQueries({ queryKey: connectionsQuery(team).queryKey });
      void client.invalidateQueries({ queryKey: installationsQuery(changed.id).queryKey });
      onClose();
    },
  });
  return (
    <Drawer open={connection !== undefined} onClose={onClose} title={`Installations of ${connection?.app_slug ?? ""}`}>
      {error && <Notice kind="bad">{asProblem(error).message}</Notice>}
      {!list && !error && <SkeletonRows rows={3} />}
      {list && (
        <section>
          {list.items.length === 0 && <p className="muted">The App is installed nowhere yet. Install it at GitHub on an account or organisation; it shows here by itself.</p>}
          <ul className="grid gap-3">
            {list.items.map((one) => (
              <li key={one.id} className="line">
                <span className="strong clip">{one.account}</span>
                <span className="meta">{one.all_repositories ? "all repositories" : "chosen repositories"}</span>
                {one.suspended && <Chip kind="warn">suspended</Chip>}
                <span className="push">
                  {one.chosen ? <Chip kind="sel">chosen</Chip> : <Button size="small" refused={refused || (one.suspended && "It is suspended at GitHub.")} busy={choose.busy} onClick={() => connection && void choose.start(connection.id, one.id)}>Choose</Button>}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {connection?.app_url && (
        <section>
          <a className="btn" href={`${connection.app_url}/installations/new`} target="_blank" rel="noreferrer">
            <Icon of={ExternalLink} />
            Install at GitHub
          </a>
        </section>
      )}
    </Drawer>
  );
}
