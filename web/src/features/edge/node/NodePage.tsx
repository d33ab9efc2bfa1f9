import "../edge.css";
import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { ScrollText } from "lucide-react";
import { useState } from "react";
import { api, data, done } from "@/api/client";
import { refusal, useSession } from "@/api/session";
import { bytes } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Copyable } from "@/ui/CopyButton";
import { Confirm } from "@/ui/Dialog";
import { Facts } from "@/ui/facts";
import { useActions, usePage } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { EdgeContext } from "../EdgeContext";
import { labelsText } from "../enrolment/commands";
import { exitWords, nodeLook } from "../looks";
import { bundlePath, fleetPath, rolloutPath } from "../paths";
import type { Node } from "../queries";
import { call } from "../shell/commands";
import { FromShell } from "../shell/FromShell";
import { Fingerprint } from "../Fingerprint";
import { Cves, Packages } from "./Installed";
import { EditNode } from "./EditNode";
import { NodeThread } from "./NodeThread";
import { eventsQuery, nodeQuery } from "./queries";
import { Timeline } from "./Timeline";

/** One machine: who it is, what it has, what happened to it. */
export function NodePage() {
  const { team, node: id } = useParams({ strict: false }) as { team: string; node: string };
  const node = useSuspenseQuery(nodeQuery(id)).data;
  const events = useQuery(eventsQuery(id));
  const { status, word } = nodeLook(node);
  usePage({ title: node.name, status, crumbs: [{ label: "Edge", to: fleetPath(team) }, { label: node.name }] });
  return (
    <>
      <EdgeContext team={team} />
      <PageHeader title={node.name} status={status} meta={<Heading node={node} word={word} />} actions={<Acts team={team} node={node} />} />
      <div className="edge-cols">
        <div>
          <Warnings team={team} node={node} />
          <section aria-label="What happened">
            <h2>What happened</h2>
            <Timeline team={team} events={events.data?.items} error={events.error} />
          </section>
          <NodeThread team={team} id={id} />
          <Cves team={team} id={id} />
          <Packages id={id} />
          <FromShell command={(url) => `# here\n${call(url, `nodes/${id}`)}\n# on the machine\nsudo signalbox-agent status\nsudo signalbox-agent doctor\nsudo signalbox-agent rollback`} />
        </div>
        <aside aria-label="Facts">
          <Identity node={node} />
          <Standing team={team} node={node} />
        </aside>
      </div>
    </>
  );
}

function Heading({ node, word }: { node: Node; word: string }) {
  return (
    <>
      {word}
      {node.site && ` · ${node.site}`} · {node.seen_at ? <>seen <RelativeTime at={node.seen_at} /></> : "never heard of"}
      {node.offline && " · that is normal"}
    </>
  );
}

function Acts({ team, node }: { team: string; node: Node }) {
  const [asked, setAsked] = useState<"reject" | "revoke" | "delete">();
  const [editing, setEditing] = useState(false);
  const session = useSession();
  const refused = refusal(session, team, "member");
  const client = useQueryClient();
  const navigate = useNavigate();
  const stale = () => {
    setAsked(undefined);
    void client.invalidateQueries({ queryKey: ["edge"] });
  };
  const decide = useTask({ run: (decision: "accept" | "reject" | "revoke") => data(api.POST("/api/v1/edge/decisions", { body: { team, decision, nodes: [node.id] } })), failed: "Nothing was decided.", onDone: stale });
  const remove = useTask({
    run: () => done(api.DELETE("/api/v1/edge/nodes/{id}", { params: { path: { id: node.id } } })),
    failed: "The node is still there.",
    onDone: () => {
      void navigate({ to: fleetPath(team) });
      void client.invalidateQueries({ queryKey: ["edge", "counts"] });
    },
  });
  useActions([{ id: "edge.node.edit", label: `Edit ${node.name}`, group: "This page", keys: "e", refused, run: () => setEditing(true) }]);
  const sure = () => (asked === "delete" ? void remove.start() : asked && void decide.start(asked));
  return (
    <>
      <Button icon={ScrollText} onClick={() => void navigate({ to: logsOf(team), search: { q: `host:${quoted(node.hostname || node.name)}` } as never })}>
        Logs
      </Button>
      {node.state === "pending" && (
        <>
          <Button kind="primary" busy={decide.busy} refused={refused} onClick={() => void decide.start("accept")}>
            Accept
          </Button>
          <Button kind="danger" refused={refused} onClick={() => setAsked("reject")}>
            Reject
          </Button>
        </>
      )}
      <Button refused={refused} tip="e" onClick={() => setEditing(true)}>
        Edit
      </Button>
      {node.state === "accepted" && (
        <Button kind="danger" refused={refused} onClick={() => setAsked("revoke")}>
          Revoke
        </Button>
      )}
      {(node.state === "rejected" || node.state === "revoked") && (
        <Button kind="danger" refused={refused} onClick={() => setAsked("delete")}>
          Delete
        </Button>
      )}
      <Confirm open={asked !== undefined} onClose={() => setAsked(undefined)} onConfirm={sure} busy={decide.busy || remove.busy} title={`${asked === "delete" ? "Delete" : asked === "revoke" ? "Revoke" : "Reject"} ${node.name}?`} act={asked === "delete" ? "Delete" : asked === "revoke" ? "Revoke" : "Reject"}>
        {asked === "delete" ? "Its history goes too." : "Its key is believed no longer. It gets nothing more, and can come back only by enrolling anew with another key."}
      </Confirm>
      {editing && <EditNode node={node} onClose={() => setEditing(false)} />}
    </>
  );
}

/** The address of the logs of a team. They are another capability, so only their address is known here. */
const logsOf = (team: string) => `/teams/${encodeURIComponent(team)}/logs`;
const quoted = (host: string) => (/^[\w.-]+$/.test(host) ? host : JSON.stringify(host));

function Warnings({ team, node }: { team: string; node: Node }) {
  const client = useQueryClient();
  const refused = refusal(useSession(), team, "member");
  const release = useTask({
    run: (bundle: string) => done(api.POST("/api/v1/edge/nodes/{id}/release", { params: { path: { id: node.id } }, body: { bundle } })),
    failed: "It stays in quarantine.",
    onDone: () => void client.invalidateQueries({ queryKey: ["edge", "node", node.id] }),
  });
  const waiting = node.quarantined.filter((bundle) => !node.releases.includes(bundle));
  if (waiting.length === 0 && !node.doubled_at && !node.lost_at && node.releases.length === 0) return null;
  return (
    <section className="grid gap-2" aria-label="Warnings">
      {node.doubled_at && (
        <Notice kind="warn">
          A number of its requests was used twice <RelativeTime at={node.doubled_at} />: its key may be in two places, as after copying a disk. Revoke it and enrol both anew if so.
        </Notice>
      )}
      {node.lost_at && (
        <Notice kind="warn">
          It has not been heard of for so long that it counts as lost, <RelativeTime at={node.lost_at} />. It goes on by itself when it comes back.
        </Notice>
      )}
      {waiting.map((bundle) => (
        <Notice
          key={bundle}
          kind="bad"
          actions={
            <Button size="small" busy={release.busy} refused={refused} onClick={() => void release.start(bundle)}>
              Let it be tried again
            </Button>
          }
        >
          Bundle {bundle} is in quarantine here{node.last_exit ? `: ${exitWords(node.last_exit)}` : ""}.
        </Notice>
      ))}
      {node.releases.length > 0 && <Notice>{node.releases.join(", ")} may be tried again; the node hears of it when it checks in next.</Notice>}
    </section>
  );
}

function Identity({ node }: { node: Node }) {
  return (
    <section>
      <h2>Identity</h2>
      <Facts
        items={[
          ["Fingerprint", <Fingerprint key="f" of={node.fingerprint} />],
          ["Id", <Copyable key="i" text={node.id}>{node.id.slice(0, 16)}</Copyable>],
          ["Host", node.hostname],
          ["System", `${node.os_id} ${node.version_id}${node.codename ? ` (${node.codename})` : ""}, ${node.arch}`],
          ["Kernel", node.kernel || "not said"],
          ["Address", node.address],
          ["Site", node.site || "none"],
          ["Labels", labelsText(node.labels) || "none"],
          ["Enrolled", <RelativeTime key="e" at={node.enrolled_at} />],
          ["Decided by", node.decided_by ? <>{node.decided_by} {node.decided_at && <RelativeTime at={node.decided_at} />}</> : "nobody yet"],
          ["Key since", node.rotated_at ? <RelativeTime key="r" at={node.rotated_at} /> : "its enrolment"],
        ]}
      />
    </section>
  );
}

function Standing({ team, node }: { team: string; node: Node }) {
  return (
    <section>
      <h2>Stands</h2>
      <Facts
        items={[
          ["Bundle", node.bundle ? <Link key="b" className="link" to={bundlePath(team, node.bundle)}>{node.bundle}</Link> : "none yet"],
          ["Rollout", node.rollout ? <Link key="r" className="link" to={rolloutPath(team, node.rollout)}>{node.rollout.slice(0, 12)}</Link> : "none"],
          ["At", [node.agent_state || "idle", node.step].filter(Boolean).join(", ")],
          ["Fetched", node.total_bytes > 0 ? `${bytes(node.done_bytes)} of ${bytes(node.total_bytes)}` : "–"],
          ["Last run", node.last_exit === null ? "none yet" : exitWords(node.last_exit)],
          [node.offline ? "Expected since" : "Next check-in", node.next_at ? <RelativeTime key="n" at={node.next_at} /> : "–"],
          ["Booted", node.booted_at ? <RelativeTime key="o" at={node.booted_at} /> : "–"],
          ["Disk free", node.disk_free > 0 ? bytes(node.disk_free) : "–"],
          ["Clock", Math.abs(node.clock_skew_ms) < 1000 ? "right" : `${Math.round(node.clock_skew_ms / 1000)} s off`],
          ["Agent", node.agent],
          ["Trusts", `root ${node.root_version}, list ${node.targets_version}`],
          ["Held", node.held.join(", ") || "nothing"],
        ]}
      />
    </section>
  );
}
