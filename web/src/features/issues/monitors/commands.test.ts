import { expect, it } from "vitest";
import { monitorCommand, slugOf } from "./commands";

const dsn = "http://abc@localhost:8080/1";
const address = "http://localhost:8080/api/1/cron/MONITOR/abc/";

it("fills in address, key and name", () => {
  expect(monitorCommand("curl", "backup", dsn, address)).toContain('"http://localhost:8080/api/1/cron/backup/abc/?status=$s"');
  expect(monitorCommand("cli", "backup", dsn, address)).toContain(`SENTRY_DSN="${dsn}"`);
  expect(monitorCommand("cli", "backup", dsn, address)).toContain("backup -- /usr/local/bin/backup");
  expect(monitorCommand("sdk", "backup", dsn, address)).toContain('withMonitor("backup"');
});

it.each([
  ["Nightly Report!", "nightly-report"],
  ["", "nightly-report"],
  ["$(rm -rf /)", "rm--rf"],
])("%s is named %s", (name, slug) => expect(slugOf(name)).toBe(slug));
