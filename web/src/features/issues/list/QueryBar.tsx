import { Search, X } from "lucide-react";
import { type KeyboardEvent, useId, useRef, useState } from "react";
import { useActions } from "@/ui/frame/hooks";
import { Icon } from "@/ui/Icon";
import { Kbd } from "@/ui/Kbd";
import { type Mistake, parts, suggestions, tokens, without } from "./tokens";

type Props = { query: string; mistake?: Mistake; onQuery: (query: string) => void };

/** What is searched for, as tokens to take away; what is typed becomes one with Enter. */
export function QueryBar({ query, mistake, onQuery }: Props) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(-1);
  const [open, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  useActions([{ id: "issues.find", label: "Search issues", group: "This page", icon: Search, keys: "/", run: () => input.current?.focus() }]);
  const before = typed.slice(0, typed.length - (typed.split(/\s/).at(-1)?.length ?? 0));
  const offered = open ? suggestions(typed.slice(before.length)) : [];
  const set = (next: string) => {
    setTyped(next);
    setAt(-1);
    setOpen(true);
  };
  const submit = (words: string) => {
    setOpen(false);
    setTyped("");
    if (words.trim()) onQuery(`${query} ${words}`.trim());
  };
  const take = (choice: string) => (choice.endsWith(":") ? set(before + choice) : submit(before + choice));
  const press = (event: KeyboardEvent<HTMLInputElement>) => {
    const last = tokens(query).at(-1);
    if (event.key === "Backspace" && typed === "" && last) {
      // The piece comes back as text: a mistake is corrected, not typed again.
      event.preventDefault();
      onQuery(without(query, last));
      setTyped(last.text);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      setAt(Math.max(-1, Math.min(offered.length - 1, at + (event.key === "ArrowDown" ? 1 : -1))));
    } else if (event.key === "Enter") {
      const choice = offered[at];
      if (choice) take(choice);
      else submit(typed);
    } else if (event.key === "Escape") {
      if (open) setOpen(false);
      else input.current?.blur();
    }
  };
  return (
    <div className="issues-ask">
      <div className="query">
        <Icon of={Search} />
        {tokens(query).map((token) => {
          const { key, value } = parts(token.text);
          const bad = mistake && token.start < mistake.end && mistake.start < token.end;
          return (
            <span key={`${token.start}${token.text}`} className={bad ? "token bad" : "token"}>
              {key && <em>{key}</em>}
              {value}
              <button type="button" className="x" aria-label={`Remove ${token.text}`} onClick={() => onQuery(without(query, token))}>
                <Icon of={X} size="s" />
              </button>
            </span>
          );
        })}
        <input
          ref={input}
          value={typed}
          onChange={(event) => set(event.target.value)}
          onKeyDown={press}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          role="combobox"
          aria-label="Search issues"
          aria-expanded={offered.length > 0}
          aria-controls={list}
          aria-activedescendant={at >= 0 && offered[at] ? `${list}-${at}` : undefined}
          aria-invalid={mistake ? true : undefined}
          aria-describedby={mistake ? `${list}-bad` : undefined}
          placeholder={query ? "" : "is:unresolved release:2.4 has:user, or words"}
          autoComplete="off"
          spellCheck={false}
        />
        <Kbd keys="/" />
      </div>
      <div id={list} role="listbox" aria-label="Completions" className="float menu issues-offer" hidden={offered.length === 0}>
        {offered.map((choice, index) => (
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- keys are the field's
          <div key={choice} id={`${list}-${index}`} role="option" aria-selected={index === at} onMouseDown={(event) => event.preventDefault()} onClick={() => take(choice)}>
            <code>{choice}</code>
          </div>
        ))}
      </div>
      {mistake && (
        <p className="hint bad" id={`${list}-bad`} role="alert">
          {mistake.message}
        </p>
      )}
    </div>
  );
}
