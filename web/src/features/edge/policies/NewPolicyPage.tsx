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
import { params, text as words } from "@/ui/schema";
import { Notice } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { EdgeContext } from "../EdgeContext";
import { fleetPath, policiesPath, policyPath } from "../paths";
import { bundlesQuery } from "../queries";
import { PolicyText } from "./PolicyText";
import { Simulation } from "./Simulation";
import { fresh, textOf } from "./form";
import { PolicyForm } from "./PolicyForm";

const newSearch = params({ bundle: words(120) });

/** A policy is written, and seen before it does anything. */
export function NewPolicyPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const bundles = useSuspenseQuery(bundlesQuery(team)).data.items;
  const [{ bundle = bundles[0]?.id ?? "20260415-build-42" }] = useUrlState(newSearch);
  const [form, setForm] = useState(() => fresh(bundle));
  const [text, setText] = useState(() => textOf(form));
  const own = text !== textOf(form);
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
          <section aria-label="By asking">
            <PolicyForm
              form={form}
              bundles={bundles}
              onForm={(next) => {
                setForm(next);
                if (!own) setText(textOf(next));
              }}
            />
            {own && (
              <div className="pt-3">
                <Notice actions={<Button size="small" onClick={() => setText(textOf(form))}>Write it anew</Button>}>The text was changed by hand; the form writes over that only when told to.</Notice>
              </div>
            )}
          </section>
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
