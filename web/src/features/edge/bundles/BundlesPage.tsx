import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Upload } from "lucide-react";
import { useRef } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { bytes, count, plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState, Notice } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { EdgeFrame } from "../EdgeFrame";
import { bundlePath, keysPath } from "../paths";
import { environment } from "../shell/commands";
import { FromShell } from "../shell/FromShell";
import { useFirst } from "../useFirst";
import { type Bundle, bundlesQuery } from "../queries";

/** What can be rolled out. */
export function BundlesPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const bundles = useSuspenseQuery(bundlesQuery(team)).data.items;
  const { public_url: url } = useSession();
  const refused = refusal(useSession(), team, "member");
  const navigate = useNavigate();
  const upload = useUpload(team);
  const chosen = useRef<HTMLInputElement>(null);
  const publish = (
    <Button kind="primary" icon={Upload} busy={upload.busy} refused={refused} onClick={() => chosen.current?.click()}>
      Publish a file
    </Button>
  );
  const { shown, more } = useFirst(bundles);
  return (
    <EdgeFrame team={team} title="Bundles" meta={bundles.length > 0 ? plural(bundles.length, "bundle") : "none yet"} actions={publish}>
      <input
        ref={chosen}
        type="file"
        accept=".epb"
        hidden
        aria-label="Bundle file"
        onChange={({ target }) => {
          const file = target.files?.[0];
          target.value = "";
          if (file) void upload.start(file);
        }}
      />
      {upload.error !== null && (
        <div className="pane pb-0">
          <Notice kind="bad">
            <b>Not published.</b> {asProblem(upload.error).message}
          </Notice>
        </div>
      )}
      {bundles.length === 0 ? (
        <EmptyState
          headline="No bundles yet"
          command={`export SIGNALBOX_URL=${url} SIGNALBOX_TOKEN=YOUR_TOKEN\nsignalbox bundle inventories -o inventories\nsignalbox bundle build bundle.yaml -o bundle.epb\nsignalbox bundle sign --key keys/release-1.key --trust trust bundle.epb\nsignalbox bundle publish bundle.epb`}
          filled={[url]}
          more={
            <p className="meta">
              The keys come first: see <Link className="link underline" to={keysPath(team)}>Keys</Link>.
            </p>
          }
        >
          A bundle holds packages for the systems of your nodes, with what is needed to take them back, signed by your release key. It is made where that key is, never here.
        </EmptyState>
      ) : (
        <>
          <Table label="Bundles" columns={columns(team)} rows={shown} rowKey={({ id }) => id} onOpen={({ id }) => void navigate({ to: bundlePath(team, id) })} keyboard />
          {more}
          <FromShell command={(own) => `${environment(own)}\nsignalbox bundle publish bundle.epb`} />
        </>
      )}
    </EdgeFrame>
  );
}

function useUpload(team: string) {
  const client = useQueryClient();
  const toast = useToast();
  return useTask({
    run: (file: File) =>
      data(api.POST("/api/v1/edge/bundles", { params: { query: { team } }, body: file as unknown as string, bodySerializer: (body: unknown) => body as File, headers: { "Content-Type": "application/octet-stream" } })),
    onDone: ({ id }) => {
      toast({ text: `${id} is published` });
      void client.invalidateQueries({ queryKey: ["edge", "bundles", team] });
    },
  });
}

const columns = (team: string): Column<Bundle>[] => [
  {
    key: "id",
    head: "Bundle",
    lead: true,
    sort: (a, b) => a.id.localeCompare(b.id),
    cell: ({ id }) => (
      <Link className="title" to={bundlePath(team, id)}>
        {id}
      </Link>
    ),
  },
  { key: "version", head: "Version", said: "version", width: 80, number: true, sort: (a, b) => a.version - b.version, cell: ({ version }) => version },
  { key: "channel", head: "Channel", width: 96, cell: ({ channel }) => channel },
  { key: "variants", head: "For", said: "for", width: "22%", cell: ({ variants }) => <span title={variants.map(({ name }) => name).join(", ")}>{variants.map(({ name }) => name).join(", ")}</span> },
  { key: "packages", head: "Packages", said: "packages", width: 88, number: true, cell: ({ packages }) => count(packages) },
  { key: "fixes", head: "Mends", said: "CVEs mended", width: 80, number: true, cell: ({ fixes }) => count(fixes) },
  { key: "size", head: "Size", width: 88, number: true, sort: (a, b) => a.size - b.size, cell: ({ size }) => bytes(size) },
  { key: "expires", head: "Good until", said: "good until", width: 116, cell: ({ expires_at: at }) => <RelativeTime at={at} /> },
  { key: "at", head: "Published", said: "published", width: 116, sort: (a, b) => Date.parse(a.published_at) - Date.parse(b.published_at), cell: ({ published_at: at }) => <RelativeTime at={at} /> },
];
