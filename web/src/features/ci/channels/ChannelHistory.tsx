import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Drawer } from "@/ui/Drawer";
import { RelativeTime } from "@/ui/RelativeTime";
import { SkeletonRows } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Channel, channelDeliveriesQuery } from "./queries";
import { fate } from "./words";

type Props = { channel: Channel | undefined; before?: number; onBefore: (before: number | undefined) => void; onClose: () => void };

const pageLength = 50;

/** What was sent to a channel, the newest first, and why it did not arrive. */
export function ChannelHistory({ channel, before, onBefore, onClose }: Props) {
  const { data, error } = useQuery({ ...channelDeliveriesQuery(channel?.id ?? "", before), enabled: channel !== undefined, placeholderData: keepPreviousData });
  const items = data?.items ?? [];
  const oldest = items.at(-1)?.id;
  return (
    <Drawer open={channel !== undefined} onClose={onClose} title={`Sent to ${channel?.name ?? ""}`}>
      {error && <Notice kind="bad">{asProblem(error).message}</Notice>}
      {!data && !error && <SkeletonRows rows={5} />}
      {data && items.length === 0 && (
        <section>
          <p className="strong">Nothing was sent yet</p>
          <p className="muted">The next build that {channel?.events.includes("build.failed") ? "fails" : "ends so"} is listed here by itself; the test button sends one now.</p>
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
              </li>
            ))}
          </ul>
        </section>
      )}
      {(before || items.length >= pageLength) && (
        <section className="line">
          {before && <Button onClick={() => onBefore(undefined)}>Newest</Button>}
          {items.length >= pageLength && <Button onClick={() => onBefore(oldest)}>Older</Button>}
        </section>
      )}
    </Drawer>
  );
}
