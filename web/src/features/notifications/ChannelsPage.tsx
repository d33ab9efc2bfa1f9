import { useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { useActions } from "@/ui/frame/hooks";
import { EmptyState } from "@/ui/states";
import { ChannelForm } from "./ChannelForm";
import { ChannelList } from "./ChannelList";
import { NotificationsFrame } from "./NotificationsFrame";
import { historyPath } from "./paths";
import { type Channel, type ChannelKind, type ChannelSecret, channelsQuery } from "./queries";
import { kinds } from "./words";

export type Editing = { kind: ChannelKind; channel?: Channel };

/** Who hears of things, and how: mail, Slack, a webhook of one's own, or issues at GitHub. */
export function ChannelsPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const channels = useSuspenseQuery(channelsQuery(team)).data.items;
  const [editing, setEditing] = useState<Editing | null>(null);
  const [made, setMade] = useState<ChannelSecret | null>(null);
  const refused = refusal(useSession(), team, "member");
  const navigate = useNavigate();
  const create = (kind: ChannelKind = "mail") => setEditing({ kind });
  useActions(kinds.map(({ kind, word }) => ({ id: `channel.${kind}`, label: `New ${word} channel`, group: "This page", also: "notification notify", icon: Plus, refused, run: () => create(kind) })));
  return (
    <NotificationsFrame
      team={team}
      title="Channels"
      meta={channels.length === 0 ? `nobody in ${team} is told` : plural(channels.length, "channel")}
      actions={
        <Button kind="primary" icon={Plus} refused={refused} onClick={() => create()}>
          New channel
        </Button>
      }
    >
      {channels.length === 0 ? (
        <EmptyState
          headline="Nobody is told when something breaks"
          actions={kinds.map(({ kind, word }) => (
            <Button key={kind} icon={Plus} refused={refused} onClick={() => create(kind)}>
              {word}
            </Button>
          ))}
          command={makeChannel(team)}
          commandLabel="Or from a shell"
        >
          A channel is a way to people: letters, a Slack channel, a signed webhook, or issues in a repository. It hears of failed builds, rollouts and nodes, and of every alert that names it. Each has a test button, quiet hours, and a list of what was sent.
        </EmptyState>
      ) : (
        <ChannelList
          team={team}
          channels={channels}
          refused={refused}
          onEdit={(channel) => setEditing({ kind: channel.kind, channel })}
          onHistory={(channel) => void navigate({ to: historyPath(team), search: { channel: channel.id } as never })}
        />
      )}
      <ChannelForm editing={editing} team={team} onClose={() => setEditing(null)} onSecret={setMade} />
      <Secret made={made} onClose={() => setMade(null)} />
    </NotificationsFrame>
  );
}

/** The same with curl, as the empty page teaches it. */
function makeChannel(team: string): string {
  const body = JSON.stringify({ team, kind: "slack", name: "#builds", url: "https://hooks.slack.com/services/…" });
  return `curl -X POST ${globalThis.location?.origin ?? ""}/api/v1/ci/channels \\\n  -H "Authorization: Bearer $SIGNALBOX_TOKEN" -H "Content-Type: application/json" \\\n  -d '${body}'`;
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
