import { ListFilter, Search } from "lucide-react";
import { useRef, useState } from "react";
import { Button } from "@/ui/Button";
import { Input, Select, Tick } from "@/ui/Field";
import { useActions } from "@/ui/frame/hooks";
import type { Hook } from "../queries";
import { type DeliveriesSearch, isFiltered, narrowed, unfiltered } from "./search";
import { eventNames, states, verdicts } from "./words";

type Props = { hooks: Hook[]; search: DeliveriesSearch; onSearch: (change: Partial<DeliveriesSearch>) => void };

const choices = (every: string, words: readonly string[]) => [{ value: "", label: every }, ...words.map((word) => ({ value: word, label: word }))];

/** Which deliveries are listed. */
export function DeliveryFilters({ hooks, search, onSearch }: Props) {
  const bar = useRef<HTMLDivElement>(null);
  // Phones fold them; wider screens always show them.
  const [open, setOpen] = useState(false);
  const set = (change: Partial<DeliveriesSearch>) => onSearch({ ...change, before: undefined });
  useActions([{ id: "deliveries.find", label: "Find a delivery", group: "This page", keys: "/", icon: Search, run: () => bar.current?.querySelector("input")?.focus() }]);
  const all = () => {
    for (const field of bar.current?.querySelectorAll<HTMLInputElement>("input.input") ?? []) field.value = "";
    onSearch(unfiltered);
  };
  // An event that GitHub may have and we do not know keeps its place in the list.
  const events = search.event && !eventNames.includes(search.event) ? [search.event, ...eventNames] : eventNames;
  return (
    <div className="hooks-bar" ref={bar} role="search" aria-label="Deliveries">
      <Input compact type="search" aria-label="Find a delivery" placeholder="Find" defaultValue={search.q ?? ""} onChange={(event) => set({ q: event.target.value || undefined })} />
      <Button className="fold-filters" icon={ListFilter} aria-expanded={open} onClick={() => setOpen(!open)}>
        {narrowed(search) > 0 ? `Filters, ${narrowed(search)} set` : "Filters"}
      </Button>
      <div className={open ? "filters is-open" : "filters"}>
        <Select compact aria-label="Event" className="w-40" value={search.event ?? ""} options={choices("Every event", events)} onValue={(value) => set({ event: value || undefined })} />
        <Input compact type="search" className="short" aria-label="Repository" placeholder="owner/repository" autoCapitalize="none" defaultValue={search.repository ?? ""} onChange={(event) => set({ repository: event.target.value.trim() || undefined })} />
        <Input compact type="search" className="short" aria-label="Sender" placeholder="sender" autoCapitalize="none" defaultValue={search.sender ?? ""} onChange={(event) => set({ sender: event.target.value.trim() || undefined })} />
        <Select compact aria-label="Verdict" className="w-36" value={search.verdict ?? ""} options={verdicts} onValue={(value) => set({ verdict: (value || undefined) as DeliveriesSearch["verdict"] })} />
        <Select compact aria-label="State" className="w-36" value={search.state ?? ""} options={states} onValue={(value) => set({ state: (value || undefined) as DeliveriesSearch["state"] })} />
        {hooks.length > 1 && <Select compact aria-label="Webhook" className="w-40" value={search.hook ?? ""} options={[{ value: "", label: "Every webhook" }, ...hooks.map(({ id, name }) => ({ value: id, label: name }))]} onValue={(value) => set({ hook: value || undefined })} />}
        <Tick checked={search.gap ?? false} onChange={(event) => set({ gap: event.target.checked || undefined })}>
          Recovered only
        </Tick>
        {isFiltered(search) && (
          <Button size="small" kind="quiet" onClick={all}>
            Show all
          </Button>
        )}
      </div>
    </div>
  );
}
