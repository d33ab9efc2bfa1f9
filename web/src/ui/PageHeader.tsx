import type { ReactNode } from "react";
import { type Bar, RunStrip } from "./RunStrip";
import type { Status } from "./status";
import { StatusGlyph } from "./StatusGlyph";
import { type Tab, Tabs } from "./Tabs";

type Props = {
  title: ReactNode;
  status?: Status;
  /** One line. */
  meta?: ReactNode;
  actions?: ReactNode;
  tabs?: Tab[];
  tabsLabel?: string;
  strip?: { bars: Bar[]; label: string };
};

/** The header of an object, 80 px: title line, then tabs at the left and the run strip at the right. */
export function PageHeader({ title, status, meta, actions, tabs, tabsLabel = "Sections", strip }: Props) {
  return (
    <header className="head">
      <div className="top">
        {status && <StatusGlyph status={status} size="l" label={status} />}
        <h1 tabIndex={-1} data-page-title>
          {title}
        </h1>
        <span className="meta clip">{meta}</span>
        {actions && <span className="actions">{actions}</span>}
      </div>
      <div className={tabs || strip ? "bottom" : "bottom bare"}>
        {tabs ? <Tabs label={tabsLabel} items={tabs} /> : strip && <span />}
        {strip && (
          <div className="gauge">
            <span className="meta">{strip.label}</span>
            <RunStrip size="head" bars={strip.bars} label={strip.label} />
          </div>
        )}
      </div>
    </header>
  );
}
