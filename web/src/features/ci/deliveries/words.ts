/** Events that GitHub has and this server understands, as GitHub calls them. */
export const eventNames: string[] = [
  "push",
  "create",
  "delete",
  "pull_request",
  "pull_request_review",
  "issues",
  "issue_comment",
  "release",
  "check_run",
  "check_suite",
  "workflow_run",
  "deployment",
  "repository",
  "installation",
  "installation_repositories",
  "ping",
];

export const states = [
  { value: "", label: "Every state" },
  { value: "waiting", label: "Waiting" },
  { value: "done", label: "Done" },
  { value: "failed", label: "Failed" },
  { value: "none", label: "Nothing to do" },
];

export const verdicts = [
  { value: "", label: "Every verdict" },
  { value: "accepted", label: "Accepted" },
  { value: "refused", label: "Refused" },
];
