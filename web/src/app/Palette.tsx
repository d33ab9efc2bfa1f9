import { Search } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { type Action, useFrame } from "@/ui/frame/context";
import { shownKeys } from "@/ui/frame/keyboard";
import { Icon } from "@/ui/Icon";
import { Kbd } from "@/ui/Kbd";
import { useFound } from "./found";
import { grouped, score } from "./match";

/** Go anywhere, run anything: every action that the frame and the open page offer. */
export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <div className="veil" />
        <Radix.Content className="float dialog palette" aria-describedby={undefined}>
          <Radix.Title className="sr">Go anywhere, run anything</Radix.Title>
          <Choices onClose={onClose} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function Choices({ onClose }: { onClose: () => void }) {
  const frame = useFrame();
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);
  const all = useMemo(() => frame.actions().filter((action) => !action.hidden), [frame]);
  const { found: things, asking } = useFound(typed);
  // What the frame offers comes first and at once; what the server finds by name follows.
  const found = [...rank(all, typed).slice(0, typed.trim() ? 8 : undefined), ...things];
  const current = Math.min(at, Math.max(0, found.length - 1));

  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView?.({ block: "nearest" });
  }, [current, found.length]);

  const run = (action: Action | undefined) => {
    if (!action || action.refused) return;
    onClose();
    // After the dialog has given the focus back, so that what the action focuses keeps it.
    setTimeout(action.run, 0);
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setAt((current + step + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(found[current]);
    }
  };

  return (
    <>
      <div className="ask">
        <Icon of={Search} />
        <input
          role="combobox"
          aria-expanded="true"
          aria-controls={listId}
          aria-activedescendant={found[current] ? `${listId}-${current}` : undefined}
          aria-label="Search for a page or an action"
          placeholder="Go anywhere, run anything, find anything by name"
          autoFocus
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKey}
        />
        <Kbd keys="Esc" />
      </div>
      <div role="listbox" id={listId} aria-label="Found" ref={list}>
        {found.map((action, index) => (
          <Choice
            key={action.id}
            id={`${listId}-${index}`}
            action={action}
            heading={!typed && action.group !== found[index - 1]?.group ? action.group : undefined}
            kind={action.id.startsWith("found.") ? action.group : undefined}
            selected={index === current}
            onPoint={() => setAt(index)}
            onRun={() => run(action)}
          />
        ))}
      </div>
      {found.length === 0 && !asking && <p className="pane muted">Nothing is called “{typed}”.</p>}
    </>
  );
}

type ChoiceProps = { id: string; action: Action; heading?: string; /** What kind of thing was found. */ kind?: string; selected: boolean; onPoint: () => void; onRun: () => void };

function Choice({ id, action, heading, kind, selected, onPoint, onRun }: ChoiceProps) {
  return (
    <>
      {heading && (
        <div className="group-label micro" role="presentation">
          {heading}
        </div>
      )}
      {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the field keeps the focus and handles the keys */}
      <div id={id} role="option" aria-selected={selected} aria-disabled={action.refused ? true : undefined} onMouseMove={onPoint} onClick={onRun}>
        {action.icon && <Icon of={action.icon} />}
        <span className="clip">{action.label}</span>
        {kind && <span className="meta">{kind}</span>}
        {kind && <span className="meta clip min-w-0">{action.also}</span>}
        {action.refused && <span className="meta">{action.refused}</span>}
        {action.keys && <Kbd keys={shownKeys(action.keys)} />}
      </div>
    </>
  );
}

function rank(actions: Action[], typed: string): Action[] {
  const listed = grouped(actions, "").flatMap(([, members]) => members);
  if (!typed.trim()) return listed;
  return listed
    .map((action) => ({ action, points: score(`${action.label} ${action.also ?? ""} ${action.group ?? ""}`, typed) }))
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points)
    .slice(0, 50)
    .map(({ action }) => action);
}
