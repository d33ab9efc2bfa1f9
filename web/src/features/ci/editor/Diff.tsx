import { plural } from "@/format/bytes";
import { classes } from "@/ui/classes";
import type { DiffLine } from "./diff";

const signs = { same: " ", added: "+", removed: "−" };

/** A comparison, line by line. The sign says it too, not the colour alone. */
export function Diff({ lines }: { lines: DiffLine[] }) {
  if (lines.every(({ kind }) => kind === "gap" || kind === "same")) return <p className="muted">They are the same.</p>;
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls and must be reachable
    <div className="diff" role="region" aria-label="Comparison" tabIndex={0}>
      {lines.map((line, at) =>
        line.kind === "gap" ? (
          <div key={at} className="gap">
            {plural(line.lines, "line")} alike
          </div>
        ) : (
          <div key={at} className={classes("row", line.kind)}>
            <span className="sign">{signs[line.kind]}</span>
            {line.text || " "}
          </div>
        ),
      )}
    </div>
  );
}
