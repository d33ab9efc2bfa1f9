import { useQuery } from "@tanstack/react-query";
import type { At } from "../links/words";
import { latestReleasesQuery, type ReleaseItem, releaseQuery } from "./queries";

/** A release by its version, when it is among the newest of its project. */
export function useReleaseOf(team: string, project: string, version: string | undefined): ReleaseItem | undefined {
  const { data } = useQuery({ ...latestReleasesQuery(team, project), enabled: Boolean(version) });
  return data?.items.find((one) => one.version === version);
}

/** The commit that a release was made of: its newest, whose files are those that ran. */
export function useReleaseCommit(team: string, project: string, version: string | undefined): At | undefined {
  const known = useReleaseOf(team, project, version);
  const { data } = useQuery({ ...releaseQuery(known?.id ?? 0), enabled: (known?.commits ?? 0) > 0 });
  const commit = data?.commit_list[0];
  return commit?.repository ? { repository: commit.repository, sha: commit.id } : undefined;
}
