import { useQuery } from "@tanstack/react-query";
import { Eye } from "lucide-react";
import { useState } from "react";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { useActions } from "@/ui/frame/hooks";
import { Notice } from "@/ui/states";
import { DryRunShown } from "./DryRunShown";
import { dryRunQuery } from "./queries";

/** Asks what a rollout of this text would do, without doing it. */
export function Simulation({ team, text }: { team: string; text: string }) {
  const [asked, setAsked] = useState("");
  const { data: dry, error, isFetching } = useQuery({ ...dryRunQuery(team, { text: asked }), enabled: asked !== "" });
  useActions([{ id: "edge.policy.simulate", label: "Simulate", group: "This page", keys: "s", icon: Eye, run: () => setAsked(text) }]);
  return (
    <section className="grid gap-3" aria-label="Simulate">
      <h2>What it would do</h2>
      <p className="line">
        <Button icon={Eye} busy={isFetching} tip="s" onClick={() => setAsked(text)}>
          Simulate
        </Button>
        <span className="meta">{asked !== "" && asked !== text ? "the text has changed since" : "which nodes, in which batches, and who is left out"}</span>
      </p>
      {error && <Notice kind="bad">{asProblem(error).message}</Notice>}
      {dry && <DryRunShown dry={dry} />}
    </section>
  );
}
