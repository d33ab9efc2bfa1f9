import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ChevronDown, ChevronRight, Minus } from "lucide-react";
import { useMemo, useState } from "react";
import { count } from "@/format/bytes";
import { Drawer } from "@/ui/Drawer";
import { Icon } from "@/ui/Icon";
import { type Facet, type Name, namesQuery, valuesQuery } from "../queries";
import { hasTerm, term, withoutTerm, withTerm } from "./terms";
import type { Explore } from "./useExplore";
import { useNarrow } from "./usePhone";

const shown = 5;
const opened = 6;
const listed = 20;

/** The fields beside the lines; where there is no room for them, in a drawer. */
export function Facets({ explore }: { explore: Explore }) {
  const narrow = useNarrow();
  const { search, set, query } = explore;
  if (!narrow) return <FacetList explore={explore} />;
  // What is chosen there is seen in the lines behind.
  const choose = (q: string) => set({ q: q || undefined, facets: undefined, line: undefined }, { push: true });
  const chosen: Explore = { ...explore, narrow: (condition) => choose(withTerm(query, condition)), widen: (condition) => choose(withoutTerm(query, condition)) };
  return (
    <Drawer open={Boolean(search.facets)} onClose={() => set({ facets: undefined })} title="Fields">
      <FacetList explore={chosen} />
    </Drawer>
  );
}

/** Names first, with the most frequent values of those that tell lines apart. */
function FacetList({ explore }: { explore: Explore }) {
  const { asked } = explore;
  const [chosen, setChosen] = useState<ReadonlyMap<string, boolean>>(() => new Map());
  const [all, setAll] = useState(false);
  const { data, error } = useQuery({ ...namesQuery(asked), placeholderData: keepPreviousData });
  const names = useMemo(() => ranked(data?.names ?? []), [data]);
  const isOpen = (name: string, at: number) => chosen.get(name) ?? at < opened;
  const wanted = names.filter(({ name }, at) => at < (all ? names.length : listed) && isOpen(name, at)).map(({ name }) => name).slice(0, 20);
  const values = useQuery({ ...valuesQuery(asked, wanted, shown), placeholderData: keepPreviousData });
  if (error || !data || data.names.length === 0) return <aside className="logs-facets" aria-label="Fields" aria-busy={!error} />;
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls and must be reachable
    <aside className="logs-facets" aria-label="Fields" tabIndex={0}>
      {names.slice(0, all ? names.length : listed).map((name, at) => {
        const open = isOpen(name.name, at);
        const facet = values.data?.facets.find((found) => found.name === name.name);
        return <Section key={name.name} name={name} facet={facet} open={open} explore={explore} onToggle={() => setChosen((were) => new Map(were).set(name.name, !open))} />;
      })}
      {names.length > listed && (
        <button type="button" className="more" onClick={() => setAll(!all)}>
          {all ? "Fewer" : `${names.length - listed} more fields`}
        </button>
      )}
    </aside>
  );
}

/** The level, then labels, then fields that many lines have. */
function ranked(names: Name[]): Name[] {
  const rank = ({ name, label }: Name) => (name === "level" ? 0 : label ? 1 : 2);
  const level: Name = { name: "level", kind: "string", lines: 0, label: false };
  return [level, ...names.filter(({ name }) => !name.startsWith("_") && name !== "level")].toSorted((a, b) => rank(a) - rank(b));
}

type SectionProps = { name: Name; facet?: Facet; open: boolean; explore: Explore; onToggle: () => void };

function Section({ name, facet, open, explore, onToggle }: SectionProps) {
  const { query, widen, narrow } = explore;
  return (
    <section className="logs-facet">
      <h3>
        <button type="button" aria-expanded={open} onClick={onToggle}>
          <Icon of={open ? ChevronDown : ChevronRight} size="s" />
          <span className="mono clip">{name.name}</span>
          <span className="meta push">{facet ? `${count(facet.distinct)}${facet.more ? "+" : ""}` : ""}</span>
        </button>
      </h3>
      {open &&
        facet?.values.map(({ value, lines }) => {
          const condition = term(name.name, value);
          const on = hasTerm(query, condition);
          return (
            <div key={value} className="fv">
              <i style={{ width: `${(lines / Math.max(1, facet.lines)) * 100}%` }} />
              <button type="button" className="mono clip" aria-pressed={on} title={value} onClick={() => (on ? widen(condition) : narrow(condition))}>
                {value || '""'}
              </button>
              <button type="button" className="without" aria-label={`Without ${name.name} ${value}`} onClick={() => narrow(`-${condition}`)}>
                <Icon of={Minus} size="s" />
              </button>
              <span className="meta num">{count(lines)}</span>
            </div>
          );
        })}
    </section>
  );
}
