import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { useActions, usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { EmptyState } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { ChannelForm } from "./ChannelForm";
import { ChannelHistory } from "./ChannelHistory";
import { ChannelList } from "./ChannelList";
import { type Channel, type ChannelKind, type ChannelSecret, channelsQuery } from "./queries";
import { channelsSearch } from "./search";
import { kinds } from "./words";

export type Editing = { kind: ChannelKind; channel?: Channel };

/** Who hears of failures, and how: mail, Slack, or a webhook of one's own. */
export function ChannelsPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const channels = useSuspenseQuery(channelsQuery(team)).data.items;
  const [search, setSearch] = useUrlState(channelsSearch);
  const [editing, setEditing] = useState<Editing | null>(null);
  const [made, setMade] = useState<ChannelSecret | null>(null);
  const refused = refusal(useSession(), team, "member");
  const create = (kind: ChannelKind = "mail") => setEditing({ kind });
  usePage({ title: `Notifications of ${team}`, crumbs: [{ label: "Settings" }, { label: "Notifications" }] });
  useActions(kinds.map(({ kind, word }) => ({ id: `channel.${kind}`, label: `New ${word} channel`, group: "This page", also: "notification notify", icon: Plus, refused, run: () => create(kind) })));
  return (
    <>
      <PageHeader
        title="Notifications"
        meta={channels.length === 0 ? `nobody in ${team} is told` : `${plural(channels.length, "channel")} of ${team}`}
        actions={
          <Button kind="primary" icon={Plus} refused={refused} onClick={() => create()}>
            New channel
          </Button>
        }
      />
      {channels.length === 0 ? (
        <EmptyState
          headline="Nobody is told when a build fails"
          actions={kinds.map(({ kind, word }) => (
            <Button key={kind} icon={Plus} refused={refused} onClick={() => create(kind)}>
              {word}
            </Button>
          ))}
        >
          A channel tells people of failed builds with their last lines, and when a job is green again. Each has a test button, and a list of what was sent.
        </EmptyState>
      ) : (
        <ChannelList
          team={team}
          channels={channels}
          refused={refused}
          onEdit={(channel) => setEditing({ kind: channel.kind, channel })}
          onHistory={(channel) => setSearch({ channel: channel.id, before: undefined }, { push: true })}
        />
      )}
      <ChannelForm editing={editing} team={team} onClose={() => setEditing(null)} onSecret={setMade} />
      <Secret made={made} onClose={() => setMade(null)} />
      <ChannelHistory
        channel={channels.find(({ id }) => id === search.channel)}
        before={search.before}
        onBefore={(before) => setSearch({ before }, { push: true })}
        onClose={() => setSearch({ channel: undefined, before: undefined })}
      />
    </>
  );
}

function Secret({ made, onClose }: { made: ChannelSecret | null; onClose: () => void }) {
  if (!made?.secret) return null;
  return (
    <Dialog
      open
      sticky
      className="wide"
      onClose={onClose}
      title={`The secret of ${made.name}`}
      description="Requests carry X-Signalbox-Timestamp and X-Signalbox-Signature-256: the HMAC SHA-256 with this secret over the timestamp, a dot and the body. It is shown this once."
    >
      <CodeBlock code={made.secret} label="Secret" filled={[made.secret]} />
      <DialogButtons>
        <Button kind="primary" onClick={onClose}>
          I have copied it
        </Button>
      </DialogButtons>
    </Dialog>
  );
}
