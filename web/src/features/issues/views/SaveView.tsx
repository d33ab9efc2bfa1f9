import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Star, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { api, data, done } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input } from "@/ui/Field";
import { useActions, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import { useMemberRefusal } from "../acts";
import { type ListSearch, usualQuery } from "../list/search";
import { isShown } from "./address";
import { viewsQuery } from "./queries";

/** Keeps what is searched for under a name, or forgets it. */
export function SaveView({ team, search }: { team: string; search: ListSearch }) {
  const views = useQuery(viewsQuery(team)).data?.items ?? [];
  const shown = views.find((view) => isShown(view, search));
  const [naming, setNaming] = useState(false);
  const refused = useMemberRefusal(team);
  const client = useQueryClient();
  const toast = useToast();
  const refresh = () => void client.invalidateQueries({ queryKey: viewsQuery(team).queryKey });
  const forget = useTask({
    run: (id: number) => done(api.DELETE("/api/v1/issues/views/{id}", { params: { path: { id } } })),
    failed: "The view is still there.",
    onDone: () => {
      refresh();
      if (shown) toast({ text: `${shown.name} is forgotten`, undo: () => void data(api.POST("/api/v1/issues/views", { body: { team, name: shown.name, query: shown.query, sort: shown.sort, ...(shown.project ? { project: shown.project } : {}) } })).then(refresh) });
    },
  });
  useActions([{ id: "issues.save", label: "Save this view", group: "This page", icon: Star, refused: refused || (shown !== undefined && "It is saved already."), run: () => setNaming(true) }]);
  return (
    <>
      {shown ? (
        <Button className="desk" icon={Trash2} refused={refused} busy={forget.busy} tip={`Forget the view ${shown.name}`} onClick={() => void forget.start(shown.id)}>
          Forget view
        </Button>
      ) : (
        <Button className="desk" icon={Star} refused={refused} onClick={() => setNaming(true)}>
          Save view
        </Button>
      )}
      {naming && <Naming team={team} search={search} onClose={() => setNaming(false)} onDone={refresh} />}
    </>
  );
}

function Naming({ team, search, onClose, onDone }: { team: string; search: ListSearch; onClose: () => void; onDone: () => void }) {
  const [name, setName] = useState("");
  const toast = useToast();
  const query = search.query ?? usualQuery;
  const save = useTask({
    run: () => data(api.POST("/api/v1/issues/views", { body: { team, name: name.trim(), query, sort: search.sort, ...(search.project ? { project: search.project } : {}) } })),
    onDone: (view) => {
      toast({ text: `${view.name} is kept for ${team}` });
      onDone();
      onClose();
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) void save.start();
  };
  return (
    <Dialog open onClose={onClose} title="Save this view" description={<>Everybody in {team} finds <code>{query}</code> by its name.</>} onSubmit={submit}>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Name" error={problem?.fields[0]?.message}>
        <Input value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" autoFocus />
      </Field>
      <DialogButtons>
        <Button kind="primary" type="submit" busy={save.busy} disabled={!name.trim()}>
          Save
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </Dialog>
  );
}
