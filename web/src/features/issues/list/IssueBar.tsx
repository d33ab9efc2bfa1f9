import { Archive, Check, UserRound, X } from "lucide-react";
import { useState } from "react";
import { api, data } from "@/api/client";
import { useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { useQueryClient } from "@tanstack/react-query";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { useActions, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Menu, MenuItem, MenuLabel } from "@/ui/Menu";
import { useChangeIssues, useMemberRefusal } from "../acts";
import type { IssueItem } from "../queries";

type Props = { team: string; people: string[]; issues: IssueItem[]; onClear: () => void };

/** What can be done with the marked issues, and the keys for it. */
export function IssueBar({ team, people, issues, onClear }: Props) {
  const refused = useMemberRefusal(team);
  const me = useSession().user.name;
  const [merging, setMerging] = useState(false);
  const change = useChangeIssues(onClear);
  const merge = useMerge(() => {
    setMerging(false);
    onClear();
  });
  const none = issues.length === 0 && "Mark issues with x first.";
  const oneProject = new Set(issues.map(({ project }) => project.id)).size === 1;
  const resolve = () => void change.start(issues, { status: "resolved", terms: { kind: "now" } });
  const next = () => void change.start(issues, { status: "resolved", terms: { kind: "in_next_release" } });
  const archive = () => void change.start(issues, { status: "archived", terms: { kind: "until_escalating" } });
  const assign = (assignee: string) => void change.start(issues, { assignee });
  const group = "Marked issues";
  useActions([
    { id: "issues.resolve", label: "Resolve", group, keys: "e", icon: Check, refused: refused || none, run: resolve },
    { id: "issues.next", label: "Resolve in the next release", group, keys: "R", refused: refused || none, run: next },
    { id: "issues.archive", label: "Archive until it escalates", group, keys: "i", icon: Archive, refused: refused || none, run: archive },
    { id: "issues.assign", label: "Assign to me", group, keys: "a", icon: UserRound, refused: refused || none, run: () => assign(me) },
  ]);
  if (issues.length === 0) return null;
  return (
    <div className="issues-marked" role="toolbar" aria-label="Marked issues">
      <b>{issues.length} marked</b>
      <Button size="small" icon={Check} refused={refused} busy={change.busy} tip="e" onClick={resolve}>
        Resolve
      </Button>
      <Button size="small" refused={refused} tip="Shift R" onClick={next} className="desk">
        In next release
      </Button>
      <Button size="small" icon={Archive} refused={refused} tip="i, until it escalates" onClick={archive}>
        Archive
      </Button>
      <Menu label="Assign to" trigger={<Button size="small" icon={UserRound} refused={refused}>Assign</Button>}>
        <MenuLabel>Assign to</MenuLabel>
        {people.map((name) => (
          <MenuItem key={name} keys={name === me ? "a" : undefined} refused={refused} onSelect={() => assign(name)}>
            {name}
          </MenuItem>
        ))}
        <MenuItem refused={refused} onSelect={() => assign("")}>
          nobody
        </MenuItem>
      </Menu>
      <Button size="small" className="desk" refused={refused || (issues.length < 2 ? "Mark two issues or more." : !oneProject && "Issues of one project can be merged.")} onClick={() => setMerging(true)}>
        Merge
      </Button>
      <Button size="small" refused={refused} className="desk" onClick={() => void change.start(issues, { status: "unresolved" })}>
        Open again
      </Button>
      <span className="push" />
      <Button size="small" kind="quiet" icon={X} onClick={onClear}>
        Clear
      </Button>
      <Confirm open={merging} onClose={() => setMerging(false)} onConfirm={() => void merge.start(issues)} busy={merge.busy} title={`Merge ${plural(issues.length, "issue")}?`} act="Merge" keep="Keep apart">
        Their events become one issue: that with the most. They can be split again by their grouping.
      </Confirm>
    </div>
  );
}

function useMerge(onDone: () => void) {
  const client = useQueryClient();
  const toast = useToast();
  return useTask({
    run: (issues: IssueItem[]) => data(api.POST("/api/v1/issues/issues/merge", { body: { ids: issues.map(({ id }) => id) } })),
    failed: "The issues stay apart.",
    onDone: (into) => {
      void client.invalidateQueries({ queryKey: ["issues"] });
      toast({ text: `Merged into ${into.short_id}` });
      onDone();
    },
  });
}
