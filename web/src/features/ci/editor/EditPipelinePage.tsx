import { useSuspenseQuery } from "@tanstack/react-query";
import { useLoaderData, useParams } from "@tanstack/react-router";
import { usePage } from "@/ui/frame/hooks";
import { RelativeTime } from "@/ui/RelativeTime";
import { pipelinePath, wallPath } from "../paths";
import { configQuery, pipelinesQuery } from "../queries";
import { Editor } from "./Editor";

/** The configuration of a pipeline that exists. */
export function EditPipelinePage() {
  const { team, name } = useParams({ strict: false }) as { team: string; name: string };
  const { id } = useLoaderData({ strict: false }) as { id: number };
  const config = useSuspenseQuery(configQuery(id)).data;
  const pipeline = useSuspenseQuery(pipelinesQuery(team)).data.items.find((one) => one.id === id);
  usePage({ title: `Configure ${name}`, crumbs: [{ label: "Pipelines", to: wallPath(team) }, { label: name, to: pipelinePath(team, name) }, { label: "Configure" }] });
  return (
    <Editor
      key={id}
      title={`Configure ${name}`}
      team={team}
      name={name}
      saved={{ id, yaml: config.yaml, version: config.version, instanceVars: pipeline?.instance_vars }}
      start={config.yaml}
      meta={
        <>
          version {config.version}
          {pipeline && (
            <>
              , saved <RelativeTime at={pipeline.updated_at} />
            </>
          )}
        </>
      }
    />
  );
}
