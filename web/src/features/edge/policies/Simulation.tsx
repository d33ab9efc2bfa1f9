import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Eye } from "lucide-react";
import { useState } from "react";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { useActions } from "@/ui/frame/hooks";
import { Notice } from "@/ui/states";
import { DryRunShown } from "./DryRunShown";
import { dryRunQuery } from "./queries";
import { useSettled } from "./useSettled";

/** Asks what a rollout of this text would do, without doing it; once asked, it follows what is typed. */
export function Simulation({ team, text }: { team: string; text: string }) {
  const [asked, setAsked] = useState(false);
  const settled = useSettled(text, 500);
  const { data: dry, error, isFetching } = useQuery({ ...dryRunQuery(team, { text: settled }), enabled: asked && settled.trim() !== "", placeholderData: keepPreviousData });
  useActions([{ id: "edge.policy.simulate", label: "Simulate", group: "This page", keys: "s", icon: Eye, run: () => setAsked(true) }]);
  return (
    <section className="grid gap-3" aria-label="Simulate">
      <h2>What it would do</h2>
      <p className="line">
        <Button icon={Eye} busy={isFetching} tip="s" refused={asked && "It follows what you type."} onClick={() => setAsked(true)}>
          Simulate
        </Button>
        <span className="meta">{asked ? "as the fleet stands now" : "which nodes, in which batches, and who is left out"}</span>
      </p>
      {error && <Notice kind="bad">{asProblem(error).message}</Notice>}
      {dry && <DryRunShown dry={dry} />}
    </section>
  );
}
