import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "vitest";
import type { Server } from "./server";

const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");

type Answer = { node?: string; state?: string };
type Installed = { name: string; version: string; arch: string; source?: string };

const debian = { os_id: "debian", version_id: "12", codename: "bookworm", arch: "amd64", package_system: "apt", kernel: "6.1.0-25-amd64" };
const rocky = { os_id: "rocky", version_id: "9.4", arch: "x86_64", package_system: "rpm", kernel: "5.14.0-427.el9.x86_64" };

/** A machine that speaks as the agent speaks, without being one. */
export class Machine {
  id = "";
  readonly fingerprint: string;
  readonly #secret: KeyObject;
  readonly #key: Buffer;
  #seq = 0;

  constructor(
    private readonly server: Server,
    readonly name: string,
  ) {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    this.#secret = createPrivateKey(privateKey.export({ format: "pem", type: "pkcs8" }));
    this.#key = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
    this.fingerprint = sha256(this.#key).slice(0, 32).replace(/(.{4})(?=.)/g, "$1:");
  }

  /** Asks to become a node. */
  async enrol(token: string, system: "debian" | "rocky" = "debian", site?: string): Promise<this> {
    const machine = { hostname: `${this.name}.example.com`, boot_id: "boot-1", ...(system === "debian" ? debian : rocky) };
    const answer = await this.#say<Answer>("POST", "/edge/v1/enroll", { token, name: this.name, site, public_key: this.#key.toString("base64"), machine, agent: "1.0.0" });
    this.id = answer.node ?? "";
    return this;
  }

  /** Says how it is, as every few minutes. */
  checkIn(more: Record<string, unknown> = {}): Promise<Answer> {
    return this.#say("POST", "/edge/v1/checkin", { state: "idle", agent: "1.0.0", root_version: 1, targets_version: 1, clock: new Date().toISOString(), disk_free: 8e9, boot_id: "boot-1", ...more });
  }

  /** Says what happened. */
  report(...reports: Record<string, unknown>[]): Promise<Answer> {
    return this.#say("POST", "/edge/v1/reports", { reports: reports.map((report, at) => ({ seq: Date.now() * 10 + at, at: new Date().toISOString(), ...report })) });
  }

  /** Says what is installed on it. */
  async inventory(packages: Installed[], release = "rocky"): Promise<void> {
    await this.#say("PUT", "/edge/v1/inventory", stored(Buffer.from(JSON.stringify({ packages, held: [], os_release: { ID: release } }))));
  }

  async #say<T>(method: string, path: string, said: unknown): Promise<T> {
    const body = Buffer.isBuffer(said) ? said : Buffer.from(JSON.stringify(said));
    const at = String(Date.now());
    const seq = String(++this.#seq);
    const message = `signalbox-edge-v1\n${method}\n${path}\n${sha256(body)}\n${at}\n${seq}`;
    const headers: Record<string, string> = { "content-type": "application/json", "X-Edge-Time": at, "X-Edge-Seq": seq, "X-Edge-Signature": sign(null, Buffer.from(message), this.#secret).toString("base64") };
    if (this.id) headers["X-Edge-Node"] = this.id;
    const answer = await fetch(this.server.url + path, { method, headers, body: new Uint8Array(body) });
    const text = await answer.text();
    expect(answer.status, `${this.name} ${path}: ${text}`).toBeLessThan(300);
    return (text ? JSON.parse(text) : {}) as T;
  }
}

/** A zstd frame whose one block is stored as it is: Node has no compressor of its own for it. */
function stored(data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(0xfd2fb528, 0);
  head.writeUInt8(0xa0, 4); // one segment, its size in four bytes
  head.writeUInt32LE(data.length, 5);
  head.writeUIntLE((data.length << 3) | 1, 9, 3);
  return Buffer.concat([head, data]);
}

const rpms = resolve(import.meta.dirname, "../../server/edge/build/testdata/rpm");

// Keys of no worth, sealed so lightly that opening them costs nothing: those that the program makes take a second each.
const passphrase = "correct horse";
const rootKey = { schema: 1, type: "ed25519", public: "yDG0LctA+lj+er26gp/q+ng0a5dDEJdf5mdYtuSDyhc=", argon2id_time: 1, argon2id_kib: 8, salt: "9Gu9rI1D+POiM6rghbzeuw==", nonce: "/oVc5O3ScraDVFIL1uPa/g/wUzQlmMvz", private: "ZRwE+NFiF5LJyxzzgMXdFHcRyvfL+k0mtqbkCR1x8MEhynyvY6sbKkW1P0COW/QB" };
const releaseKey = { schema: 1, type: "ed25519", public: "rRmveVu4Ac9xLShsmcZG4MqOxOnXu6mfQzzsqPHJGL4=", argon2id_time: 1, argon2id_kib: 8, salt: "OJTNSOqu5G0Axw8LpwyyVg==", nonce: "i1dxRcyy9HcyEU3WnjEuNI5AO8hke0v1", private: "sFrnGMorzR6X9GGCBzGGVKERnheYa6OdKlM0ON/jTk+s5OInxIkPogsNQRXhjDkb" };

/** A release person's folder: keys, trust and the bundles made there. */
export class Desk {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(
    private readonly server: Server,
    private readonly token: string,
  ) {
    this.#folder = server.folder;
    this.#env = { ...process.env, SIGNALBOX_URL: server.url, SIGNALBOX_TOKEN: token };
    writeFileSync(this.#at("passphrase"), `${passphrase}\n`);
    writeFileSync(this.#at("root.key"), JSON.stringify(rootKey));
    writeFileSync(this.#at("release.key"), JSON.stringify(releaseKey));
    writeFileSync(this.#at("node"), "lamp\t1.0-1\tnoarch\tlamp-1.0-1.src.rpm\n");
  }

  /** Has the team's nodes trust the keys. */
  async found(): Promise<void> {
    const { public_key: key } = await this.server.api<{ public_key: string }>(this.token, "POST", "/api/v1/edge/trust/keys", { team: "main" });
    this.run("keys", "init", "--root-key", rootKey.public, "--root-threshold", "1", "--release-key", releaseKey.public, "--timestamp-key", key, ...this.#trust, ...this.#passphrase);
    this.run("keys", "sign", "--key", this.#at("root.key"), ...this.#trust, ...this.#passphrase);
    this.run("publish", ...this.#trust);
  }

  /** Builds a bundle that mends CVE-2024-11111 in the package lamp, signs and publishes it. */
  release(id: string, version: number): void {
    const file = this.#at(`${id}.epb`);
    const sources = `[{folder: ${join(rpms, "new")}, keys: [${join(rpms, "key.asc")}]}, {folder: ${join(rpms, "old")}, old: true}]`;
    const text = `bundle: ${id}\nversion: ${version}\nexpires: 2099-01-01T00:00:00Z\nvariants:\n    - nodes: [${this.#at("node")}]\n      os: rocky/9.4/x86_64\n      sources: ${sources}\n      include: {everything: true}\n`;
    writeFileSync(this.#at("bundle.yaml"), text);
    this.run("build", this.#at("bundle.yaml"), "-o", file, "--cache", this.#at("cache"), "--repo-key", this.#at("repo.key"));
    this.run("sign", "--key", this.#at("release.key"), file, ...this.#trust, ...this.#passphrase);
    this.run("publish", file);
  }

  run(...args: string[]): string {
    const binary = resolve(import.meta.dirname, "../../bin/signalbox");
    return execFileSync(binary, ["bundle", ...args], { encoding: "utf8", env: this.#env, stdio: ["ignore", "pipe", "pipe"] });
  }

  get #trust() {
    return ["--trust", this.#at("trust")];
  }

  get #passphrase() {
    return ["--passphrase-file", this.#at("passphrase")];
  }

  #at(name: string) {
    return join(this.#folder, name);
  }
}
