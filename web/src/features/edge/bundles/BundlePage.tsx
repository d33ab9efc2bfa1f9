import "../edge.css";
import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Rocket } from "lucide-react";
import { useState } from "react";
import { api, done } from "@/api/client";
import { refusal, useSession } from "@/api/session";
import { bytes, count, plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Copyable } from "@/ui/CopyButton";
import { Confirm } from "@/ui/Dialog";
import { Facts } from "@/ui/facts";
import { usePage } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { EdgeContext } from "../EdgeContext";
import { agentLook } from "../looks";
import { bundlesPath, fleetPath, keysPath, newPolicyPath } from "../paths";
import type { BundleStatus } from "../queries";
import { environment } from "../shell/commands";
import { FromShell } from "../shell/FromShell";
import { Fixes, Packages, Variants } from "./Parts";
import { termsOf } from "./contents";
import { Difference } from "./Difference";
import { Export } from "./Export";
import { bundleQuery } from "./queries";

/** What is in a bundle, who signed it, and which nodes have it. */
export function BundlePage() {
  const { team, bundle: id } = useParams({ strict: false }) as { team: string; bundle: string };
  const bundle = useSuspenseQuery(bundleQuery(team, id)).data;
  const address = (what: string) => `/api/v1/edge/bundles/${encodeURIComponent(id)}/${what}?team=${encodeURIComponent(team)}`;
  const good = bundle.vouched && !bundle.expired;
  usePage({ title: id, crumbs: [{ label: "Edge", to: fleetPath(team) }, { label: "Bundles", to: bundlesPath(team) }, { label: id }] });
  return (
    <>
      <EdgeContext team={team} />
      <PageHeader
        title={id}
        status={good ? "succeeded" : "failed"}
        meta={`${good ? "signed and valid" : bundle.expired ? "expired" : "withdrawn"} · version ${bundle.version} · ${bytes(bundle.size)}`}
        actions={<Acts team={team} bundle={bundle} sbom={address("sbom")} good={good} />}
      />
      <div className="edge-cols">
        <div>
          {!good && (
            <section>
              <Notice kind="bad">{bundle.expired ? "Its time is over: nodes refuse it." : "The newest signed list names it no longer: nodes refuse it."}</Notice>
            </section>
          )}
          <Variants team={team} bundle={bundle} />
          <Fixes team={team} bundle={bundle} />
          <Packages bundle={bundle} />
          <Difference key={id} team={team} bundle={bundle} />
          <Export bundle={bundle} file={address("file")} />
          <FromShell command={(url) => `${environment(url)}\nsignalbox bundle export ${id}\nsignalbox bundle verify --trust trust ${id}.epb\nsignalbox bundle inspect ${id}.epb`} />
        </div>
        <aside aria-label="Facts">
          <Signed team={team} bundle={bundle} />
          <Nodes team={team} bundle={bundle} />
          <Terms bundle={bundle} />
        </aside>
      </div>
    </>
  );
}

function Acts({ team, bundle, sbom, good }: { team: string; bundle: BundleStatus; sbom: string; good: boolean }) {
  const [asked, setAsked] = useState(false);
  const refused = refusal(useSession(), team, "owner");
  const client = useQueryClient();
  const navigate = useNavigate();
  const having = Object.values(bundle.nodes).reduce((sum, n) => sum + n, 0);
  const remove = useTask({
    run: () => done(api.DELETE("/api/v1/edge/bundles/{bundle}", { params: { path: { bundle: bundle.id }, query: { team } } })),
    failed: "The bundle is still there.",
    onDone: () => {
      void navigate({ to: bundlesPath(team) });
      void client.invalidateQueries({ queryKey: ["edge", "bundles", team] });
    },
  });
  return (
    <>
      <a className="btn" href={sbom} download={`${bundle.id}.cdx.json`}>
        SBOM
      </a>
      <Button icon={Rocket} refused={!good && "Nodes refuse it."} onClick={() => void navigate({ to: newPolicyPath(team), search: { bundle: bundle.id } as never })}>
        Roll out
      </Button>
      <Button kind="danger" refused={refused} onClick={() => setAsked(true)}>
        Delete
      </Button>
      <Confirm open={asked} onClose={() => setAsked(false)} onConfirm={() => void remove.start()} busy={remove.busy} title={`Delete ${bundle.id}?`} act="Delete" typed={bundle.id}>
        Its files go from this server, {bytes(bundle.size)} of them. {having > 0 ? `${plural(having, "node")} that have it or are at it keep what they have; who still fetches it gets nothing more.` : "No node has it or is at it."} To have nodes refuse it as well, sign a list without it.
      </Confirm>
    </>
  );
}

const roles: Record<string, string> = { targets: "Release key", root: "Root key", snapshot: "Snapshot key", timestamp: "Timestamp key" };

function Signed({ team, bundle }: { team: string; bundle: BundleStatus }) {
  return (
    <section>
      <h2>Signed</h2>
      <Facts
        items={[
          ...bundle.signers.map(({ role, key_id: key }): [string, React.ReactNode] => [roles[role] ?? role, <Copyable key={key} text={key}>{key.slice(0, 12)}</Copyable>]),
          ["Named by", <Link key="k" className="link" to={keysPath(team)}>the root that nodes trust</Link>],
          ["Stands", bundle.vouched ? <Status key="v" status="succeeded" word="in the signed list" /> : <Status key="v" status="failed" word="withdrawn" />],
          ["Good until", <RelativeTime key="e" at={bundle.expires_at} />],
          ["Made", <RelativeTime key="c" at={bundle.created_at} />],
          ["Published", <>{bundle.published_by} <RelativeTime key="p" at={bundle.published_at} /></>],
          ["Channel", bundle.channel],
          ["Manifest", <Copyable key="m" text={bundle.manifest_sha256}>{bundle.manifest_sha256.slice(0, 16)}</Copyable>],
          ["SBOM", <Copyable key="s" text={bundle.sbom_sha256}>{bundle.sbom_sha256.slice(0, 16)}</Copyable>],
        ]}
      />
    </section>
  );
}

function Nodes({ team, bundle }: { team: string; bundle: BundleStatus }) {
  const states = Object.entries(bundle.nodes).filter(([, n]) => n > 0);
  return (
    <section>
      <h2>Nodes</h2>
      {states.length === 0 ? (
        <p className="muted">No node has it or is at it.</p>
      ) : (
        <ul className="grid gap-1">
          {states.map(([state, n]) => (
            <li key={state} className="line">
              <Link to={fleetPath(team)} search={{ q: `bundle:${bundle.id} agent_state:${state}` } as never}>
                <Status {...agentLook(state)} />
              </Link>
              <span className="push num">{count(n)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Terms({ bundle }: { bundle: BundleStatus }) {
  const terms = termsOf(bundle.manifest);
  if (terms.length === 0) return null;
  return (
    <section aria-label="Terms">
      <h2>Terms</h2>
      <Facts items={terms} />
    </section>
  );
}
