import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Drawer } from "@/ui/Drawer";
import { RelativeTime } from "@/ui/RelativeTime";
import { SkeletonRows } from "@/ui/Skeleton";
import { Status } from "@/ui/StatusGlyph";
import { historyPath } from "./paths";
import { type Message, partsQuery } from "./queries";
import { clock, fate, kindWord } from "./words";

type Props = { team: string; message: Message | undefined; now: number; onClose: () => void };

/** All that is known of a message, and what it tells of when it is one letter for many. */
export function MessageParts({ team, message, now, onClose }: Props) {
  return (
    <Drawer open={message !== undefined} onClose={onClose} title={message?.title ?? ""}>
      {message && (
        <>
          <section className="notify-parts">
            <Status {...fate(message)} />
            {message.error && <code className="[overflow-wrap:anywhere]">{message.error}</code>}
            {message.held_until && <p>Held until {clock(message.held_until, now)}. Its button “Send now” sends it at once.</p>}
            {message.state === "grouped" && <p>One letter told of this and of others.</p>}
            <p className="meta">
              To {message.channel_name} ({kindWord(message.channel_kind)}), <RelativeTime at={message.created_at} />
              {message.rule && (
                <>
                  {", by the rule "}
                  <Link className="link" to={historyPath(team)} search={{ rule: message.rule } as never} onClick={onClose}>
                    {message.rule}
                  </Link>
                </>
              )}
            </p>
            {message.url && (
              <p>
                <a className="link underline" href={message.url}>
                  What it is about
                </a>
              </p>
            )}
          </section>
          {Boolean(message.more) && <Parts team={team} message={message} />}
        </>
      )}
    </Drawer>
  );
}

function Parts({ team, message }: { team: string; message: Message }) {
  const parts = useQuery(partsQuery(team, message.id)).data?.items;
  if (!parts) return <SkeletonRows rows={3} />;
  return (
    <section>
      <h3 className="strong">It tells of {message.more}</h3>
      <ul className="notify-parts pt-2">
        {parts.map((part) => (
          <li key={part.id} className="notify-lines">
            <span>{part.title}</span>
            <span className="meta">
              <RelativeTime at={part.created_at} />
            </span>
          </li>
        ))}
      </ul>
      {parts.length < (message.more ?? 0) && <p className="muted">The others are not remembered one by one.</p>}
    </section>
  );
}
