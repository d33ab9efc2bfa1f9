import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Textarea } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import type { Issue } from "../queries";
import { useReleaseCommit } from "../releases/useRelease";

type Props = { issue: Issue; team: string; text: string; how: "create" | "link"; onClose: () => void; onDone: () => void };

/** Makes an issue at GitHub through the team's connection, or links one that is there. */
export function GitHubDialog({ issue, team, text, how, onClose, onDone }: Props) {
  const at = useReleaseCommit(team, issue.project.slug, issue.releases.last);
  const guess = issue.suspect_commits[0]?.repository ?? at?.repository ?? "";
  const [repository, setRepository] = useState(/^[\w.-]+\/[\w.-]+$/.test(guess) ? guess : "");
  const [title, setTitle] = useState(issue.title);
  const [body, setBody] = useState(text);
  const [url, setUrl] = useState("");
  const toast = useToast();
  const save = useTask({
    run: () =>
      how === "create"
        ? data(api.POST("/api/v1/issues/issues/{id}/github", { params: { path: { id: issue.id } }, body: { repository: repository.trim(), title: title.trim(), body } }))
        : data(api.PUT("/api/v1/issues/issues/{id}/links", { params: { path: { id: issue.id } }, body: { url: url.trim() } })),
    onDone: () => {
      toast({ text: how === "create" ? `An issue is made in ${repository.trim()}` : "The issue is linked" });
      onDone();
      onClose();
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const ready = how === "create" ? /^[^/\s]+\/[^/\s]+$/.test(repository.trim()) && title.trim() : /^https?:\/\//.test(url.trim());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready) void save.start();
  };
  return (
    <Dialog open onClose={onClose} title={how === "create" ? "Create an issue at GitHub" : "Link an issue at GitHub"} description={how === "create" ? "Through the connection of the team; asked twice it is made once." : "Its state is shown here."} onSubmit={submit}>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      {how === "create" ? (
        <>
          <Field label="Repository" error={problem?.field("repository")}>
            <Input mono placeholder="acme/shop" value={repository} onChange={(event) => setRepository(event.target.value)} autoComplete="off" spellCheck={false} autoFocus />
          </Field>
          <Field label="Title" error={problem?.field("title")}>
            <Input value={title} onChange={(event) => setTitle(event.target.value)} autoComplete="off" />
          </Field>
          <Field label="Text" error={problem?.field("body")}>
            <Textarea mono rows={7} value={body} onChange={(event) => setBody(event.target.value)} spellCheck={false} />
          </Field>
        </>
      ) : (
        <Field label="Its address" error={problem?.field("url")}>
          <Input mono type="url" placeholder="https://github.com/acme/shop/issues/41" value={url} onChange={(event) => setUrl(event.target.value)} autoComplete="off" autoFocus />
        </Field>
      )}
      <DialogButtons>
        <Button kind="primary" type="submit" busy={save.busy} disabled={!ready}>
          {how === "create" ? "Create" : "Link"}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </Dialog>
  );
}
