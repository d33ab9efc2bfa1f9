import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useLoaderData } from "@tanstack/react-router";
import { Pin, PinOff, RotateCw } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Copyable } from "@/ui/CopyButton";
import { Facts } from "@/ui/facts";
import { useActions, usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { useCheck, useOperatorRefusal } from "../acts";
import { flyName, jobAddress, pipelineAddress, pipelineTitle } from "../address";
import { AddressLink } from "../AddressLink";
import { wallPath } from "../paths";
import { graphQuery, type Pipeline, type Resource, resourceQuery, type Version, versionsQuery } from "../queries";
import { fullVersion, remoteWords } from "../state";
import { WallContext } from "../wall/WallContext";
import { useUnpin } from "./acts";
import { PinDialog } from "./PinDialog";
import { resourceSearch, versionsShown } from "./search";
import { VersionDrawer } from "./VersionDrawer";
import { Versions } from "./Versions";

// Below the versions: few pages of resources are opened for it.
const Deliveries = lazy(async () => ({ default: (await import("./Deliveries")).Deliveries }));

/** One resource: its versions, how its last check went, who uses it. */
export function ResourcePage() {
  const { id, pipeline: pipelineId } = useLoaderData({ strict: false }) as { id: number; pipeline: number };
  const resource = useSuspenseQuery(resourceQuery(id)).data;
  const { pipeline } = useSuspenseQuery(graphQuery(pipelineId)).data;
  const [search, setSearch] = useUrlState(resourceSearch);
  const versions = useSuspenseQuery(versionsQuery(id, search.offset, versionsShown)).data;
  const [pinning, setPinning] = useState<Version | null>(null);
  const role = useOperatorRefusal(pipeline.team);
  const member = refusal(useSession(), pipeline.team, "member");
  const check = useCheck();
  const open = versions.items.find((version) => version.id === search.version);
  usePage({
    title: `${resource.name} of ${pipelineTitle(pipeline)}`,
    status: resource.check_error ? "errored" : undefined,
    crumbs: [{ label: "Pipelines", to: wallPath(pipeline.team) }, { label: pipeline.name, to: pipelineAddress(pipeline).to }, { label: resource.name }],
  });
  useActions([{ id: "resource.check", label: `Check ${resource.name} now`, group: "This resource", keys: "r", icon: RotateCw, refused: role, run: () => void check.start(resource) }]);
  return (
    <>
      <WallContext team={pipeline.team} />
      <PageHeader
        title={resource.name}
        status={resource.check_error ? "errored" : undefined}
        meta={`${resource.type} resource of ${pipelineTitle(pipeline)}`}
        actions={
          <Button kind="primary" icon={RotateCw} refused={role} busy={check.busy} onClick={() => void check.start(resource)}>
            Check now
          </Button>
        }
      />
      <State resource={resource} pipeline={pipeline} role={role} />
      <Details resource={resource} pipeline={pipeline} />
      <Versions
        pipeline={pipeline}
        resource={resource}
        page={versions}
        offset={search.offset}
        role={role}
        onOffset={(offset) => setSearch({ offset: offset || undefined, version: undefined }, { push: true })}
        onOpen={(version) => setSearch({ version: version.id })}
        onPin={setPinning}
      />
      <Suspense>
        <Deliveries resource={resource} pipeline={pipeline} refused={member} />
      </Suspense>
      <VersionDrawer version={open} resource={id} pipeline={pipeline} onClose={() => setSearch({ version: undefined })} />
      <PinDialog resource={resource} version={pinning} onClose={() => setPinning(null)} />
    </>
  );
}

function State({ resource, pipeline, role }: { resource: Resource; pipeline: Pipeline; role: string | false }) {
  const unpin = useUnpin(resource, pipeline.id);
  if (!resource.check_error && !resource.pinned) return null;
  return (
    <div className="pane grid gap-2 pb-3">
      {resource.check_error && (
        <Notice kind="bad">
          The last check failed{resource.last_checked_at && <> <RelativeTime at={resource.last_checked_at} /></>}: <code className="[overflow-wrap:anywhere]" title={resource.check_error}>{remoteWords(resource.check_error)}</code>
          {resource.next_check_at && !pipeline.paused && <span className="muted"> Next try <RelativeTime at={resource.next_check_at} />.</span>}
        </Notice>
      )}
      {resource.pinned && (
        <div className="notice pinned-note" role="status">
          <Pin className="i" aria-hidden="true" strokeWidth={1.5} />
          <span className="min-w-0">
            <b>Pinned</b> to <code>{fullVersion(resource.pinned_version)}</code>
            {resource.pin_comment && <>: {resource.pin_comment}</>} <span className="muted">{resource.pinned_in_config ? "Set in the configuration; change it there." : "Jobs use this version only."}</span>
          </span>
          {!resource.pinned_in_config && (
            <span className="actions">
              <Button size="small" icon={PinOff} refused={role} busy={unpin.busy} onClick={() => void unpin.start()}>
                Unpin
              </Button>
            </span>
          )}
        </div>
      )}
    </div>
  );
}

function Details({ resource, pipeline }: { resource: Resource; pipeline: Pipeline }) {
  const next = pipeline.paused ? "when the pipeline runs again" : resource.next_check_at ? <RelativeTime at={resource.next_check_at} /> : "not planned";
  const command = `fly -t ${pipeline.team} check-resource -r ${flyName(pipeline)}/${resource.name}`;
  return (
    <div className="pane [&_.copy]:text-left">
      <Facts
        items={[
          [
            "Last check",
            resource.last_checked_at ? (
              <>
                <RelativeTime at={resource.last_checked_at} />, {resource.last_check_succeeded ? "succeeded" : "failed"}
                {resource.check_build && (
                  <>
                    {" "}
                    <Link className="link" to={`/builds/${resource.check_build.id}`}>
                      its log
                    </Link>
                  </>
                )}
              </>
            ) : (
              "not yet"
            ),
          ],
          ["Next check", next],
          ["Checked by", <CheckedBy key="by" resource={resource} />],
          [
            `Used by ${plural(resource.used_by.length, "job")}`,
            resource.used_by.length > 0
              ? resource.used_by.map((name, at) => (
                  <span key={name}>
                    {at > 0 && ", "}
                    <AddressLink className="link" at={jobAddress(pipeline, name)}>
                      {name}
                    </AddressLink>
                  </span>
                ))
              : "nobody",
          ],
          [
            "Webhook",
            resource.webhook_url ? (
              <>
                <Copyable text={`${resource.webhook_url}?webhook_token=`} what="Copy the address without its token">
                  {resource.webhook_url}
                </Copyable>{" "}
                <span className="muted">add ?webhook_token=, the token of the configuration</span>
              </>
            ) : (
              <span className="muted">none: set webhook_token in the configuration to get an address</span>
            ),
          ],
          ["Command", <Copyable key="fly" text={command} />],
        ]}
      />
    </div>
  );
}

/** What tells of new versions, and why it is asked as often as it is. */
function CheckedBy({ resource: { checked_by: by, checked_reason: reason } }: { resource: Resource }) {
  return (
    <>
      {by === "webhook" ? "webhooks" : "polling"}
      {reason && <span className="muted">. {reason}</span>}
    </>
  );
}
