export type Way = "curl" | "cli" | "sdk";

/** Names that are safe in an address and in a shell. */
export const slugOf = (name: string) => name.toLowerCase().replace(/[^a-z0-9_-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 50) || "nightly-report";

/** The lines that make a program tell that it lives. `checkIn` has MONITOR in place of the name. */
export function monitorCommand(way: Way, slug: string, dsn: string, checkIn: string): string {
  const address = checkIn.replace("MONITOR", slug);
  switch (way) {
    case "curl":
      return `# crontab: tells afterwards, and whether it went well\n0 3 * * * /usr/local/bin/${slug}; [ $? = 0 ] && s=ok || s=error; curl -fsS -m 10 "${address}?status=$s"`;
    case "cli":
      return `# runs it, tells its start, end and duration, and sets the schedule\nexport SENTRY_DSN="${dsn}"\nsentry-cli monitors run --schedule "0 3 * * *" --timezone UTC \\\n  --check-in-margin 5 --max-runtime 30 ${slug} -- /usr/local/bin/${slug}`;
    case "sdk":
      return `// Node.js; every Sentry SDK has the same call\nawait Sentry.withMonitor("${slug}", () => run(), {\n  schedule: { type: "crontab", value: "0 3 * * *" },\n  checkinMargin: 5,\n  maxRuntime: 30,\n  timezone: "UTC",\n});`;
  }
}
