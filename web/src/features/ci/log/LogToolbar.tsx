import { ArrowDown, ChevronDown, ChevronUp, Download, Search, WrapText } from "lucide-react";
import { type KeyboardEvent, type RefObject, useEffect, useRef, useState } from "react";
import { count } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { classes } from "@/ui/classes";
import { Icon } from "@/ui/Icon";
import { Segmented } from "@/ui/Segmented";
import { Tooltip } from "@/ui/Tooltip";
import type { BuildSearch, TimeShown } from "../build/search";
import { rawLogUrl } from "../queries";
import type { Find } from "./useFind";

const times: { value: TimeShown; label: string }[] = [
  { value: "off", label: "Off" },
  { value: "relative", label: "Relative" },
  { value: "utc", label: "UTC" },
];

type Props = {
  id: number;
  total: number;
  search: BuildSearch;
  onSearch: (change: Partial<BuildSearch>) => void;
  find: Find;
  onStep: (by: 1 | -1) => void;
  field: RefObject<HTMLInputElement | null>;
  following: boolean;
  onFollow: () => void;
  time: TimeShown;
};

/** Find, timestamps, wrap, follow, download. */
export function LogToolbar({ id, total, search, onSearch, find, onStep, field, following, onFollow, time }: Props) {
  return (
    <div className="log-tools" role="toolbar" aria-label="Log">
      <FindField total={total} search={search} onSearch={onSearch} find={find} onStep={onStep} field={field} />
      <IconButton icon={ChevronUp} label="Previous match" onClick={() => onStep(-1)} disabled={find.lines.length === 0} />
      <IconButton icon={ChevronDown} label="Next match" onClick={() => onStep(1)} disabled={find.lines.length === 0} />
      <span className="push desk" />
      <span className="desk">
        <Segmented label="Times" value={time} options={times} onChange={(value) => onSearch({ time: value === "utc" ? undefined : value })} />
      </span>
      <Button kind="quiet" className="desk" icon={WrapText} aria-pressed={search.wrap ?? false} aria-label="Wrap long lines" onClick={() => onSearch({ wrap: search.wrap ? undefined : true })}>
        <span className="wordy">Wrap</span>
      </Button>
      <Button kind="quiet" className="desk" icon={ArrowDown} aria-pressed={following} aria-label="Follow the end" onClick={onFollow}>
        <span className="wordy">Follow</span>
      </Button>
      <Tooltip text="Download the whole log as text">
        <a className="btn icon quiet desk" href={rawLogUrl(id)} download={`build-${id}.log`} aria-label="Download the whole log">
          <Icon of={Download} />
        </a>
      </Tooltip>
    </div>
  );
}

function FindField({ total, search, onSearch, find, onStep, field }: Pick<Props, "total" | "search" | "onSearch" | "find" | "onStep" | "field">) {
  const value = search.q ?? "";
  const [text, setText] = useState(value);
  const [known, setKnown] = useState(value);
  const [sent, setSent] = useState(value);
  // The address may change from elsewhere; what was sent from here comes back later than it was typed.
  if (known !== value) {
    setKnown(value);
    if (value !== sent) setText(value);
  }
  const latest = useRef(onSearch);
  useEffect(() => {
    latest.current = onSearch;
  });
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => {
      setSent(text);
      latest.current({ q: text || undefined, match: undefined });
    }, 200);
    return () => clearTimeout(timer);
  }, [text, value]);
  const onKey = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Enter") {
      event.preventDefault();
      onStep(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      setText("");
      event.currentTarget.blur();
    }
  };
  return (
    <div className={classes("input compact find-log", find.error && "is-bad")}>
      <Icon of={Search} size="s" />
      <input
        ref={field}
        type="search"
        className="mono"
        aria-label="Find in the whole log"
        placeholder="Find in the log"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKey}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
      />
      {value && (
        <span className={classes("push meta", find.error && "failed", "clip")} role="status">
          {said(find, total)}
        </span>
      )}
      <Tooltip text="Regular expression">
        <button type="button" className={classes("chip rx desk", search.regex && "sel")} aria-label="Regular expression" aria-pressed={search.regex ?? false} onClick={() => onSearch({ regex: search.regex ? undefined : true, match: undefined })}>
          .*
        </button>
      </Tooltip>
    </div>
  );
}

function said(find: Find, total: number): string {
  if (find.error) return find.error;
  if (find.busy && find.total === 0) return "searching";
  if (find.total === 0) return `none in ${count(total)} lines`;
  return `${count(find.at + 1)} of ${count(find.total)} in ${count(total)} lines`;
}
