// All scripts at once, in one k6.
import * as browseScript from "./browse.js";
import * as buildsScript from "./builds.js";
import * as edgeScript from "./edge.js";
import * as elasticScript from "./elastic.js";
import * as jsonlinesScript from "./jsonlines.js";
import * as lokiScript from "./loki.js";
import * as mcpScript from "./mcp.js";
import * as otlpScript from "./otlp.js";
import { report } from "./plan.js";
import * as sentryScript from "./sentry.js";
import * as webhooksScript from "./webhooks.js";

export const browse = browseScript.default;
export const builds = buildsScript.default;
export const edge = edgeScript.default;
export const elastic = elasticScript.default;
export const jsonlines = jsonlinesScript.default;
export const loki = lokiScript.default;
export const mcp = mcpScript.default;
export const otlp = otlpScript.default;
export const sentry = sentryScript.default;
export const webhooks = webhooksScript.default;

const parts = [browseScript, buildsScript, edgeScript, elasticScript, jsonlinesScript, lokiScript, mcpScript, otlpScript, sentryScript, webhooksScript];
export const options = { ...parts[0].options, scenarios: Object.assign({}, ...parts.map((p) => p.options.scenarios)), thresholds: Object.assign({}, ...parts.map((p) => p.options.thresholds)) };
export const handleSummary = report;
