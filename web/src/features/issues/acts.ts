import { useQueryClient } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import type { IssueFilter, IssueItem, IssueStatus, IssueTerms } from "./queries";
import { termsWords } from "./words";

export type Change = { status?: IssueStatus; terms?: IssueTerms; assignee?: string };
type Was = Pick<IssueItem, "id" | "short_id" | "state" | "assignee">;

/** Why this person may not change issues of a team; false when they may. */
export function useMemberRefusal(team: string): string | false {
  return refusal(useSession(), team, "member");
}

const send = (ids: number[], change: Change) => data(api.POST("/api/v1/issues/issues/bulk", { body: { ids, action: "change", ...change } }));

/** Changes some issues at once, and offers to take it back. */
export function useChangeIssues(onDone?: () => void) {
  const client = useQueryClient();
  const toast = useToast();
  const refresh = () => void client.invalidateQueries({ queryKey: ["issues"] });
  return useTask({
    run: (issues: Was[], change: Change) => send(issues.map(({ id }) => id), change),
    failed: "Nothing was changed.",
    onDone: (_, issues, change) => {
      refresh();
      onDone?.();
      toast({ text: said(issues, change), undo: () => void takeBack(issues, change).then(refresh) });
    },
  });
}

/** Changes all issues that match a search; there are too many to take it back one by one. */
export function useChangeMatching(team: string, { project, query }: IssueFilter, onDone?: () => void) {
  const client = useQueryClient();
  const toast = useToast();
  return useTask({
    run: (change: Change) => data(api.POST("/api/v1/issues/issues/bulk", { body: { team, project, query: query ?? "", action: "change", ...change } })),
    failed: "Nothing was changed.",
    onDone: ({ changed, more }, change) => {
      void client.invalidateQueries({ queryKey: ["issues"] });
      onDone?.();
      toast({ text: `${sentence(plural(changed, "issue"), changed === 1, change)}${more ? ". More match than one change takes: do it again" : ""}` });
    },
  });
}

/** Each kind of former state is one request. */
async function takeBack(issues: Was[], change: Change): Promise<void> {
  const groups = new Map<string, { ids: number[]; back: Change }>();
  for (const { id, state, assignee } of issues) {
    const back: Change = change.assignee === undefined ? { status: state } : { assignee };
    const key = JSON.stringify(back);
    const group = groups.get(key) ?? { ids: [], back };
    group.ids.push(id);
    groups.set(key, group);
  }
  for (const { ids, back } of groups.values()) await send(ids, back);
}

function said(issues: Was[], change: Change): string {
  const one = issues.length === 1;
  return sentence(one ? (issues[0]?.short_id ?? "The issue") : plural(issues.length, "issue"), one, change);
}

function sentence(what: string, one: boolean, { status, terms, assignee }: Change): string {
  const is = one ? "is" : "are";
  if (assignee !== undefined) return assignee ? `${what} ${is} ${assignee}’s now` : `${what} ${is} nobody’s now`;
  const how = termsWords(terms);
  return `${what} ${is} ${status === "unresolved" ? "open again" : status}${how ? ` ${how}` : ""}`;
}
