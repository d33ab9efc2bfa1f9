import "../edge.css";
import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { usePage } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { PageHeader } from "@/ui/PageHeader";
import { Notice } from "@/ui/states";
import { EdgeContext } from "../EdgeContext";
import { fleetPath, policiesPath, policyPath } from "../paths";
import { bundlesQuery } from "../queries";
import { PolicyText } from "./PolicyText";
import { Simulation } from "./Simulation";
import { sample } from "./words";

/** A policy is written, and seen before it does anything. */
export function NewPolicyPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const newest = useSuspenseQuery(bundlesQuery(team)).data.items[0]?.id ?? "20260415-build-42";
  const [text, setText] = useState(() => sample(newest));
  const refused = refusal(useSession(), team, "member");
  const navigate = useNavigate();
  const client = useQueryClient();
  const save = useTask({
    run: () => data(api.POST("/api/v1/edge/policies", { body: { team, text } })),
    onDone: ({ id }) => {
      void client.invalidateQueries({ queryKey: ["edge", "policies", team] });
      void navigate({ to: policyPath(team, id) });
    },
  });
  usePage({ title: "New policy", crumbs: [{ label: "Edge", to: fleetPath(team) }, { label: "Policies", to: policiesPath(team) }, { label: "New policy" }] });
  return (
    <>
      <EdgeContext team={team} />
      <PageHeader
        title="New policy"
        meta="nothing is rolled out by saving it"
        actions={
          <Button kind="primary" busy={save.busy} refused={refused} onClick={() => void save.start()}>
            Save
          </Button>
        }
      />
      {save.error !== null && (
        <div className="pane pb-0">
          <Notice kind="bad">{asProblem(save.error).message}</Notice>
        </div>
      )}
      <div className="edge-cols">
        <div>
          <section aria-label="Text">
            <PolicyText team={team} text={text} onText={setText} readOnly={Boolean(refused)} />
          </section>
        </div>
        <aside aria-label="Simulation of the text">
          <Simulation team={team} text={text} />
        </aside>
      </div>
    </>
  );
}
