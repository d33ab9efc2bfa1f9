/** What the form asks; the text that it writes stays the truth. */
export type Form = { name: string; bundle: string; labels: string; canary: string; soak: string; batch: string; delay: string; rate: string; health: string; window: string; timezone: string; approvals: string };

export const fresh = (bundle: string): Form => ({ name: "edge-fleet", bundle, labels: "role=edge-node", canary: "", soak: "24h", batch: "100", delay: "15", rate: "5%", health: "", window: "Tue 02:00-04:00", timezone: "UTC", approvals: "0" });

const quoted = (word: string) => JSON.stringify(word.trim());
const plain = (word: string) => (/^[a-zA-Z][\w./-]*$/.test(word) ? word : quoted(word));

/** Labels as they are typed, as lines of YAML. */
function labelLines(typed: string): string[] {
  const pairs = typed.split(/[,\s]+/).filter((pair) => pair.indexOf("=") > 0);
  return pairs.map((pair) => `        ${plain(pair.slice(0, pair.indexOf("=")))}: ${plain(pair.slice(pair.indexOf("=") + 1))}`);
}

/** The policy that a form means. What is empty is left to the defaults. */
export function textOf(form: Form): string {
  const labels = labelLines(form.labels);
  const whole = (typed: string) => Math.max(0, Math.trunc(Number(typed) || 0));
  const batch = /^\d+(\.\d+)?%$/.test(form.batch.trim()) ? quoted(form.batch) : String(Math.max(1, whole(form.batch)));
  const lines = [
    "apiVersion: patchmgmt.io/v1",
    "kind: PatchPolicy",
    "metadata:",
    `  name: ${plain(form.name.trim())}`,
    "  namespace: operations",
    "spec:",
    "  bundleRef:",
    `    version: ${quoted(form.bundle)}`,
    "  targets:",
    "    selector:",
    ...(labels.length > 0 ? ["      matchLabels:", ...labels] : ["      matchLabels: {}"]),
    "  schedule:",
    ...(form.window.trim() ? [`    maintenanceWindow: ${quoted(form.window)}`] : []),
    `    timezone: ${quoted(form.timezone || "UTC")}`,
    "  rolloutStrategy:",
    "    type: RollingUpdate",
    ...(whole(form.canary) > 0 ? [`    canary: {count: ${whole(form.canary)}, soak: ${form.soak.trim() || "24h"}}`] : []),
    `    batchSize: ${batch}`,
    `    batchDelayMinutes: ${whole(form.delay)}`,
    ...(form.rate.trim() ? [`    pauseOn: {failureRate: ${quoted(form.rate)}, anyExit: [3, 7]}`] : []),
    "  rollback:",
    "    enabled: true",
    ...(form.health.trim() ? [`    healthCheckUrl: ${quoted(form.health)}`] : []),
    ...(whole(form.approvals) > 0 ? ["  approval:", `    required: ${whole(form.approvals)}`] : []),
  ];
  return `${lines.join("\n")}\n`;
}
