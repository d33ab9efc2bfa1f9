import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Problem } from "@/api/problem";
import { type Project, projectsQuery } from "../queries";

/** The project of the address. */
export function useProject(): { team: string; project: Project } {
  const { team, project: slug } = useParams({ strict: false }) as { team: string; project: string };
  const project = useSuspenseQuery(projectsQuery(team)).data.items.find((one) => one.slug === slug);
  if (!project) throw new Problem({ status: 404, title: "Not found", detail: `There is no project ${slug} in ${team}.` });
  return { team, project };
}
