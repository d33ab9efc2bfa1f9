import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { api, data } from "@/api/client";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Copyable } from "@/ui/CopyButton";
import { Chip } from "@/ui/facts";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState, Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { EdgeFrame } from "../EdgeFrame";
import { call, change } from "../shell/commands";
import { FromShell } from "../shell/FromShell";
import { type Trust, trustQuery } from "../queries";
import { Behind } from "./Behind";
import { Rotation } from "./Rotation";
import { ceremony, documentLook, portalLook } from "./state";

/** Whose signatures nodes believe. */
export function KeysPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const trust = useSuspenseQuery(trustQuery(team)).data;
  const root = trust.documents.find(({ role, newest }) => role === "root" && newest);
  const expired = trust.documents.filter(({ newest, expired: over }) => newest && over);
  return (
    <EdgeFrame team={team} title="Keys" meta={root ? `root ${root.version}, ${plural(trust.roles.length, "role")}` : "no root yet"} actions={<MakeKey team={team} trust={trust} />}>
      {expired.map(({ role }) => (
        <div key={role} className="pane pb-0">
          <Notice kind="bad">The {role} document has expired: nodes take nothing new until it is signed afresh.</Notice>
        </div>
      ))}
      {!root && <FirstRoot trust={trust} />}
      {trust.roles.length > 0 && <Roles trust={trust} />}
      {trust.documents.length > 0 && <Documents trust={trust} />}
      <PortalKeys trust={trust} />
      {root && <Rotation trust={trust} />}
      {root && <Behind team={team} trust={trust} newest={root.version} />}
      <FromShell command={(url) => (root ? `signalbox bundle keys show --trust trust\n${call(url, "trust", { team })}` : change(url, "POST", "trust/keys", { team }))} />
    </EdgeFrame>
  );
}

function FirstRoot({ trust }: { trust: Trust }) {
  const { public_url: url } = useSession();
  const key = trust.portal_keys[0]?.public_key ?? "";
  return (
    <EmptyState headline="Nodes trust nobody yet" command={ceremony(url, key)} filled={[url, key]} commandLabel="Key ceremony" waiting={<b>Waiting for the first root</b>}>
      {key ? "Run this where your keys shall be, best on a machine without a network. " : "Make this server's key first: it signs only the time, and its public half goes into the command. "}
      Root and release keys never come here: this server can hold back a bundle, but never make one that nodes believe.
    </EmptyState>
  );
}

function MakeKey({ team, trust }: { team: string; trust: Trust }) {
  const refused = refusal(useSession(), team, "owner");
  const client = useQueryClient();
  const make = useTask({
    run: () => data(api.POST("/api/v1/edge/trust/keys", { body: { team } })),
    failed: "No key was made.",
    onDone: () => void client.invalidateQueries({ queryKey: trustQuery(team).queryKey }),
  });
  return (
    <Button kind={trust.portal_keys.length === 0 ? "primary" : "second"} busy={make.busy} refused={refused} onClick={() => void make.start()}>
      {trust.portal_keys.length === 0 ? "Make this server's key" : "Make another server key"}
    </Button>
  );
}

function Roles({ trust }: { trust: Trust }) {
  return (
    <section className="edge-part" aria-label="Roles">
      <h2>Roles</h2>
      <div className="grid gap-4">
        {trust.roles.map(({ role, threshold, keys }) => (
          <div key={role} className="grid gap-1">
            <p>
              <b>{role}</b> <span className="muted">{threshold} of {keys.length} must sign</span>
            </p>
            <ul className="grid gap-1">
              {keys.map(({ id, portal, signed }) => (
                <li key={id} className="line">
                  <Copyable text={id}>{id.slice(0, 24)}</Copyable>
                  {portal && <Chip>this server</Chip>}
                  {signed && <Status status="succeeded" word="has signed the list" />}
                </li>
              ))}
            </ul>
          </div>
        ))}
      </div>
    </section>
  );
}

function Documents({ trust }: { trust: Trust }) {
  type Row = Trust["documents"][number];
  const columns: Column<Row>[] = [
    { key: "role", head: "Document", lead: true, cell: ({ role, version }) => <b>{`${role} ${version}`}</b> },
    { key: "state", head: "State", width: 160, cell: (row) => <Status {...documentLook(row)} /> },
    { key: "expires", head: "Good until", said: "good until", width: 160, cell: ({ expires }) => <RelativeTime at={expires} /> },
  ];
  return (
    <section className="edge-part" aria-label="Documents">
      <h2>Documents</h2>
      <Table label="Documents" columns={columns} rows={trust.documents} rowKey={({ role, version }) => `${role} ${version}`} />
    </section>
  );
}

function PortalKeys({ trust }: { trust: Trust }) {
  if (trust.portal_keys.length === 0) return null;
  return (
    <section className="edge-part" aria-label="Keys of this server">
      <h2>Keys of this server</h2>
      <p className="muted mb-2">They sign the time and assignments, nothing that is installed. To change one, make another and name it in a new root.</p>
      <ul className="grid gap-3">
        {trust.portal_keys.map(({ id, public_key: key, active, created_by: by, created_at: at }) => (
          <li key={id} className="grid gap-1">
            <p className="line">
              <Status {...portalLook({ active, created_at: at }, trust.portal_keys)} />
              <span className="meta">
                made by {by} <RelativeTime at={at} />
              </span>
            </p>
            <CodeBlock label="Public key" code={key} wrap />
          </li>
        ))}
      </ul>
    </section>
  );
}
