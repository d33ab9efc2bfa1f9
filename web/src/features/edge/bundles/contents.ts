export type PackageRow = { variant: string; name: string; version: string; size: number };

type Manifest = { variants?: { os_id?: string; version_id?: string; arch?: string; packages?: { name?: string; version?: string; size?: number }[] }[] };

/** The packages of a manifest, each with the system it is for. A manifest of a newer kind has none that we know. */
export function packagesOf(manifest: Record<string, unknown>): PackageRow[] {
  const { variants } = manifest as Manifest;
  if (!Array.isArray(variants)) return [];
  return variants.flatMap(({ os_id: os, version_id: version, arch, packages }) =>
    (packages ?? []).map((one) => ({ variant: [os, version, arch].filter(Boolean).join("/"), name: one.name ?? "", version: one.version ?? "", size: one.size ?? 0 })),
  );
}
