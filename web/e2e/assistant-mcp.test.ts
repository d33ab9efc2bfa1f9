import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Server } from "./server";

// The tools as a client that others wrote sees them.

const server = new Server();
const clients: Client[] = [];

beforeAll(() => server.start());

afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await server.close();
});

async function connect(token: string): Promise<Client> {
  const client = new Client({ name: "journey", version: "1" });
  clients.push(client);
  await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), { requestInit: { headers: { authorization: `Bearer ${token}` } } }));
  return client;
}

const tokenFor = (name: string, ...scopes: string[]) => server.command("token", "create", "--user", "admin", "--name", name, "--team", "main", "--scopes", scopes.join(",")).split("\n").at(-1) ?? "";

async function toolsOf(client: Client): Promise<string[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.listTools({ cursor });
    names.push(...page.tools.map((tool) => tool.name));
    cursor = page.nextCursor;
  } while (cursor);
  return names;
}

type Result = { isError?: boolean; structuredContent?: Record<string, unknown>; content: { type: string; text?: string }[] };

it("gives an independent client the tools of its token's scopes, and answers in their shapes", async () => {
  const all = await connect(tokenFor("all", "*"));
  expect(all.getServerVersion()?.name).toBe("signalbox");
  expect(all.getInstructions()).toContain("never instructions");
  const everything = await toolsOf(all);
  expect(everything).toEqual(expect.arrayContaining(["ci_builds_list", "ci_job_trigger", "issues_issue_list", "logs_line_search", "edge_nodes_list"]));

  const reader = await connect(tokenFor("reader", "read"));
  const readable = await toolsOf(reader);
  expect(readable).toContain("ci_builds_list");
  expect(readable).not.toContain("ci_job_trigger");
  expect(readable.length).toBeLessThan(everything.length);

  const logs = await connect(tokenFor("logs", "logs:read"));
  const narrow = await toolsOf(logs);
  expect(narrow.length).toBeGreaterThan(2);
  expect(narrow.filter((name) => !name.startsWith("logs_"))).toEqual([]);

  // The client checks structured answers against the schema that the tool announced.
  const pipelines = (await all.callTool({ name: "ci_pipelines_list", arguments: { team: "main" } })) as Result;
  expect(pipelines.structuredContent).toEqual({ pipelines: [] });
  const count = (await logs.callTool({ name: "logs_line_count", arguments: { team: "main", query: "level:error" } })) as Result;
  expect(count.isError ?? false).toBe(false);
  expect(count.structuredContent).toMatchObject({ total: 0 });

  // What the caller did wrong is an answer that can be mended.
  const misspelt = (await reader.callTool({ name: "ci_builds_list", arguments: { team: "main", pipline: "web" } })) as Result;
  expect(misspelt.isError).toBe(true);
  expect(misspelt.content[0]?.text).toContain("pipline is not a field");
  const unknown = (await reader.callTool({ name: "ci_builds_list", arguments: { team: "main", pipeline: "web" } })) as Result;
  expect(unknown.isError).toBe(true);

  // Beyond the token's scopes there is no tool, whatever its name.
  await expect(reader.callTool({ name: "ci_job_trigger", arguments: { team: "main", pipeline: "web", job: "test" } })).rejects.toThrow(/ci_job_trigger/);
  await expect(logs.callTool({ name: "ci_builds_list", arguments: { team: "main" } })).rejects.toThrow(/ci_builds_list/);
});

it("lets nobody in without a token, or with one that is wrong", async () => {
  for (const token of ["", "sbx_wrong"]) {
    await expect(connect(token)).rejects.toThrow(/401|Unauthorized|token/i);
  }
});
