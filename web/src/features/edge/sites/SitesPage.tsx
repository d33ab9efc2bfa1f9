import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import { api, done } from "@/api/client";
import { refusal, useSession } from "@/api/session";
import { bytes, count, plural } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { useActions } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { EmptyState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { EdgeFrame } from "../EdgeFrame";
import { enrolmentPath, fleetPath, policiesPath } from "../paths";
import { type Site, sitesQuery } from "../queries";
import { call, change } from "../shell/commands";
import { FromShell } from "../shell/FromShell";
import { useFirst } from "../useFirst";
import { EditSite } from "./EditSite";

/** Where nodes stand, how much they may fetch there together, and when. */
export function SitesPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const sites = useSuspenseQuery(sitesQuery(team)).data.items;
  const refused = refusal(useSession(), team, "member");
  const { shown, more } = useFirst(useMemo(() => sites.toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true })), [sites]));
  const [edited, setEdited] = useState<Site | "new">();
  const [asked, setAsked] = useState<Site>();
  useActions([{ id: "edge.site.new", label: "Describe a site", group: "This page", keys: "c", icon: Plus, refused, run: () => setEdited("new") }]);
  const described = sites.filter(({ kbps }) => kbps > 0).length;
  return (
    <EdgeFrame
      team={team}
      title="Sites"
      meta={sites.length > 0 ? `${plural(sites.length, "site")}, ${described > 0 ? `${count(described)} with a cap` : "none with a cap"}` : "none yet"}
      actions={
        <Button kind="primary" icon={Plus} refused={refused} tip="c" onClick={() => setEdited("new")}>
          New site
        </Button>
      }
    >
      {sites.length === 0 ? (
        <EmptyState headline="No sites yet">
          A site is where nodes share a link: a shop, a ship, a hall. It comes by itself with the first node of a <Link className="link underline" to={enrolmentPath(team)}>token that names it</Link>, or is described here beforehand, with a cap on what its nodes fetch together, and the hours in which they do.
        </EmptyState>
      ) : (
        <>
          <Table label="Sites" columns={columns(team, refused, setEdited, setAsked)} rows={shown} rowKey={({ name }) => name} />
          {more}
          <p className="pane meta pb-0">
            A <Link className="link underline" to={policiesPath(team)}>policy</Link> may cap lower and name fewer hours, below staging; where its hours and those of a site never meet, the site’s hold.
          </p>
        </>
      )}
      <FromShell command={(url) => (sites.length === 0 ? change(url, "PUT", "sites/oslo", { team, description: "Shop in Oslo, 4G link", kbps: 512, hours: "20:00-06:00", timezone: "Europe/Oslo" }) : call(url, "sites", { team }))} />
      {edited && <EditSite team={team} site={edited === "new" ? undefined : edited} onClose={() => setEdited(undefined)} />}
      <Forget team={team} site={asked} onClose={() => setAsked(undefined)} />
    </EdgeFrame>
  );
}

function Forget({ team, site, onClose }: { team: string; site: Site | undefined; onClose: () => void }) {
  const client = useQueryClient();
  const forget = useTask({
    run: ({ name }: Site) => done(api.DELETE("/api/v1/edge/sites/{name}", { params: { path: { name }, query: { team } } })),
    failed: "The site is as it was.",
    onDone: () => {
      void client.invalidateQueries({ queryKey: sitesQuery(team).queryKey });
      onClose();
    },
  });
  return (
    <Confirm open={site !== undefined} onClose={onClose} onConfirm={() => site && void forget.start(site)} busy={forget.busy} title={site ? `Forget what is said of ${site.name}?` : ""} act="Forget">
      {site && site.nodes > 0 ? `Its description, its cap and its hours go; ${plural(site.nodes, "node")} stay there, and fetch when and as fast as the server lets them.` : "Its description, its cap and its hours go."}
    </Confirm>
  );
}

const columns = (team: string, refused: string | false, onEdit: (site: Site) => void, onForget: (site: Site) => void): Column<Site>[] => [
  {
    key: "name",
    head: "Site",
    lead: true,
    width: "20%",
    sort: (a, b) => a.name.localeCompare(b.name, "en", { numeric: true }),
    cell: ({ name }) => (
      <Link className="title" to={fleetPath(team)} search={{ q: `site:${name}` } as never}>
        {name}
      </Link>
    ),
  },
  { key: "description", head: "Description", cell: ({ description }) => description || <span className="muted">–</span> },
  { key: "nodes", head: "Nodes", said: "nodes", width: 88, number: true, sort: (a, b) => a.nodes - b.nodes, cell: ({ nodes }) => count(nodes) },
  { key: "offline", head: "Offline", said: "offline", width: 88, number: true, sort: (a, b) => a.offline - b.offline, cell: ({ offline }) => (offline > 0 ? count(offline) : <span className="muted">0</span>) },
  { key: "cap", head: "Fetches at most", said: "fetches at most", width: 150, number: true, sort: (a, b) => a.kbps - b.kbps, cell: ({ kbps }) => (kbps > 0 ? `${bytes(kbps * 1024)}/s` : <span className="muted">as the server</span>) },
  { key: "hours", head: "Between", said: "between", width: 216, sort: (a, b) => a.hours.localeCompare(b.hours), cell: ({ hours, timezone }) => (hours ? <span title={`${hours} ${timezone || "UTC"}`}>{`${hours} ${timezone || "UTC"}`}</span> : <span className="muted">any time</span>) },
  {
    key: "acts",
    head: <span className="sr">Acts</span>,
    width: 96,
    end: true,
    cell: (site) => (
      <>
        <IconButton size="small" icon={Pencil} label={`Edit ${site.name}`} refused={refused} onClick={() => onEdit(site)} />
        <IconButton size="small" icon={Trash2} label={`Forget ${site.name}`} refused={refused || (!site.description && site.kbps === 0 && !site.hours && "Nothing is said of it that could be forgotten.")} onClick={() => onForget(site)} />
      </>
    ),
  },
];
