import type { components } from "@/api/schema.gen";

type Budget = components["schemas"]["AssistantBudget"];

/** A budget as it is typed: empty is no limit. */
export type Limits = { runs: string; tokens: string; dollars: string };

const typed = (n: number) => (n < 0 ? "" : String(n));

export const limitsOf = ({ runs, tokens, cost }: Budget): Limits => ({ runs: typed(runs), tokens: typed(tokens), dollars: cost < 0 ? "" : String(cost / 1e6) });

/** What is typed as a number; nothing, and what is none, is without end. Zero would be the usual amount, so it is the least. */
function counted(text: string, times = 1): number {
  const n = Number(text.trim().replace(/,/g, ""));
  if (text.trim() === "" || !Number.isFinite(n) || n < 0) return -1;
  return Math.max(1, Math.round(n * times));
}

export const budgetOf = ({ runs, tokens, dollars }: Limits): Budget => ({ runs: counted(runs), tokens: counted(tokens), cost: counted(dollars, 1e6) });
