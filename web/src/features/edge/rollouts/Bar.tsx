import { memberLook } from "../looks";
import { parts, partsWords } from "./state";

/** How many nodes are in each state, as one bar. The words of it are read aloud and shown on hover. */
export function Bar({ counts, label }: { counts: Record<string, number>; label: string }) {
  const words = partsWords(counts) || "no node";
  return (
    <div className="stack" role="img" aria-label={`${label}: ${words}`} title={words}>
      {parts(counts).map(({ state, share }) => (
        <i key={state} className={state === "waiting" ? "faint" : state === "released" ? "running hollow" : memberLook(state).status} style={{ "--v": `${share * 100}%` } as React.CSSProperties} />
      ))}
    </div>
  );
}
