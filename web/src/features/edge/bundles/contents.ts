type Packed = { name?: string; version?: string; size?: number; deltas?: { size?: number }[]; from_versions?: string[] };
type Variant = { os_id?: string; version_id?: string; arch?: string; packages?: Packed[]; allow?: { remove?: string[]; new?: string[]; downgrade?: string[] } };
type Manifest = {
  variants?: Variant[];
  fixes?: { cve?: string; source?: string; fixed_version?: string; severity?: string; advisory?: string }[];
  min_agent?: string;
  requires?: { disk_bytes?: number; reboot?: string; restart_units?: string[] };
  provenance?: { builder?: string; commit?: string; policy?: string; sources?: { uri?: string; sha256?: string }[] };
};

export type PackageRow = { variant: string; name: string; version: string; size: number; delta: number; from: string[] };

const variantsOf = (manifest: Record<string, unknown>) => {
  const { variants } = manifest as Manifest;
  return Array.isArray(variants) ? variants : [];
};

const nameOf = ({ os_id: os, version_id: version, arch }: Variant) => [os, version, arch].filter(Boolean).join("/");

/** The packages of a manifest, each with the system it is for. A manifest of a newer kind has none that we know. `delta` is the smallest, 0 for none. */
export function packagesOf(manifest: Record<string, unknown>): PackageRow[] {
  return variantsOf(manifest).flatMap((variant) =>
    (variant.packages ?? []).map(({ name = "", version = "", size = 0, deltas = [], from_versions: from = [] }) => ({
      variant: nameOf(variant),
      name,
      version,
      size,
      delta: deltas.reduce((least, { size: one = 0 }) => (least === 0 || one < least ? one : least), 0),
      from,
    })),
  );
}

export type FixRow = { cve: string; source: string; version: string; severity: string; advisory: string };

const severities = ["critical", "high", "medium", "low"];
const rank = (severity: string) => (severities.includes(severity) ? severities.indexOf(severity) : severities.length);

/** What a manifest mends, the worst first. */
export function fixesOf(manifest: Record<string, unknown>): FixRow[] {
  const { fixes } = manifest as Manifest;
  if (!Array.isArray(fixes)) return [];
  return fixes
    .map(({ cve = "", source = "", fixed_version: version = "", severity = "", advisory = "" }) => ({ cve, source, version, severity, advisory }))
    .toSorted((a, b) => rank(a.severity) - rank(b.severity) || b.cve.localeCompare(a.cve, "en", { numeric: true }));
}

export type Change = { variant: string; name: string; before: string; after: string };

/** What one bundle has otherwise than another: "" stands where there is none. */
export function differences(before: Record<string, unknown>, after: Record<string, unknown>): Change[] {
  const key = ({ variant, name }: PackageRow) => `${variant} ${name}`;
  const old = new Map(packagesOf(before).map((row) => [key(row), row]));
  const now = new Map(packagesOf(after).map((row) => [key(row), row]));
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((both) => ({ was: old.get(both), is: now.get(both) }))
    .filter(({ was, is }) => was?.version !== is?.version)
    .map(({ was, is }) => ({ variant: (is ?? was)?.variant ?? "", name: (is ?? was)?.name ?? "", before: was?.version ?? "", after: is?.version ?? "" }))
    .toSorted((a, b) => a.name.localeCompare(b.name));
}

/** What nodes must have or do for it, and how it came about; each only where the manifest says it. */
export function termsOf(manifest: Record<string, unknown>): [name: string, value: string][] {
  const { min_agent: agent, requires, provenance } = manifest as Manifest;
  const allowed = variantsOf(manifest).flatMap(({ allow }) => [
    ...(allow?.new ?? []).map((name) => `add ${name}`),
    ...(allow?.remove ?? []).map((name) => `remove ${name}`),
    ...(allow?.downgrade ?? []).map((name) => `downgrade ${name}`),
  ]);
  const said: [string, string | undefined][] = [
    ["Agent", agent && `${agent} or newer`],
    ["Reboot", requires?.reboot?.replaceAll("-", " ")],
    ["Restarts", requires?.restart_units?.join(", ")],
    ["May", [...new Set(allowed)].join(", ")],
    ["Built by", provenance?.builder],
    ["From commit", provenance?.commit?.slice(0, 12)],
    ["Sources", provenance?.sources?.map(({ uri }) => uri).join(", ")],
  ];
  return said.filter((one): one is [string, string] => Boolean(one[1]));
}
