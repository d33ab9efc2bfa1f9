import { asProblem } from "@/api/problem";
import { plural } from "@/format/bytes";
import { StatusGlyph } from "@/ui/StatusGlyph";
import type { Diagnostic } from "../queries";
import type { Goto } from "./CodeEditor";

type Props = { diagnostics: Diagnostic[]; checking: boolean; error: unknown; empty: boolean; onGo: (to: Goto) => void };

/** What is wrong, in the server's words; pressing a line goes to its place. */
export function Diagnostics({ diagnostics, checking, error, empty, onGo }: Props) {
  return (
    <section className="wrongs" aria-label="Checks">
      <p className="sum meta" role="status">
        {summary(diagnostics, empty, error)}
        {checking && !empty && " · checking"}
      </p>
      {diagnostics.map((one, at) => (
        <button key={at} type="button" className="wrong" disabled={one.line < 1} onClick={() => onGo({ line: one.line, column: one.column })}>
          <StatusGlyph status={one.severity === "error" ? "failed" : "errored"} label={one.severity} />
          <span className="at mono">{one.line > 0 ? `${one.line}:${one.column}` : "–"}</span>
          <span className="say">{one.message}</span>
          <span className="path mono clip">{one.path}</span>
        </button>
      ))}
    </section>
  );
}

function summary(diagnostics: Diagnostic[], empty: boolean, error: unknown): string {
  if (empty) return "Nothing to check yet";
  if (error) return `Not checked: ${asProblem(error).message}`;
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const warnings = diagnostics.length - errors;
  if (diagnostics.length === 0) return "Nothing is wrong with it";
  return [errors > 0 && plural(errors, "error"), warnings > 0 && plural(warnings, "warning")].filter(Boolean).join(", ");
}
