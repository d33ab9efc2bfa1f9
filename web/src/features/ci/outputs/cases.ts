import type { Status } from "@/ui/status";
import type { TestCase, TestState } from "./queries";

const shown: Record<TestState, { status: Status; label: string }> = {
  passed: { status: "succeeded", label: "Passed" },
  failed: { status: "failed", label: "Failed" },
  errored: { status: "errored", label: "Errored" },
  skipped: { status: "skipped", label: "Skipped" },
};

export const caseStatus = (state: TestState) => shown[state];

/** The name, without the class that runners repeat before it. */
export function caseTitle({ class: owner, name }: Pick<TestCase, "class" | "name">): string {
  for (const between of [".", "::", " ", "#"]) if (owner && name.startsWith(owner + between)) return name.slice(owner.length + between.length);
  return name || owner;
}

/** Where it is: class or suite, and the file. */
export function caseWhere({ suite, class: owner, file, line }: Pick<TestCase, "suite" | "class" | "file" | "line">): string {
  const place = file ? `${file}${line > 0 ? `:${line}` : ""}` : "";
  return [owner || suite, place].filter(Boolean).join(" · ");
}
