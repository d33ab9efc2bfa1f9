import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowDownToLine } from "lucide-react";
import type { ReactNode } from "react";
import { plural } from "@/format/bytes";
import { plain, settled } from "@/ui/ansi";
import { Button } from "@/ui/Button";
import { Chip, Facts } from "@/ui/facts";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { looksBad } from "../log/text";
import type { Build, Failure } from "../queries";
import { type FailureFacts, failureQuery } from "../outputs/queries";
import { Before } from "./Before";
import { shownStatus } from "./steps";

type Props = { build: Build; failure: Failure; onFirstError: () => void };

/** Why it failed, before anybody reads a log. */
export function FailureCard({ build, failure, onFirstError }: Props) {
  const { data: known } = useQuery(failureQuery(build.id));
  const exit = failure.exit_status === undefined || failure.exit_status === null ? "" : `, exit ${failure.exit_status}`;
  const lines = failure.last_lines.map((line) => plain(settled(line)));
  const quoted = quote(lines);
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
      {lines.join("\n").trim() !== quoted && (
        <details>
          <summary className="link">{lines.length > 1 ? `Last ${lines.length} lines` : "Last line"}</summary>
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls and must be reachable */}
          <pre className="quote" role="region" aria-label="Last lines" tabIndex={0}>{lines.join("\n")}</pre>
        </details>
      )}
      <Facts items={known ? knownFacts(known) : facts(failure)} />
      <Before build={build} />
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

/** The same with the history of the job: since when, and whether it can be trusted. */
function knownFacts({ same_failure: { count, of }, first_bad: first, flaky }: FailureFacts): [string, ReactNode][] {
  const seen = of === 0 ? "the first build of this job" : count === 0 ? `in none of the ${plural(of, "build")} before` : `in ${count} of the last ${plural(of, "build")}`;
  return [
    ["Seen", seen],
    [
      "First bad",
      first ? (
        <Link key="first" className="link" to={`/builds/${first.id}`}>
          #{first.name}
        </Link>
      ) : (
        "this one"
      ),
    ],
    ["Flaky", flaky ? "yes: it passed and failed for the same inputs" : "not that it showed"],
  ];
}

const shownLines = 6;

/** The lines that look like the reason, once each, else the last ones as they stand. */
function quote(lines: string[]): string {
  const told = lines.filter((line) => line.trim() !== "");
  const bad = [...new Set(told.filter(looksBad).map((line) => line.trim()))];
  return (bad.length > 0 ? bad.slice(0, shownLines) : told.slice(-shownLines)).join("\n");
}
