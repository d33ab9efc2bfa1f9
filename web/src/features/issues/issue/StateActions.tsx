import { Archive, Check, ChevronDown, RotateCcw, UserRound } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Tick } from "@/ui/Field";
import { useActions } from "@/ui/frame/hooks";
import { Menu, MenuItem } from "@/ui/Menu";
import { type Change, useChangeIssues, useMemberRefusal } from "../acts";
import type { Issue, IssueTerms } from "../queries";

/** What can be done with an issue. */
export function StateActions({ team, issue }: { team: string; issue: Issue }) {
  const refused = useMemberRefusal(team);
  const me = useSession().user.name;
  const change = useChangeIssues();
  const [archiving, setArchiving] = useState(false);
  const set = (wanted: Change) => void change.start([issue], wanted);
  const open = issue.state === "unresolved";
  const resolve = () => set({ status: "resolved", terms: { kind: "now" } });
  const next = () => set({ status: "resolved", terms: { kind: "in_next_release" } });
  const group = "This issue";
  useActions([
    { id: "issue.resolve", label: open ? "Resolve" : "Open again", group, keys: "e", icon: Check, refused, run: () => (open ? resolve() : set({ status: "unresolved" })) },
    { id: "issue.next", label: "Resolve in the next release", group, keys: "R", refused, run: next },
    { id: "issue.archive", label: "Archive until…", group, keys: "i", icon: Archive, refused, run: () => setArchiving(true) },
    { id: "issue.assign", label: "Assign to me", group, keys: "a", icon: UserRound, refused, run: () => set({ assignee: me }) },
  ]);
  return (
    <>
      {issue.assignee !== me && (
        <Button className="desk" refused={refused} tip="a" onClick={() => set({ assignee: me })}>
          Assign to me
        </Button>
      )}
      {open ? (
        <>
          <Button refused={refused} tip="i" onClick={() => setArchiving(true)}>
            Archive
          </Button>
          <span className="btn-pair">
            <Button kind="primary" icon={Check} refused={refused} busy={change.busy} tip="e" onClick={resolve}>
              Resolve
            </Button>
            <Menu
              align="end"
              label="Resolve how"
              trigger={
                <Button kind="primary" className="icon" aria-label="Resolve how">
                  <ChevronDown className="i" aria-hidden="true" strokeWidth={1.5} />
                </Button>
              }
            >
              <MenuItem keys="e" refused={refused} onSelect={resolve}>
                Resolve now
              </MenuItem>
              <MenuItem keys="R" refused={refused} onSelect={next}>
                In the next release
              </MenuItem>
              {issue.releases.last && (
                <MenuItem refused={refused} onSelect={() => set({ status: "resolved", terms: { kind: "in_release", release: issue.releases.last } })}>
                  In {issue.releases.last}
                </MenuItem>
              )}
            </Menu>
          </span>
        </>
      ) : (
        <Button kind="primary" icon={RotateCcw} refused={refused} busy={change.busy} tip="e" onClick={() => set({ status: "unresolved" })}>
          Open again
        </Button>
      )}
      {archiving && (
        <ArchiveDialog
          onClose={() => setArchiving(false)}
          onArchive={(terms) => {
            setArchiving(false);
            set({ status: "archived", terms });
          }}
        />
      )}
    </>
  );
}

type Kind = "until_escalating" | "until_time" | "until_events" | "until_users" | "forever";

const kinds: { kind: Kind; label: string }[] = [
  { kind: "until_escalating", label: "until it escalates" },
  { kind: "until_time", label: "until a time" },
  { kind: "until_events", label: "until it happens more often" },
  { kind: "until_users", label: "until it hits more users" },
  { kind: "forever", label: "forever" },
];

const dayFromNow = () => new Date(Date.now() + 86_400_000).toISOString().slice(0, 16);

/** How long an issue is to be quiet. */
function ArchiveDialog({ onClose, onArchive }: { onClose: () => void; onArchive: (terms: IssueTerms) => void }) {
  const [kind, setKind] = useState<Kind>("until_escalating");
  const [until, setUntil] = useState(dayFromNow);
  const [number, setNumber] = useState("100");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onArchive(termsOf(kind, until, Number(number)));
  };
  return (
    <Dialog open onClose={onClose} title="Archive until…" description="Archived issues count on, but nobody is told of them." onSubmit={submit}>
      <div className="grid gap-1" role="radiogroup" aria-label="Archive">
        {kinds.map((one) => (
          <Tick key={one.kind} kind="radio" name="kind" checked={kind === one.kind} onChange={() => setKind(one.kind)}>
            {one.label}
          </Tick>
        ))}
      </div>
      {kind === "until_time" && (
        <Field label="Until, UTC">
          <Input type="datetime-local" value={until} onChange={(event) => setUntil(event.target.value)} required />
        </Field>
      )}
      {(kind === "until_events" || kind === "until_users") && (
        <Field label={kind === "until_events" ? "How many more events" : "How many more users"}>
          <Input type="number" min={1} value={number} onChange={(event) => setNumber(event.target.value)} required />
        </Field>
      )}
      <DialogButtons>
        <Button kind="primary" type="submit">
          Archive
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </DialogButtons>
    </Dialog>
  );
}

function termsOf(kind: Kind, until: string, number: number): IssueTerms {
  if (kind === "until_time") return { kind, until: new Date(`${until}Z`).toISOString() };
  if (kind === "until_events") return { kind, events: Math.max(1, number) };
  if (kind === "until_users") return { kind, users: Math.max(1, number) };
  return { kind };
}
