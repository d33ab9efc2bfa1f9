import { ChevronLeft, ChevronRight, Clock, ZoomIn, ZoomOut } from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { Button, IconButton } from "@/ui/Button";
import { Field, Input } from "@/ui/Field";
import { Segmented } from "@/ui/Segmented";
import { absolute, instant, localField, pasted, quick, rangeLabel } from "./range";
import type { Explore } from "./useExplore";

/** Which stretch of time: quick ranges, two instants, anything pasted; half a window back and forth. */
export function TimePicker({ explore }: { explore: Explore }) {
  const [open, setOpen] = useState(false);
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return undefined;
    const away = (event: Event) => {
      if (!host.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", away);
    document.addEventListener("focusin", away);
    return () => {
      document.removeEventListener("pointerdown", away);
      document.removeEventListener("focusin", away);
    };
  }, [open]);
  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- Escape closes what is open inside
    <div
      className="logs-time"
      ref={host}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.stopPropagation();
        setOpen(false);
        host.current?.querySelector<HTMLElement>("[aria-haspopup]")?.focus();
      }}
    >
      <IconButton icon={ChevronLeft} label="Half a window earlier (←)" onClick={() => explore.shift(-1)} />
      <Button icon={Clock} aria-haspopup="dialog" aria-expanded={open} onClick={() => setOpen(!open)} className="logs-range">
        {rangeLabel(explore.range, explore.at, explore.utc)}
      </Button>
      <IconButton icon={ChevronRight} label="Half a window later (→)" onClick={() => explore.shift(1)} />
      <IconButton icon={ZoomOut} label="Zoom out (z)" onClick={explore.zoomOut} />
      {open && <Panel explore={explore} onClose={() => setOpen(false)} />}
    </div>
  );
}

function Panel({ explore, onClose }: { explore: Explore; onClose: () => void }) {
  const { span, utc } = explore;
  const say = (at: number) => (utc ? new Date(at).toISOString() : localField(at));
  const [from, setFrom] = useState(() => (explore.range.from.startsWith("now") ? explore.range.from : say(span.from)));
  const [to, setTo] = useState(() => (explore.range.to === "now" ? "now" : say(span.to)));
  const [paste, setPaste] = useState("");
  const [wrong, setWrong] = useState<"from" | "to" | "paste">();
  const choose = (range: { from: string; to: string }) => {
    explore.setRange(range);
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const now = Date.now();
    if (paste) {
      const range = pasted(paste, now);
      if (range) choose(range);
      else setWrong("paste");
      return;
    }
    const [start, end] = [instant(from, now), instant(to, now)];
    if (start === undefined) setWrong("from");
    else if (end === undefined || end <= start) setWrong("to");
    else if (to.trim() === "now" && from.startsWith("now-")) choose({ from: from.trim(), to: "now" });
    else choose(absolute({ from: start, to: end }));
  };
  return (
    <div className="float logs-pick" role="dialog" aria-label="Time range">
      <div className="quick">
        {quick.map((range) => (
          <button key={range.from} type="button" aria-pressed={explore.range.to === "now" && explore.range.from === range.from} onClick={() => choose({ from: range.from, to: "now" })}>
            {range.label}
          </button>
        ))}
      </div>
      <form onSubmit={submit} noValidate>
        <Field label="From" error={wrong === "from" ? "This is no time such as 2026-01-31 12:00:00 or now-2h." : undefined}>
          <Input mono value={from} onChange={(event) => setFrom(event.target.value)} autoComplete="off" />
        </Field>
        <Field label="To" error={wrong === "to" ? "This is no time after the first." : undefined}>
          <Input mono value={to} onChange={(event) => setTo(event.target.value)} autoComplete="off" />
        </Field>
        <Field label="Or paste" hint="A time, or two: ISO, or seconds since 1970" error={wrong === "paste" ? "No time can be read in this." : undefined}>
          <Input mono value={paste} onChange={(event) => setPaste(event.target.value)} autoComplete="off" placeholder="2026-01-31T12:00:00Z" />
        </Field>
        <div className="line">
          <Button kind="primary" type="submit" icon={ZoomIn}>
            Show
          </Button>
          <span className="push">
            <Segmented label="Clock" value={utc ? "utc" : "local"} onChange={(clock) => explore.set({ clock: clock === "utc" ? "utc" : undefined })} options={[{ value: "local", label: "Local" }, { value: "utc", label: "UTC" }]} />
          </span>
        </div>
      </form>
    </div>
  );
}
