import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Drawer } from "@/ui/Drawer";
import { RelativeTime } from "@/ui/RelativeTime";
import { SkeletonRows } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { deliveriesPath } from "../paths";
import { type Rule, ruleMessagesQuery } from "./queries";
import { fate } from "./words";

type Props = { team: string; rule: Rule | undefined; before?: number; onBefore: (before: number | undefined) => void; onClose: () => void };

const pageLength = 50;

/** What a rule sent, the newest first, because of which delivery, and why it did not arrive. */
export function RuleHistory({ team, rule, before, onBefore, onClose }: Props) {
  const { data, error } = useQuery({ ...ruleMessagesQuery(rule?.id ?? "", before), enabled: rule !== undefined, placeholderData: keepPreviousData });
  const items = data?.items ?? [];
  return (
    <Drawer open={rule !== undefined} onClose={onClose} title={`Sent by ${rule?.name ?? ""}`}>
      {error && <Notice kind="bad">{asProblem(error).message}</Notice>}
      {!data && !error && <SkeletonRows rows={5} />}
      {data && items.length === 0 && (
        <section>
          <p className="strong">Nothing was sent yet</p>
          <p className="muted">The next delivery that fits is listed here by itself; the test button sends one now.</p>
        </section>
      )}
      {items.length > 0 && (
        <section>
          <ul className="grid gap-3">
            {items.map((one) => (
              <li key={one.id} className="grid gap-1">
                <span className="line">
                  <Status {...fate(one)} />
                  <span className="push meta">
                    <RelativeTime at={one.ended_at ?? one.created_at} />
                  </span>
                </span>
                <span className="[overflow-wrap:anywhere]">{one.title}</span>
                {one.error && <code className="meta [overflow-wrap:anywhere]">{one.error}</code>}
                {one.delivery && (
                  <Link className="link" to={deliveriesPath(team)} search={{ delivery: one.delivery } as never}>
                    The delivery that caused it
                  </Link>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
      {(before || items.length >= pageLength) && (
        <section className="line">
          {before && <Button onClick={() => onBefore(undefined)}>Newest</Button>}
          {items.length >= pageLength && <Button onClick={() => onBefore(items.at(-1)?.id)}>Older</Button>}
        </section>
      )}
    </Drawer>
  );
}
