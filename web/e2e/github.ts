import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

export type Sight = { hooks: { url: string; events: string[]; secret: boolean }[]; statuses: { sha: string; state: string; context: string; target_url: string }[] };

/** A GitHub in memory, in a process of its own. It takes one order per line and answers each with a line. */
export class FakeGitHub {
  url = "";
  readonly #folder = mkdtempSync(join(tmpdir(), "signalbox-github-"));
  #process?: ChildProcess;
  readonly #waiting: ((line: string) => void)[] = [];

  async start(...repositories: string[]): Promise<this> {
    const binary = join(this.#folder, "github");
    execFileSync("go", ["build", "-o", binary, "./server/platform/github/githubtest/serve"], { cwd: resolve(import.meta.dirname, "../.."), stdio: ["ignore", "ignore", "inherit"] });
    const running = spawn(binary, repositories, { stdio: ["pipe", "pipe", "inherit"] });
    this.#process = running;
    createInterface({ input: running.stdout }).on("line", (line) => this.#waiting.shift()?.(line));
    this.url = await this.#line();
    return this;
  }

  /** Sends an event to the repository's hooks, signed; gives what they answered. */
  deliver(repository: string, event: string, payload: unknown): Promise<number[]> {
    return this.#order<number[]>({ deliver: event, repository, payload });
  }

  /** What a repository looks like there. */
  look(repository: string): Promise<Sight> {
    return this.#order<Sight>({ look: true, repository });
  }

  close(): void {
    this.#process?.stdin?.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #order<T>(order: unknown): Promise<T> {
    const answer = this.#line();
    this.#process?.stdin?.write(`${JSON.stringify(order)}\n`);
    return JSON.parse(await answer) as T;
  }

  #line(): Promise<string> {
    return new Promise((found) => this.#waiting.push(found));
  }
}

/** Somebody who is told by rules: keeps what was posted. */
export class Pager {
  url = "";
  readonly heard: string[] = [];
  readonly #server = createServer((request, answer) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      this.heard.push(body);
      answer.end();
    });
  });

  async start(): Promise<this> {
    await new Promise<void>((listening) => this.#server.listen(0, "127.0.0.1", listening));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
    return this;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
