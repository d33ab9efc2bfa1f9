import { ArrowDownToLine } from "lucide-react";
import { plural } from "@/format/bytes";
import { plain, settled } from "@/ui/ansi";
import { Button } from "@/ui/Button";
import { Chip, Facts } from "@/ui/facts";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { looksBad } from "../log/text";
import type { Build, Failure } from "../queries";
import { shownStatus } from "./steps";

type Props = { build: Build; failure: Failure; onFirstError: () => void };

/** Why it failed, before anybody reads a log. */
export function FailureCard({ build, failure, onFirstError }: Props) {
  const exit = failure.exit_status === undefined || failure.exit_status === null ? "" : `, exit ${failure.exit_status}`;
  const quoted = quote(failure.last_lines.map((line) => plain(settled(line))));
  return (
    <section className="why" aria-label="Why it failed">
      <header className="line">
        <StatusGlyph status={shownStatus(build.status)} />
        <b className="clip">
          {failure.name || "build"} {build.status}
          {exit}
        </b>
        {failure.line !== undefined && <span className="push"><Chip>line {failure.line}</Chip></span>}
      </header>
      {failure.message && <p>{failure.message}</p>}
      {quoted && <pre className="quote">{quoted}</pre>}
      <Facts items={facts(failure)} />
      {failure.line !== undefined && (
        <div className="line">
          <Button size="small" icon={ArrowDownToLine} onClick={onFirstError}>
            First error
          </Button>
        </div>
      )}
    </section>
  );
}

function facts(failure: Failure): [string, string][] {
  if (failure.compared === 0) return [["Seen", "the first build of this job"]];
  if (failure.same_in_last === 0) return [["Seen", `in none of the ${plural(failure.compared, "build")} before`]];
  return [["Seen", `in ${failure.same_in_last} of the ${plural(failure.compared, "build")} before`]];
}

const shownLines = 6;

/** The lines that look like the reason, once each, else the last ones as they stand. */
function quote(lines: string[]): string {
  const told = lines.filter((line) => line.trim() !== "");
  const bad = [...new Set(told.filter(looksBad).map((line) => line.trim()))];
  return (bad.length > 0 ? bad.slice(0, shownLines) : told.slice(-shownLines)).join("\n");
}
