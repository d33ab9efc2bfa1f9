import { describe, expect, it } from "vitest";
import type { Delivery } from "../queries";
import { ofResource } from "./told";

const path = "/teams/main/pipelines/shop/resources/hello";
const told = (id: string, ...effects: [kind: string, url: string][]) => ({ id, caused: effects.map(([kind, url]) => ({ kind, url, id: "1", title: "" })) }) as unknown as Delivery;

describe("deliveries of a resource", () => {
  it("are those that made a version or a check of it", () => {
    const all = [told("version", ["version", path]), told("check", ["build", "/x"], ["check", path]), told("other", ["version", `${path}-2`]), told("nothing"), told("instance", ["version", `${path}?vars=%7B%7D`])];
    expect(ofResource(all, path).map(({ id }) => id)).toEqual(["version", "check", "instance"]);
    expect(ofResource([{ id: "old", caused: null } as unknown as Delivery], path)).toEqual([]);
  });
  it("are ten at most", () => expect(ofResource(Array.from({ length: 30 }, (_, at) => told(String(at), ["version", path])), path)).toHaveLength(10));
});
