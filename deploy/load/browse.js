// A person who looks around: signs in once, then opens pages; each page makes
// the calls that ours make, at once.
import http from "k6/http";
import { kept, plan, report, world } from "./plan.js";

export const options = plan("browse", 2, 1000, 10);
export const handleSummary = report;

let csrf = "";

const get = (path, name = path.split("?")[0]) => ["GET", world.url + path, null, { tags: { name } }];
const ask = (path, body) => ["POST", world.url + path, JSON.stringify(body), { headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf }, tags: { name: path } }];

const team = `team=${world.team}`;

function lastQuarter(query) {
  const to = new Date();
  return { team: world.team, query, from: new Date(to - 15 * 60000).toISOString(), to: to.toISOString() };
}

// What each page asks when it opens.
const pages = [
  () => [get(`/api/v1/accounts/teams/${world.team}/home`, "home")],
  () => [get(`/api/v1/ci/pipelines?${team}`), get(`/api/v1/ci/builds?${team}`)],
  () => [get(`/api/v1/ci/pipelines/${world.pipeline}`, "pipeline"), get(`/api/v1/ci/pipelines/${world.pipeline}/graph`, "graph")],
  () => [get(`/api/v1/ci/jobs/${world.job}`, "job"), get(`/api/v1/ci/jobs/${world.job}/builds`, "job builds")],
  () => [get(`/api/v1/ci/deliveries?${team}`), get(`/api/v1/ci/hooks?${team}`)],
  () => [get(`/api/v1/issues/projects?${team}`), get(`/api/v1/issues/issues?${team}&query=is%3Aunresolved`), get(`/api/v1/issues/issues/count?${team}&query=is%3Aunresolved`), get(`/api/v1/issues/views?${team}`)],
  () => [get(`/api/v1/issues/releases?${team}`), get(`/api/v1/issues/alerts?${team}`)],
  () => [ask("/api/v1/logs/search", { ...lastQuarter("payment"), limit: 200 }), ask("/api/v1/logs/histogram", { ...lastQuarter("payment"), bars: 120 }), ask("/api/v1/logs/names", lastQuarter("payment"))],
  () => [get(`/api/v1/logs/sources?${team}`), get(`/api/v1/logs/searches?${team}`)],
  () => [get(`/api/v1/edge/grid?${team}`), get(`/api/v1/edge/nodes?${team}&limit=50`), get(`/api/v1/edge/sites?${team}`), get(`/api/v1/edge/rollouts?${team}`)],
  () => [get(`/api/v1/assistant/runs?${team}`), get(`/api/v1/assistant/approvals?${team}`)],
  () => [get(`/api/v1/accounts/teams/${world.team}/timeline`, "timeline"), get(`/api/v1/accounts/teams/${world.team}/services`, "services")],
  () => [["GET", `${world.url}/teams/${world.team}/ci/pipelines`, null, { tags: { name: "the page itself" } }]],
];

function signIn() {
  const tags = { name: "session", scenario: "driver" };
  http.post(`${world.url}/api/v1/accounts/session`, JSON.stringify({ name: world.user, password: world.password }), { headers: { "Content-Type": "application/json" }, tags });
  csrf = http.get(`${world.url}/api/v1/accounts/me`, { responseType: "text", tags }).json("csrf_token");
}

export default function browse() {
  if (!csrf) signIn();
  const page = pages[(Math.random() * pages.length) | 0]();
  const answers = http.batch([get("/api/v1/accounts/me"), ...page]);
  if (answers.every((a) => a.status === 200)) kept.add(1);
}

// k6 empties the cookies after each iteration unless told otherwise.
options.noCookiesReset = true;
