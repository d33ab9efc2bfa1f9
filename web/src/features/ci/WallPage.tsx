import { useParams } from "@tanstack/react-router";
import { useSession } from "@/api/session";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { EmptyState } from "@/ui/states";

/** Every pipeline of the team. */
export function WallPage() {
  const { team = "" } = useParams({ strict: false }) as { team?: string };
  const { public_url: url } = useSession();
  usePage({ title: "Pipelines", crumbs: [{ label: "Pipelines" }] });
  const command = `fly -t ${team} login -c ${url} -n ${team}\nfly -t ${team} set-pipeline -p hello -c pipeline.yml`;
  return (
    <>
      <PageHeader title="Pipelines" meta={`none in ${team}`} />
      <EmptyState headline="No pipelines yet" command={command} filled={[url]} waiting={<b>Waiting for the first pipeline</b>}>
        Pipelines of {team} will appear here with their last builds, as soon as one is set.
      </EmptyState>
    </>
  );
}
