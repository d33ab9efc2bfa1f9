import type { Level } from "../queries";

/** Levels from the worst on: the order of legends, and of the layers of a bar from its ground up. */
export const levels: Level[] = ["fatal", "error", "warn", "info", "debug", "trace", "unknown"];

/** The role of a level's colour. Fatal and error share one: the width of the edge tells them apart. */
export const levelRole: Record<Level, string> = {
  fatal: "failed",
  error: "failed",
  warn: "errored",
  info: "data",
  debug: "hairline",
  trace: "hairline",
  unknown: "data",
};
