import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Repeat } from "lucide-react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { bytes } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Copyable } from "@/ui/CopyButton";
import { Drawer } from "@/ui/Drawer";
import { Facts } from "@/ui/facts";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { SkeletonRows } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { type Delivery, deliveryQuery } from "../queries";
import { Caused, Verdict } from "./Deliveries";

type Props = { id: string | undefined; onClose: () => void; team: string; refused: string | false };

/** One delivery: what it was, what came of it, its body; and to do it again. */
export function DeliveryDrawer({ id, onClose, team, refused }: Props) {
  const { data: one, error } = useQuery({ ...deliveryQuery(id ?? ""), enabled: id !== undefined });
  const client = useQueryClient();
  const toast = useToast();
  const again = useTask({
    run: (delivery: string) => data(api.POST("/api/v1/ci/deliveries/{id}/redeliver", { params: { path: { id: delivery } } })),
    failed: "Not delivered again.",
    onDone: (renewed) => {
      toast({ text: `The ${renewed.event} is worked on again` });
      void client.invalidateQueries({ queryKey: ["ci", "deliveries", team] });
      void client.invalidateQueries({ queryKey: deliveryQuery(renewed.id).queryKey });
    },
  });
  const kept = one !== undefined && one.verdict === "accepted" && one.event !== "ping";
  const why = refused || (!kept && "Nothing of it was kept to be worked on.");
  return (
    <Drawer
      open={id !== undefined}
      onClose={onClose}
      title={one ? `${one.event} ${one.action}`.trim() : "Delivery"}
      actions={
        <Button size="small" icon={Repeat} busy={again.busy} refused={why} onClick={() => id && void again.start(id)}>
          Redeliver
        </Button>
      }
    >
      {error && <Notice kind="bad">{asProblem(error).message}</Notice>}
      {!one && !error && <SkeletonRows rows={5} />}
      {one && <About one={one} />}
    </Drawer>
  );
}

function About({ one }: { one: Delivery }) {
  const body = "body" in one && one.body !== null && one.body !== undefined ? JSON.stringify(one.body, null, 2) : "";
  return (
    <>
      <section>
        <Facts
          items={[
            ["Verdict", <Verdict key="verdict" one={one} />],
            ["Caused", <Caused key="caused" one={one} />],
            ["Received", <RelativeTime key="at" at={one.received_at} />],
            ["From", [one.repository, one.sender].filter(Boolean).join(", by ")],
            ["Id at GitHub", <Copyable key="guid" text={one.guid} />],
            ["Size", bytes(one.size)],
            ["Worked on", one.digest_ms === undefined ? undefined : `${one.digest_ms} ms`],
          ]}
        />
      </section>
      {one.error && (
        <section>
          <h3 className="micro">Why</h3>
          <p>{one.error}</p>
        </section>
      )}
      <section>
        <h3 className="micro">Body</h3>
        {body ? <CodeBlock code={body.length > 20_000 ? `${body.slice(0, 20_000)}\n…` : body} label="Body" /> : <p className="muted">Not kept: it was refused.</p>}
      </section>
    </>
  );
}
