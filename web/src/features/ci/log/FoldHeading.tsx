import { ChevronDown, ChevronRight } from "lucide-react";
import { count } from "@/format/bytes";
import { Icon } from "@/ui/Icon";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { shownStatus, took } from "../build/steps";
import type { Step } from "../queries";
import type { Block } from "./blocks";

type Props = { block: Block; open: boolean; steps: Map<string, Step>; now: number; onToggle: () => void };

/** The heading of a block of lines; pressing it folds or opens them. */
export function FoldHeading({ block, open, steps, now, onToggle }: Props) {
  const named = block.steps.map((id) => steps.get(id));
  const one = named.length === 1 ? named[0] : undefined;
  return (
    <button type="button" className="log-fold" aria-expanded={open} data-fold={block.first} onClick={onToggle}>
      <Icon of={open ? ChevronDown : ChevronRight} size="s" />
      <span className="what">
        {one ? (
          <>
            <StatusGlyph status={shownStatus(one.status)} label={one.status} />
            <em>{one.kind}</em>
            <span className="clip">{one.name}</span>
          </>
        ) : (
          <span className="clip">{block.steps.map((id, at) => named[at]?.name || id).join(", ")}</span>
        )}
        <em className="lines">{block.first === block.last ? `line ${count(block.first)}` : `lines ${block.first} to ${block.last}`}</em>
      </span>
      <span className="took">{one ? [one.exit_status ? `exit ${one.exit_status}` : "", took(one, now)].filter(Boolean).join(" · ") : "in parallel"}</span>
    </button>
  );
}

/** Which blocks stand open at first: in a build that failed, what failed; else everything but what was fetched. */
export function opensAtFirst(block: Block, steps: Map<string, Step>, failed: boolean): boolean {
  const states = block.steps.map((id) => steps.get(id));
  if (states.some((step) => !step || step.status === "failed" || step.status === "errored" || step.status === "aborted" || step.status === "running" || step.status === "pending")) return true;
  if (failed) return false;
  return states.some((step) => step?.kind !== "get" && step?.kind !== "check");
}
