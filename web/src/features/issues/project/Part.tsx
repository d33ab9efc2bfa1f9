import type { ReactNode } from "react";

/** A part of a page of settings: what it is about at the left, its fields at the right. */
export function Part({ title, meta, children }: { title: string; meta?: string; children: ReactNode }) {
  return (
    <section className="issues-part" aria-label={title}>
      <div>
        <h2>{title}</h2>
        {meta && <p className="meta">{meta}</p>}
      </div>
      <div className="grid gap-3">{children}</div>
    </section>
  );
}
