import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data, done } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Drawer } from "@/ui/Drawer";
import { Field, Input } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { SkeletonRows } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Connection, hooksQuery } from "../queries";
import { type Organization, organizationsQuery } from "./queries";
import { ensured, hookAct, hookState } from "./words";

type Props = { connection: Connection | undefined; team: string; refused: string | false; onClose: () => void };

/** One webhook for everything an organization has, instead of one at each repository. */
export function Organizations({ connection, team, refused, onClose }: Props) {
  const { data: list, error } = useQuery({ ...organizationsQuery(connection?.id ?? ""), enabled: connection !== undefined });
  const [doomed, setDoomed] = useState("");
  const { ensure, remove, working } = useHooks(connection?.id ?? "", team, () => setDoomed(""));
  const act = (one: Organization) => (one.hook.state === "ours" ? setDoomed(one.name) : void ensure.start(one.name));
  return (
    <Drawer open={connection !== undefined} onClose={onClose} title={`Organizations of ${connection?.name ?? ""}`}>
      {error && <Notice kind="bad">{asProblem(error).message}</Notice>}
      {!list && !error && <SkeletonRows rows={3} />}
      {list && (
        <section>
          <p className="muted pb-3">One webhook tells of every repository an organization has, those made later too. It takes the place of those at its repositories.</p>
          {list.items.length === 0 && <p className="muted">GitHub names no organization that this token belongs to; one it may manage can be named below.</p>}
          <ul className="grid gap-3" aria-label="Organizations">
            {list.items.map((one) => (
              <li key={one.name}>
                <div className="line">
                  <span className="strong clip">{one.name}</span>
                  <Status {...hookState({ hook: { state: one.hook.state } })} />
                  <span className="push">
                    <Button size="small" aria-label={`${hookAct(one)} the webhook of ${one.name}`} busy={working === one.name} refused={refused} onClick={() => act(one)}>
                      {hookAct(one)}
                    </Button>
                  </span>
                </div>
                {one.hook.problem && <p className="muted [overflow-wrap:anywhere]">{one.hook.problem}</p>}
              </li>
            ))}
          </ul>
        </section>
      )}
      {list && <Another refused={refused} busy={ensure.busy} onName={(name) => ensure.start(name)} />}
      <Confirm open={doomed !== ""} onClose={() => setDoomed("")} onConfirm={() => void remove.start(doomed)} title={`Remove the webhook of ${doomed}?`} act="Remove" busy={remove.busy}>
        It is removed at GitHub and here. What happens in any repository of {doomed} is then seen at the next check only, until its own webhook is created.
      </Confirm>
    </Drawer>
  );
}

function useHooks(connection: string, team: string, onRemoved: () => void) {
  const client = useQueryClient();
  const toast = useToast();
  const [working, setWorking] = useState("");
  const path = (owner: string) => ({ params: { path: { id: connection, owner } } });
  const refresh = async () => {
    const stale = [organizationsQuery(connection).queryKey, ["ci", "repositories", team], hooksQuery(team).queryKey];
    await Promise.all(stale.map((queryKey) => client.invalidateQueries({ queryKey })));
    setWorking("");
  };
  const ensure = useTask({
    run: (name: string) => {
      setWorking(name);
      return data(api.PUT("/api/v1/ci/connections/{id}/organizations/{owner}/hook", path(name)));
    },
    failed: "The webhook was not set up.",
    onDone: (hook, name) => {
      toast(ensured(name, hook));
      void refresh();
    },
  });
  const remove = useTask({
    run: (name: string) => done(api.DELETE("/api/v1/ci/connections/{id}/organizations/{owner}/hook", path(name))),
    failed: "The webhook is still there.",
    onDone: (_, name) => {
      onRemoved();
      toast({ text: `The webhook of ${name} is removed` });
      void refresh();
    },
  });
  return { ensure, remove, working: ensure.busy ? working : "" };
}

/** A token may manage organizations that GitHub does not list for it. */
function Another({ refused, busy, onName }: { refused: string | false; busy: boolean; onName: (name: string) => Promise<unknown> }) {
  const [name, setName] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() && !refused) void onName(name.trim());
  };
  return (
    <section>
      <form className="grid gap-3" onSubmit={submit}>
        <Field label="Another organization" hint="As its address at GitHub names it">
          <Input mono value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" spellCheck={false} maxLength={39} />
        </Field>
        <span>
          <Button type="submit" size="small" busy={busy} refused={refused} disabled={!name.trim()}>
            Create its webhook
          </Button>
        </span>
      </form>
    </section>
  );
}
