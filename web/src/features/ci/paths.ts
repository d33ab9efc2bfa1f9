const part = encodeURIComponent;

/** Addresses of the pages of pipelines. */
export const wallPath = (team: string) => `/teams/${part(team)}/ci`;
export const hooksPath = (team: string) => `${wallPath(team)}/hooks`;
export const repositoriesPath = (team: string) => `${hooksPath(team)}/repositories`;
export const addressesPath = (team: string) => `${hooksPath(team)}/addresses`;
export const deliveriesPath = (team: string) => `${hooksPath(team)}/deliveries`;
export const rulesPath = (team: string) => `${hooksPath(team)}/rules`;
export const postsPath = (team: string) => `${hooksPath(team)}/posts`;
export const channelsPath = (team: string) => `/teams/${part(team)}/notifications/channels`;
export const approvalsPath = (team: string) => `${wallPath(team)}/approvals`;
export const packagesPath = (team: string) => `${wallPath(team)}/packages`;
export const workersPath = (team: string) => `${wallPath(team)}/workers`;
export const newPipelinePath = (team: string) => `${wallPath(team)}/new`;
export const pipelinePath = (team: string, pipeline: string) => `/teams/${part(team)}/pipelines/${part(pipeline)}`;
export const editPath = (team: string, pipeline: string) => `${pipelinePath(team, pipeline)}/edit`;
export const jobPath = (team: string, pipeline: string, job: string) => `${pipelinePath(team, pipeline)}/jobs/${part(job)}`;
export const resourcePath = (team: string, pipeline: string, resource: string) => `${pipelinePath(team, pipeline)}/resources/${part(resource)}`;

type Named = { id: number; name: string; pipeline?: { name: string } | null; job?: { name: string } | null };

/** A build of a job has a readable address; a check is named by its id alone. */
export function buildPath(team: string, build: Named): string {
  if (!build.pipeline || !build.job) return `/builds/${build.id}`;
  return `${jobPath(team, build.pipeline.name, build.job.name)}/builds/${part(build.name)}`;
}
