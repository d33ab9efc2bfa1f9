import { Copyable } from "@/ui/CopyButton";
import { Drawer } from "@/ui/Drawer";
import { Facts } from "@/ui/facts";
import { RelativeTime } from "@/ui/RelativeTime";
import type { Pipeline, Version } from "../queries";
import { shortVersion } from "../state";
import { VersionBuilds } from "./VersionBuilds";

/** Everything a version says about itself, and the builds that used it. */
export function VersionDrawer({ version, resource, pipeline, onClose }: { version: Version | undefined; resource: number; pipeline: Pipeline; onClose: () => void }) {
  return (
    <Drawer open={version !== undefined} onClose={onClose} title={version ? shortVersion(version.version) : ""}>
      {version && (
        <>
          <section>
            <h3 className="micro">Version</h3>
            <Facts items={Object.entries(version.version).map(([name, value]) => [name, <Copyable key={name} text={value} />])} />
          </section>
          {version.metadata.length > 0 && (
            <section>
              <h3 className="micro">Metadata</h3>
              <Facts items={version.metadata.map(({ name, value }) => [name, <span key={name} className="whitespace-pre-wrap [overflow-wrap:anywhere]">{value}</span>])} />
            </section>
          )}
          <section>
            <h3 className="micro">Here</h3>
            <Facts items={[["Found", <RelativeTime key="found" at={version.created_at} />], ["Jobs", version.enabled ? "may use it" : "pass over it"], ["Pinned", version.pinned ? "yes" : "no"]]} />
          </section>
          <VersionBuilds resource={resource} version={version.id} pipeline={pipeline} />
        </>
      )}
    </Drawer>
  );
}
