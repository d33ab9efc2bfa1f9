import { expect, it } from "vitest";
import { placeOf } from "./place";

it.each([
  ["/teams/main/issues/12", "/teams/main/issues/12", {}],
  ["/teams/main/logs?q=trace_id%3Aabc&from=2026-11-21T14%3A00%3A00.000Z", "/teams/main/logs", { q: "trace_id:abc", from: "2026-11-21T14:00:00.000Z" }],
  ["/teams/main/edge?q=package%3Ashop%3D1.2%2Bb1", "/teams/main/edge", { q: "package:shop=1.2+b1" }],
])("parts %s", (path, to, search) => expect(placeOf(path)).toEqual({ to, search }));
