import { Archive, Check, UserRound, X } from "lucide-react";
import { useState } from "react";
import { api, data } from "@/api/client";
import { useSession } from "@/api/session";
import { count, plural } from "@/format/bytes";
import { useQueryClient } from "@tanstack/react-query";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { useActions, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Menu, MenuItem, MenuLabel } from "@/ui/Menu";
import { type Change, useChangeIssues, useChangeMatching, useMemberRefusal } from "../acts";
import { countIssues, type IssueFilter, type IssueItem } from "../queries";

type Props = { team: string; people: string[]; issues: IssueItem[]; search: IssueFilter; /** The list goes on behind what is shown. */ more: boolean; onClear: () => void };
type Matching = { count: number; more: boolean };

/** What can be done with the marked issues, and the keys for it. */
export function IssueBar({ team, people, issues, search, more, onClear }: Props) {
  const refused = useMemberRefusal(team);
  const me = useSession().user.name;
  const [merging, setMerging] = useState(false);
  const [all, setAll] = useState<Matching | null>(null);
  const [asked, setAsked] = useState<Change | null>(null);
  const clear = () => {
    setMerging(false);
    setAll(null);
    setAsked(null);
    onClear();
  };
  const change = useChangeIssues(clear);
  const matching = useChangeMatching(team, search, clear);
  const merge = useMerge(clear);
  const find = useTask({ run: () => countIssues(team, search), failed: "They cannot be counted.", onDone: setAll });
  const act = (wanted: Change) => (all ? setAsked(wanted) : void change.start(issues, wanted));
  const none = issues.length === 0 && "Mark issues with x first.";
  const oneProject = new Set(issues.map(({ project }) => project.id)).size === 1;
  const resolve = () => act({ status: "resolved", terms: { kind: "now" } });
  const next = () => act({ status: "resolved", terms: { kind: "in_next_release" } });
  const archive = () => act({ status: "archived", terms: { kind: "until_escalating" } });
  const assign = (assignee: string) => act({ assignee });
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
      <b>{all ? matchingWords(all) : `${issues.length} marked`}</b>
      {more && !all && (
        <Button size="small" kind="quiet" busy={find.busy} tip="also what is not shown yet" onClick={() => void find.start()}>
          Mark all that match
        </Button>
      )}
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
      <Button size="small" className="desk" refused={refused || (all ? "Merge those that are marked one by one." : issues.length < 2 ? "Mark two issues or more." : !oneProject && "Issues of one project can be merged.")} onClick={() => setMerging(true)}>
        Merge
      </Button>
      <Button size="small" refused={refused} className="desk" onClick={() => act({ status: "unresolved" })}>
        Open again
      </Button>
      <span className="push" />
      <Button size="small" kind="quiet" icon={X} onClick={clear}>
        Clear
      </Button>
      <Confirm open={asked !== null} onClose={() => setAsked(null)} onConfirm={() => asked && void matching.start(asked)} busy={matching.busy} title={all ? `Change ${matchingWords(all)}?` : "Change them?"} act="Change them" keep="Leave them">
        {asked?.assignee === undefined ? `They become ${asked?.status === "unresolved" ? "open again" : asked?.status}` : `They become ${asked.assignee ? `${asked.assignee}’s` : "nobody’s"}`}, also those that the list does not show yet. So many cannot be taken back at once.
      </Confirm>
      <Confirm open={merging} onClose={() => setMerging(false)} onConfirm={() => void merge.start(issues)} busy={merge.busy} title={`Merge ${plural(issues.length, "issue")}?`} act="Merge" keep="Keep apart">
        Their events become one issue: that with the most. They can be split again by their grouping.
      </Confirm>
    </div>
  );
}

const matchingWords = ({ count: n, more }: Matching) => (more ? `the first ${count(n)} that match` : `all ${count(n)} that match`);

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
