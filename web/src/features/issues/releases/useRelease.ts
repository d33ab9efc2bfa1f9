import { useQuery } from "@tanstack/react-query";
import type { At } from "../links/words";
import { namedReleaseQuery, type ReleaseItem, releaseQuery } from "./queries";

/** A release by its version, when its project has it. */
export function useReleaseOf(team: string, project: string, version: string | undefined): ReleaseItem | undefined {
  const { data } = useQuery({ ...namedReleaseQuery(team, project, version ?? ""), enabled: Boolean(version) });
  return data ?? undefined;
}

/** The commit that a release was made of: its newest, whose files are those that ran. */
export function useReleaseCommit(team: string, project: string, version: string | undefined): At | undefined {
  const known = useReleaseOf(team, project, version);
  const { data } = useQuery({ ...releaseQuery(known?.id ?? 0), enabled: (known?.commits ?? 0) > 0 });
  const commit = data?.commit_list[0];
  return commit?.repository ? { repository: commit.repository, sha: commit.id } : undefined;
}
