import { useQuery } from "@tanstack/react-query";
import { Repeat, Undo2 } from "lucide-react";
import { asProblem } from "@/api/problem";
import { bytes } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Copyable } from "@/ui/CopyButton";
import { Drawer } from "@/ui/Drawer";
import { Facts } from "@/ui/facts";
import { RelativeTime } from "@/ui/RelativeTime";
import { SkeletonRows } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { deliveryQuery, type Delivery, type Hook } from "../queries";
import { askRefusal, redeliverRefusal, useAskGitHub, useRedeliver } from "./acts";
import { AllCaused } from "./Caused";
import { Verdict } from "./DeliveryTable";

type Props = { id: string | undefined; onClose: () => void; team: string; hooks: Hook[]; refused: string | false };

/** One delivery: what it was, what came of it, its headers and body; and to do it again. */
export function DeliveryDrawer({ id, onClose, team, hooks, refused }: Props) {
  const { data: one, error } = useQuery({ ...deliveryQuery(id ?? ""), enabled: id !== undefined });
  const again = useRedeliver(team);
  const ask = useAskGitHub(team);
  const hook = hooks.find((each) => each.id === one?.hook);
  return (
    <Drawer open={id !== undefined} onClose={onClose} title={one ? `${one.event} ${one.action}`.trim() || "Delivery" : "Delivery"}>
      {error && <Notice kind="bad">{asProblem(error).message}</Notice>}
      {!one && !error && <SkeletonRows rows={5} />}
      {one && (
        <section className="line flex-wrap">
          <Button size="small" icon={Repeat} busy={again.busy} refused={refused || redeliverRefusal(one)} onClick={() => void again.start(one.id)}>
            Redeliver
          </Button>
          <Button size="small" icon={Undo2} busy={ask.busy} refused={refused || askRefusal(one, hook)} onClick={() => void ask.start(one.id)}>
            Ask GitHub to redeliver
          </Button>
        </section>
      )}
      {one && <About one={one} hook={hook?.name} team={team} />}
    </Drawer>
  );
}

function About({ one, hook, team }: { one: Delivery; hook: string | undefined; team: string }) {
  const body = one.body !== null && one.body !== undefined ? JSON.stringify(one.body, null, 2) : "";
  const headers = Object.entries(one.headers ?? {}).map(([name, value]) => `${name}: ${value}`);
  return (
    <>
      <section>
        <Facts
          items={[
            ["Verdict", <Verdict key="verdict" one={one} />],
            ["Caused", <AllCaused key={one.id} one={one} team={team} />],
            ["Received", <RelativeTime key="at" at={one.received_at} />],
            ["Arrived", one.gap ? "no: it was fetched from GitHub afterwards" : "by itself"],
            ["Repository", one.repository || undefined],
            ["Sender", one.sender || undefined],
            ["Webhook", hook],
            ["Id at GitHub", one.guid ? <Copyable key="guid" text={one.guid} /> : undefined],
            ["Size", bytes(one.size)],
            ["Time taken", one.digest_ms === undefined ? undefined : `${one.digest_ms} ms`],
            ["Attempts", one.attempts > 0 ? one.attempts : undefined],
            ...(one.next_attempt_at ? ([["Next attempt", <RelativeTime key="next" at={one.next_attempt_at} />]] as [string, React.ReactNode][]) : []),
          ]}
        />
      </section>
      {one.error && (
        <section>
          <h3 className="micro">Why</h3>
          <p className="[overflow-wrap:anywhere]">{one.error}</p>
        </section>
      )}
      {headers.length > 0 && (
        <section>
          <h3 className="micro">Headers</h3>
          <CodeBlock code={headers.join("\n")} label="Headers" />
        </section>
      )}
      <section>
        <h3 className="micro">Body</h3>
        {body ? <CodeBlock code={body.length > 20_000 ? `${body.slice(0, 20_000)}\n…` : body} label="Body" /> : <p className="muted">{one.verdict === "refused" ? "Not kept: it was refused." : "Nothing was sent, or it is too old to be kept."}</p>}
      </section>
    </>
  );
}
