import { FindField } from "./FindField";

/** Above a list of people that is too long for a glance. */
export function FindPeople({ q, onFind }: { q: string; onFind: (q: string) => void }) {
  return (
    <div className="toolbar">
      <FindField label="Find somebody" placeholder="name" value={q} onFind={onFind} />
    </div>
  );
}

export function NobodyFound({ q }: { q: string }) {
  return <p className="pane muted">Nobody’s name has “{q}” in it.</p>;
}
