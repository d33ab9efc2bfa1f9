import { Ban, Check, Pin } from "lucide-react";
import { Button, IconButton } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Icon } from "@/ui/Icon";
import { RelativeTime } from "@/ui/RelativeTime";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { flyName } from "../address";
import type { Pipeline, Resource, Version } from "../queries";
import { fullVersion, shortVersion } from "../state";
import { useEnable } from "./acts";
import { headline } from "./headline";
import { versionsShown } from "./search";

type Props = {
  pipeline: Pipeline;
  resource: Resource;
  page: { items: Version[]; more: boolean };
  offset: number;
  role: string | false;
  onOffset: (offset: number) => void;
  onOpen: (version: Version) => void;
  onPin: (version: Version) => void;
};

/** Versions, the newest first, with what the resource says about each. */
export function Versions({ pipeline, resource, page, offset, role, onOffset, onOpen, onPin }: Props) {
  const enable = useEnable(resource);
  if (page.items.length === 0 && offset === 0) {
    return (
      <div className="pane grid gap-3 max-w-[760px]">
        <h2>No versions yet</h2>
        <p className="muted">{resource.check_error ? "The check must succeed first." : `The first check that finds something lists it here${pipeline.paused ? ", once the pipeline runs" : ""}.`}</p>
        <CodeBlock code={`fly -t ${pipeline.team} check-resource -r ${flyName(pipeline)}/${resource.name}`} />
      </div>
    );
  }
  const acts = (version: Version) => (
    <span className="line justify-end">
      <IconButton
        size="small"
        icon={Pin}
        label={version.pinned ? "Pinned to this version" : `Pin to ${shortVersion(version.version)}`}
        refused={role || (resource.pinned_in_config && "The configuration pins this resource; change it there.") || (version.pinned && "It is the pinned one.")}
        onClick={() => onPin(version)}
      />
      <IconButton
        size="small"
        icon={version.enabled ? Ban : Check}
        label={version.enabled ? `Disable ${shortVersion(version.version)}` : `Enable ${shortVersion(version.version)}`}
        refused={role}
        busy={enable.busy}
        onClick={() => void enable.start(version, !version.enabled)}
      />
    </span>
  );
  return (
    <>
      <Table label="Versions" columns={columns(acts, onOpen)} rows={page.items} rowKey={({ id }) => String(id)} onOpen={onOpen} keyboard />
      {(offset > 0 || page.more) && (
        <nav className="pane line" aria-label="Pages of versions">
          {offset > 0 && <Button onClick={() => onOffset(Math.max(0, offset - versionsShown))}>Newer versions</Button>}
          {page.more && <Button onClick={() => onOffset(offset + versionsShown)}>Older versions</Button>}
        </nav>
      )}
    </>
  );
}

function columns(acts: (version: Version) => React.ReactNode, onOpen: (version: Version) => void): Column<Version>[] {
  return [
    {
      key: "version",
      head: "Version",
      width: "26%",
      lead: true,
      cell: (version) => (
        <span className="line">
          {version.pinned && <Icon of={Pin} size="s" label="Pinned" />}
          <button type="button" className="mono clip" title={fullVersion(version.version)} onClick={() => onOpen(version)}>
            {shortVersion(version.version)}
          </button>
        </span>
      ),
    },
    { key: "says", head: "Says", cell: (version) => <span title={headline(version)}>{headline(version) || "–"}</span> },
    { key: "state", head: "State", width: 128, cell: ({ enabled }) => (enabled ? <Status status="succeeded" word="enabled" /> : <Status status="skipped" word="disabled" />) },
    { key: "found", head: "Found", width: 112, cell: ({ created_at: at }) => <RelativeTime at={at} /> },
    { key: "acts", head: <span className="sr">Actions</span>, width: 96, end: true, cell: acts },
  ];
}
