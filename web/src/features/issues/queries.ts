import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type Project = Schemas["Project"];
export type ProjectKey = Schemas["ProjectKey"];
export type ProjectLimit = Schemas["ProjectLimit"];
export type ProjectIngest = Schemas["ProjectIngest"];
export type ProjectSetup = Schemas["ProjectSetup"];
export type IssueItem = Schemas["IssueItem"];
export type Issue = Schemas["Issue"];
export type IssueStatus = Schemas["IssueStatus"];
export type IssueTerms = Schemas["IssueTerms"];
export type IssueEvent = Schemas["IssueEvent"];
export type IssueTag = Schemas["IssueTagList"]["tags"][number];
export type EventRow = Schemas["IssueEventList"]["events"][number];
export type Grouping = Schemas["IssueGrouping"];
export type Activity = Schemas["IssueActivityList"]["activity"][number];
export type Comment = Schemas["IssueComment"];
export type Feedback = Schemas["IssueFeedback"];
export type Event = Schemas["Event"];
export type Frame = Schemas["EventFrame"];
export type Stack = Schemas["EventStack"];
export type Exception = Schemas["EventException"];
export type Breadcrumb = NonNullable<Event["breadcrumbs"]>[number];
export type Pair = Schemas["EventPair"];

export const sorts = ["last_seen", "first_seen", "events", "users"] as const;
export type IssueSort = (typeof sorts)[number];

// Keys are prefixes of one another where one change makes both stale: ["issues", "issue", 7] and what is below it.

export const projectsQuery = (team: string) =>
  queryOptions({
    queryKey: ["issues", "projects", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/projects", { params: { query: { team } }, signal })),
  });

export const setupQuery = (id: number) =>
  queryOptions({
    queryKey: ["issues", "project", id, "setup"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/projects/{id}/setup", { params: { path: { id } }, signal })),
  });

export const keysQuery = (id: number) =>
  queryOptions({
    queryKey: ["issues", "project", id, "keys"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/projects/{id}/keys", { params: { path: { id } }, signal })),
  });

export const ingestQuery = (id: number, hours: number) =>
  queryOptions({
    queryKey: ["issues", "project", id, "ingest", hours],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/projects/{id}/ingest", { params: { path: { id }, query: { hours } }, signal })),
  });

export type IssueFilter = { project?: string; query?: string; sort?: IssueSort };

const pageOfIssues = (team: string, filter: IssueFilter, cursor: string | undefined, limit: number, signal?: AbortSignal) =>
  data(api.GET("/api/v1/issues/issues", { params: { query: { team, ...filter, cursor: cursor || undefined, limit } }, signal }));

/** The list, a page at a time. */
export const issuesQuery = (team: string, filter: IssueFilter) =>
  infiniteQueryOptions({
    queryKey: ["issues", "list", team, filter],
    queryFn: ({ pageParam, signal }) => pageOfIssues(team, filter, pageParam, 50, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
  });

/** How many issues a change of all that match would change. */
export const countIssues = (team: string, { project, query }: IssueFilter) => data(api.GET("/api/v1/issues/issues/count", { params: { query: { team, project, query } } }));

export const issueQuery = (id: number) =>
  queryOptions({
    queryKey: ["issues", "issue", id],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/issues/{id}", { params: { path: { id } }, signal })),
  });

/** One event is never changed; which is the latest does change. */
export const eventQuery = (id: number, event: string) =>
  queryOptions({
    queryKey: ["issues", "issue", id, "event", event],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/issues/{id}/events/{event}", { params: { path: { id, event } }, signal })),
  });

export const eventsQuery = (id: number) =>
  infiniteQueryOptions({
    queryKey: ["issues", "issue", id, "events"],
    queryFn: ({ pageParam, signal }) =>
      data(api.GET("/api/v1/issues/issues/{id}/events", { params: { path: { id }, query: { cursor: pageParam || undefined } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
  });

export const tagsQuery = (id: number) =>
  queryOptions({
    queryKey: ["issues", "issue", id, "tags"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/issues/{id}/tags", { params: { path: { id } }, signal })),
  });

export const groupingQuery = (id: number) =>
  queryOptions({
    queryKey: ["issues", "issue", id, "grouping"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/issues/{id}/grouping", { params: { path: { id } }, signal })),
  });

export const activityQuery = (id: number) =>
  queryOptions({
    queryKey: ["issues", "issue", id, "activity"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/issues/{id}/activity", { params: { path: { id } }, signal })),
  });

export const commentsQuery = (id: number) =>
  queryOptions({
    queryKey: ["issues", "issue", id, "comments"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/issues/{id}/comments", { params: { path: { id } }, signal })),
  });

export const feedbackQuery = (id: number) =>
  queryOptions({
    queryKey: ["issues", "issue", id, "feedback"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/issues/issues/{id}/feedback", { params: { path: { id } }, signal })),
  });

/** Who issues can be given to. */
export const peopleQuery = (team: string) =>
  queryOptions({
    queryKey: ["accounts", "members", team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/teams/{team}/members", { params: { path: { team } }, signal })),
  });

export const attachmentUrl = (id: number) => `/api/v1/issues/attachments/${id}`;
