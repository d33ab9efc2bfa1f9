import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const password = "correct-horse-battery";

/** The built server, running on a port and in a folder of its own. */
export class Server {
  readonly folder = mkdtempSync(join(tmpdir(), "signalbox-e2e-"));
  readonly repositories = join(this.folder, "repositories");
  url = "";
  #process?: ChildProcess;
  #log = "";

  /** `env` sets what this journey needs beyond the usual, such as SIGNALBOX_OUTBOUND_ALLOW; `how` is the command that serves. */
  constructor(private readonly env: Record<string, string> = {}, private readonly how: string[] = ["serve"]) {}

  async start(): Promise<this> {
    const binary = resolve(import.meta.dirname, "../../bin/signalbox");
    this.#process = spawn(binary, [...this.how, "--data-dir", join(this.folder, "data"), "--listen", this.url ? new URL(this.url).host : "127.0.0.1:0"], {
      env: {
        ...process.env,
        SIGNALBOX_ADMIN_USER: "admin",
        SIGNALBOX_ADMIN_PASSWORD: password,
        SIGNALBOX_CI_LOCAL_REPOSITORIES: this.repositories,
        ...this.env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process.stderr?.on("data", (data: Buffer) => (this.#log += data.toString()));
    this.url = await new Promise<string>((found, failed) => {
      let said = "";
      this.#process?.stdout?.on("data", (data: Buffer) => {
        said += data.toString();
        const match = /on (https?:\/\/\S+)/.exec(said);
        if (match?.[1]) found(match[1]);
      });
      this.#process?.once("exit", (code) => failed(new Error(`the server ended with ${code}:\n${this.#log}`)));
    });
    for (let tries = 0; ; tries++) {
      const ready = await fetch(`${this.url}/readyz`).catch(() => undefined);
      if (ready?.ok) return this;
      if (tries > 200) throw new Error(`the server is not ready:\n${this.#log}`);
      await new Promise((go) => setTimeout(go, 50));
    }
  }

  /** What the server wrote to its own log. */
  get log(): string {
    return this.#log;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const running = this.#process;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise((done) => running.once("exit", done));
    running.kill(signal);
    await ended;
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs one of the server's own commands on its data folder. */
  command(...args: string[]): string {
    const binary = resolve(import.meta.dirname, "../../bin/signalbox");
    return execFileSync(binary, [...args, "--data-dir", join(this.folder, "data")], { encoding: "utf8" }).trim();
  }

  /** Calls the API with a token; throws what the server says when it refuses. */
  async api<T>(token: string, method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }
}

/** A bare repository on disk and a working copy to push from. */
export class Repository {
  readonly bare: string;
  #work: string;

  constructor(folder: string, name: string) {
    this.bare = join(folder, `${name}.git`);
    this.#work = join(folder, `${name}-work`);
    execFileSync("git", ["init", "-q", "--bare", "-b", "main", this.bare]);
    execFileSync("git", ["clone", "-q", this.bare, this.#work], { stdio: "ignore" });
    this.#git("checkout", "-q", "-b", "main");
  }

  /** Commits the files, pushes, and gives the commit's id. */
  push(message: string, files: Record<string, string>): string {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.#work, name), text, { mode: 0o755 });
    this.#git("add", "-A");
    this.#git("commit", "-q", "-m", message);
    this.#git("push", "-q", "origin", "main");
    return this.#git("rev-parse", "HEAD").trim();
  }

  #git(...args: string[]): string {
    return execFileSync("git", ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", ...args], { cwd: this.#work, encoding: "utf8" });
  }
}

/** What GitHub would say of a push to a repository that is on this disk. */
export function pushOf(bare: string, sha: string, message: string) {
  const author = { name: "Ann", email: "ann@example.com", username: "ann" };
  const commit = { id: sha, message, author, committer: author, timestamp: new Date().toISOString(), url: "", added: ["README"], removed: [], modified: [] };
  return {
    ref: "refs/heads/main",
    before: "0".repeat(40),
    after: sha,
    created: false,
    deleted: false,
    forced: false,
    repository: { id: 1, name: "hello", full_name: "acme/hello", owner: { login: "acme", name: "acme" }, clone_url: `file://${bare}`, html_url: "", ssh_url: "", git_url: "", default_branch: "main" },
    pusher: { name: "ann", email: "ann@example.com" },
    sender: { login: "ann", id: 1 },
    head_commit: commit,
    commits: [commit],
  };
}

/** Sends a push as GitHub would. */
export async function sendPush(hook: { url: string; secret: string }, bare: string, sha: string, message: string): Promise<Response> {
  const body = JSON.stringify(pushOf(bare, sha, message));
  return fetch(hook.url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-github-delivery": randomUUID(),
      "x-hub-signature-256": `sha256=${createHmac("sha256", hook.secret).update(body).digest("hex")}`,
    },
    body,
  });
}
