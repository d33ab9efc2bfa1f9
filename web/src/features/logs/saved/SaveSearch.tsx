import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Bookmark, Lock, Save, Trash2, Users } from "lucide-react";
import { type FormEvent, useState } from "react";
import { api, data, done } from "@/api/client";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Tick } from "@/ui/Field";
import { useActions, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Menu, MenuItem, MenuSeparator } from "@/ui/Menu";
import { Notice } from "@/ui/states";
import { isRelative } from "../explore/range";
import type { Explore } from "../explore/useExplore";
import { isShown, keptOf } from "./address";
import { type SavedSearch, savedQuery } from "./queries";

/** Keeps a search under a name, or changes the one that was opened. */
export function SaveSearch({ explore }: { explore: Explore }) {
  const { team, search, set } = explore;
  const list = useQuery(savedQuery(team)).data?.items ?? [];
  const opened = list.find(({ id }) => id === search.saved);
  const [naming, setNaming] = useState(false);
  const refused = refusal(useSession(), team, "member");
  const { change, forget } = useSavedActs(team, () => set({ saved: undefined }));
  useActions([{ id: "logs.save", label: "Save this search", group: "This page", icon: Bookmark, refused, run: () => setNaming(true) }]);
  const dialog = naming && <Naming explore={explore} onClose={() => setNaming(false)} />;
  if (!opened)
    return (
      <>
        <Button icon={Bookmark} refused={refused} aria-label="Save search" onClick={() => setNaming(true)}>
          <span className="desk">Save</span>
        </Button>
        {dialog}
      </>
    );
  const same = isShown(opened, explore);
  return (
    <>
      <Menu
        label={opened.name}
        align="end"
        trigger={
          <Button icon={Bookmark} aria-label={`Saved search ${opened.name}`} className="logs-saved">
            <span className="desk clip">
              {opened.name}
              {!same && " *"}
            </span>
          </Button>
        }
      >
        <MenuItem icon={Save} refused={refused || (same && "It is just what is shown.")} onSelect={() => void change.start(opened, keptOf(explore))}>
          Save what is shown as {opened.name}
        </MenuItem>
        <MenuItem icon={Bookmark} refused={refused} onSelect={() => setNaming(true)}>
          Save under another name
        </MenuItem>
        <MenuSeparator />
        <MenuItem icon={opened.shared ? Lock : Users} refused={refused || (!opened.mine && `It is ${opened.created_by}’s.`)} onSelect={() => void change.start(opened, { shared: !opened.shared })}>
          {opened.shared ? "Keep it to myself" : `Share it with ${team}`}
        </MenuItem>
        <MenuItem icon={Trash2} danger refused={refused} onSelect={() => void forget.start(opened)}>
          Forget {opened.name}
        </MenuItem>
      </Menu>
      {dialog}
    </>
  );
}

type SavedChange = Partial<Pick<SavedSearch, "query" | "from" | "to" | "columns" | "shared">>;

function useSavedActs(team: string, onForgotten: () => void) {
  const client = useQueryClient();
  const toast = useToast();
  const refresh = () => void client.invalidateQueries({ queryKey: savedQuery(team).queryKey });
  const change = useTask({
    run: ({ id }: SavedSearch, body: SavedChange) => data(api.PATCH("/api/v1/logs/searches/{search}", { params: { path: { search: id } }, body })),
    failed: "The search stays as it was.",
    onDone: ({ name, shared }, _, body) => {
      toast({ text: body.shared === undefined ? `${name} is what is shown now` : shared ? `Everybody in ${team} finds ${name} now` : `${name} is yours alone now` });
      refresh();
    },
  });
  const forget = useTask({
    run: ({ id }: SavedSearch) => done(api.DELETE("/api/v1/logs/searches/{search}", { params: { path: { search: id } } })),
    failed: "The search is still there.",
    onDone: (_, { name, query, from, to, columns, shared }) => {
      toast({ text: `${name} is forgotten`, undo: () => void data(api.POST("/api/v1/logs/searches", { body: { team, name, query, from, to, columns, shared } })).then(refresh) });
      onForgotten();
      refresh();
    },
  });
  return { change, forget };
}

function Naming({ explore, onClose }: { explore: Explore; onClose: () => void }) {
  const { team, query, asked, range, columns, set } = explore;
  const [name, setName] = useState("");
  const [shared, setShared] = useState(true);
  const [fixed, setFixed] = useState(!isRelative(range));
  const client = useQueryClient();
  const toast = useToast();
  const save = useTask({
    run: () => data(api.POST("/api/v1/logs/searches", { body: { team, name: name.trim(), shared, ...keptOf({ query, columns, range: fixed ? { from: asked.from, to: asked.to } : range }) } })),
    onDone: (saved) => {
      toast({ text: saved.shared ? `${saved.name} is kept for ${team}` : `${saved.name} is kept for you` });
      void client.invalidateQueries({ queryKey: savedQuery(team).queryKey });
      set({ saved: saved.id, from: saved.from, to: saved.to });
      onClose();
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) void save.start();
  };
  return (
    <Dialog open onClose={onClose} title="Save this search" description={query ? <code className="logs-labels">{query}</code> : "All lines, without conditions"} onSubmit={submit}>
      {problem && !problem.field("name") && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Name" error={problem?.field("name")}>
        <Input value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" autoFocus />
      </Field>
      <Tick checked={shared} onChange={({ target }) => setShared(target.checked)}>
        Everybody in {team} finds it
      </Tick>
      {isRelative(range) && (
        <Tick checked={fixed} onChange={({ target }) => setFixed(target.checked)}>
          With the times that are shown now, rather than up to when it is opened
        </Tick>
      )}
      <DialogButtons>
        <Button kind="primary" type="submit" busy={save.busy} disabled={!name.trim()}>
          Save
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </Dialog>
  );
}
