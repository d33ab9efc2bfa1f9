import { Check, ExternalLink, X } from "lucide-react";
import { Button } from "@/ui/Button";
import { Copyable } from "@/ui/CopyButton";
import { Facts } from "@/ui/facts";
import { Icon } from "@/ui/Icon";
import { RelativeTime } from "@/ui/RelativeTime";
import { StatusGlyph } from "@/ui/StatusGlyph";
import type { Deciding } from "./DecideDialog";
import type { Fork, ForkApproval } from "./queries";
import { title } from "./words";

type Props = { items: ForkApproval[]; role: string | false; onDecide: (deciding: Deciding) => void };

/** Commits of strangers that wait for a member, and what agreeing to one means. */
export function ForkCards({ items, role, onDecide }: Props) {
  return (
    <section aria-label="Pull requests of forks" className="pane grid gap-3">
      <div className="max-w-[760px]">
        <h2>Pull requests of forks</h2>
        <p className="muted">
          Anybody may have written this code. Approving lets builds take this one commit, <b>without any secret</b>: no var, no token, nothing of the team. The next commit asks again.
        </p>
      </div>
      <ul className="grid gap-3 max-w-[760px]">
        {items.map((approval) => (
          <li key={approval.id} className="panel p-4 grid gap-3" aria-label={title(approval)}>
            <Head fork={approval.fork} />
            <Facts items={facts(approval)} />
            <div className="line flex-wrap">
              <Button kind="primary" icon={Check} refused={role || approval.refusal || false} aria-label={`Approve ${title(approval)}`} onClick={() => onDecide({ approval, approve: true })}>
                Run without secrets
              </Button>
              <Button kind="danger" icon={X} refused={role || approval.refusal || false} aria-label={`Reject ${title(approval)}`} onClick={() => onDecide({ approval, approve: false })}>
                Reject
              </Button>
              <span className="meta">
                waits since <RelativeTime at={approval.asked_at} />, runs out <RelativeTime at={approval.expires_at} />
              </span>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Head({ fork }: { fork: Fork }) {
  return (
    <div className="flex items-baseline gap-2 min-w-0">
      <span className="self-center">
        <StatusGlyph status="paused" />
      </span>
      <h3 className="strong min-w-0 [overflow-wrap:anywhere]">{fork.title || `Pull request #${fork.number}`}</h3>
      <span className="muted num">#{fork.number}</span>
    </div>
  );
}

const facts = ({ fork }: ForkApproval): [string, React.ReactNode][] => [
  ["Repository", <span key="repository" className="[overflow-wrap:anywhere]">{fork.repository}</span>],
  ["Fork", <span key="fork" className="[overflow-wrap:anywhere]">{fork.head_repository || "deleted since"}</span>],
  ["Author", fork.author || "unknown"],
  ["Commit", <Copyable key="sha" text={fork.sha}>{fork.sha.slice(0, 12)}</Copyable>],
  [
    "Changes",
    fork.url ? (
      <a key="url" className="link line" href={fork.url} target="_blank" rel="noreferrer">
        Read them before you approve <Icon of={ExternalLink} size="s" />
      </a>
    ) : (
      "no address is known"
    ),
  ],
];
