import { Search, X } from "lucide-react";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { count } from "@/format/bytes";
import { IconButton } from "@/ui/Button";
import { useActions } from "@/ui/frame/hooks";
import { Icon } from "@/ui/Icon";
import { Kbd } from "@/ui/Kbd";
import type { Asked } from "../queries";
import type { Mistake } from "./mistake";
import { useSuggestions } from "./useSuggestions";

type Props = { asked: Asked; mistake?: Mistake; onRun: (query: string) => void };

/** What is searched for, as text; a mistake is underlined where it stands. */
export function QueryBar({ asked, mistake, onRun }: Props) {
  const [text, setText] = useState(asked.query);
  const [shown, setShown] = useState(asked.query);
  const [caret, setCaret] = useState(asked.query.length);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const ghost = useRef<HTMLDivElement>(null);
  const place = useRef<number | null>(null);
  const list = useId();
  // The address changed: by a press on a value, a link, the way back.
  if (shown !== asked.query) {
    setShown(asked.query);
    setText(asked.query);
  }
  const offered = useSuggestions(asked, text, caret, open);
  useActions([{ id: "logs.find", label: "Search logs", group: "This page", icon: Search, keys: "/", run: () => input.current?.focus() }]);
  useEffect(() => {
    if (place.current !== null) input.current?.setSelectionRange(place.current, place.current);
    place.current = null;
  });
  const change = (next: string, to = next.length) => {
    setText(next);
    setCaret(to);
    setAt(-1);
    setOpen(true);
  };
  const run = (next: string) => {
    setOpen(false);
    setAt(-1);
    onRun(next);
  };
  const take = (index: number) => {
    const choice = offered[index];
    if (!choice) return;
    if (choice.whole) {
      setText(choice.insert);
      run(choice.insert);
      return;
    }
    const next = text.slice(0, choice.start) + choice.insert + text.slice(caret).replace(/^[^\s|()]*/, "");
    place.current = choice.start + choice.insert.length;
    change(next, place.current);
  };
  const press = (event: KeyboardEvent<HTMLInputElement>) => {
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && (open || event.key === "ArrowDown")) {
      event.preventDefault();
      setOpen(true);
      setAt(Math.max(-1, Math.min(offered.length - 1, at + (event.key === "ArrowDown" ? 1 : -1))));
    } else if (event.key === "Tab" && open && at >= 0) {
      event.preventDefault();
      take(at);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (open && at >= 0) take(at);
      else {
        // The keys of the page are commands again; / comes back.
        input.current?.blur();
        run(text);
      }
    } else if (event.key === "Escape") {
      if (open && offered.length > 0) setOpen(false);
      else input.current?.blur();
    }
  };
  const wrong = mistake && text === asked.query ? mistake : undefined;
  const expanded = open && offered.length > 0;
  return (
    <div className="logs-ask">
      <div className="query">
        <Icon of={Search} />
        <div className="logs-input">
          <div ref={ghost} className="ghost" aria-hidden="true">
            {wrong && (
              <>
                {[...text].slice(0, wrong.from).join("")}
                <u>{[...text].slice(wrong.from, wrong.to).join("") || " "}</u>
              </>
            )}
          </div>
          <input
            ref={input}
            value={text}
            onChange={(event) => change(event.target.value, event.target.selectionStart ?? event.target.value.length)}
            onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? text.length)}
            onScroll={(event) => ghost.current?.scrollTo({ left: event.currentTarget.scrollLeft })}
            onKeyDown={press}
            onFocus={() => setOpen(true)}
            onBlur={() => setOpen(false)}
            role="combobox"
            aria-label="Search logs"
            aria-expanded={expanded}
            aria-controls={list}
            aria-activedescendant={at >= 0 && offered[at] ? `${list}-${at}` : undefined}
            aria-invalid={wrong ? true : undefined}
            aria-describedby={wrong ? `${list}-bad` : undefined}
            placeholder='timeout "connection refused" service:api -level:debug duration:>1s | stats count() by (host)'
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
          />
        </div>
        {text && <IconButton icon={X} size="small" label="Clear the search" onClick={() => run("")} />}
        <span className="desk">
          <Kbd keys={text === asked.query ? "/" : "Enter"} />
        </span>
      </div>
      <div id={list} role="listbox" aria-label="Suggestions" className="float menu logs-offer" hidden={!expanded}>
        {offered.map((choice, index) => (
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- keys are the field's
          <div key={`${choice.kind}${choice.label}`} id={`${list}-${index}`} role="option" aria-selected={index === at} onMouseDown={(event) => event.preventDefault()} onClick={() => take(index)}>
            <code className="clip">{choice.label}</code>
            <span className="meta push">{choice.lines === undefined ? choice.kind : count(choice.lines)}</span>
          </div>
        ))}
      </div>
      {wrong && (
        <p className="logs-mistake" id={`${list}-bad`} role="alert">
          {wrong.message}
        </p>
      )}
    </div>
  );
}
