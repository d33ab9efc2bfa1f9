import "./outputs.css";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useRef } from "react";
import { asProblem } from "@/api/problem";
import { count, plural } from "@/format/bytes";
import { duration } from "@/format/duration";
import { Button } from "@/ui/Button";
import { Chip } from "@/ui/facts";
import { Input } from "@/ui/Field";
import { useActions } from "@/ui/frame/hooks";
import { Segmented } from "@/ui/Segmented";
import { SkeletonRows } from "@/ui/Skeleton";
import { EmptyState, ErrorState } from "@/ui/states";
import { StatusGlyph } from "@/ui/StatusGlyph";
import type { BuildSearch } from "../build/search";
import { isOver } from "../build/steps";
import type { Build } from "../queries";
import { caseStatus, caseTitle, caseWhere } from "./cases";
import { type TestCase, type Tests, testsQuery } from "./queries";
import { testsSnippet } from "./snippets";

type Props = { build: Build; search: BuildSearch; onSearch: (change: Partial<BuildSearch>) => void };

/** What the tests of a build said, those that failed first. */
export function TestsTab({ build, search, onSearch }: Props) {
  const { state, find, page } = search;
  const { data: tests, error, refetch } = useQuery(testsQuery(build.id, { state, q: find, page }));
  const field = useRef<HTMLInputElement>(null);
  useActions([{ id: "tests.find", label: "Find a test", group: "Tests", keys: "/", icon: Search, run: () => field.current?.focus() }]);
  if (error) {
    const problem = asProblem(error);
    return <ErrorState what={problem.title} why={problem.detail} requestId={problem.requestId} onRetry={() => void refetch()} />;
  }
  if (!tests) return <SkeletonRows rows={8} label="Reading the reports" />;
  if (tests.total === 0) return <NoTests build={build} />;
  return (
    <section aria-label="Tests">
      <div className="toolbar tests-bar">
        <Segmented label="Which tests" value={state ?? "all"} options={choices(tests)} onChange={(next) => onSearch({ state: next === "all" ? undefined : next, page: undefined })} />
        <Input ref={field} compact type="search" aria-label="Find a test" placeholder="Find a test" value={find ?? ""} onChange={(event) => onSearch({ find: event.target.value || undefined, page: undefined })} />
        <span className="meta num">{plural(tests.total, "test")} in {duration(tests.duration_ms / 1000)}</span>
      </div>
      {tests.cases.length === 0 && (
        <EmptyState headline="None like that" small actions={<Button onClick={() => onSearch({ state: undefined, find: undefined, page: undefined })}>Show all</Button>}>
          {find ? `No ${state ?? ""} test is called like “${find}”.` : `No test ${state}.`}
        </EmptyState>
      )}
      <ul className="cases" aria-label="Cases">
        {tests.cases.map((one, at) => (
          <li key={`${one.suite} ${one.class} ${one.name} ${at}`}>
            <Case one={one} first={at === 0} />
          </li>
        ))}
      </ul>
      {(page || tests.next) && (
        <nav className="pane line" aria-label="Pages of tests">
          {page && page > 1 && <Button onClick={() => onSearch({ page: page > 2 ? page - 1 : undefined })}>Before</Button>}
          {tests.next && <Button onClick={() => onSearch({ page: tests.next })}>More</Button>}
        </nav>
      )}
    </section>
  );
}

function choices(tests: Tests) {
  const one = <T extends string>(value: T, word: string, many: number) => ({ value, label: `${word} ${count(many)}` });
  return [
    one("all", "All", tests.total),
    one("failed", "Failed", tests.failed),
    ...(tests.errored > 0 ? [one("errored", "Errored", tests.errored)] : []),
    one("passed", "Passed", tests.passed),
    ...(tests.skipped > 0 ? [one("skipped", "Skipped", tests.skipped)] : []),
  ] as { value: "all" | NonNullable<BuildSearch["state"]>; label: string }[];
}

/** One test. What failed first is open: it is what the page is looked at for. */
function Case({ one, first }: { one: TestCase; first: boolean }) {
  const told = Boolean(one.message || one.output);
  const line = (
    <>
      <StatusGlyph {...caseStatus(one.state)} />
      <span className="what">
        <b>{caseTitle(one)}</b>
        <span className="meta">{caseWhere(one)}</span>
      </span>
      {one.flaky && <Chip kind="warn">flaky</Chip>}
      {one.failing_since && (
        <span className="meta since">
          failing since{" "}
          <Link className="link" to={`/builds/${one.failing_since.id}`}>
            #{one.failing_since.name}
          </Link>
        </span>
      )}
      <span className="num meta took">{duration(one.duration_ms / 1000)}</span>
    </>
  );
  if (!told) return <div className="case">{line}</div>;
  return (
    <details className="case-more" open={first && (one.state === "failed" || one.state === "errored")}>
      <summary className="case">{line}</summary>
      <div className="told">
        {one.message && <p>{one.message}</p>}
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls sideways and must be reachable */}
        {one.output && <pre className="code" role="region" aria-label={`Output of ${one.name}`} tabIndex={0}>{one.output}</pre>}
      </div>
    </details>
  );
}

function NoTests({ build }: { build: Build }) {
  const over = isOver(build.status);
  return (
    <EmptyState headline={over ? "No test reports" : "No test reports yet"} command={testsSnippet(build.job?.name ?? "job")} commandLabel="Snippet" filled={['"results/**/*.xml"']}>
      JUnit XML that a task writes into one of its outputs is read when the build ends, and every case shows here. Name the files in the pipeline: the first part is the output, here <code>results</code>.
    </EmptyState>
  );
}
