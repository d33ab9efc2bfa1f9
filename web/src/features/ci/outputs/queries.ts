import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
export type Tests = Schemas["CiTests"];
export type TestCase = Schemas["CiTestCase"];
export type TestState = TestCase["state"];
export type FailureFacts = Schemas["CiFailureCard"];
export type Artifact = Schemas["CiArtifact"];
export type Component = Schemas["CiComponent"];
export type Package = Schemas["CiPackage"];

// Below the key of the build: what changes it makes these stale as well.

export type TestFilter = { state?: TestState; q?: string; page?: number };

export const testsQuery = (build: number, filter: TestFilter = {}) =>
  queryOptions({
    queryKey: ["ci", "build", build, "tests", filter],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/builds/{id}/tests", { params: { path: { id: build }, query: filter }, signal })),
    placeholderData: keepPreviousData,
  });

export const failureQuery = (build: number) =>
  queryOptions({
    queryKey: ["ci", "build", build, "failure"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/builds/{id}/failure", { params: { path: { id: build } }, signal })),
  });

export const artifactsQuery = (build: number) =>
  queryOptions({
    queryKey: ["ci", "build", build, "artifacts"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/builds/{id}/artifacts", { params: { path: { id: build } }, signal })),
  });

export const artifactUrl = (id: number) => `/api/v1/ci/artifacts/${id}/content`;

export const sbomQuery = (build: number) =>
  queryOptions({
    queryKey: ["ci", "build", build, "sbom"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/builds/{id}/sbom", { params: { path: { id: build } }, signal })),
  });

export type PackageFilter = { name: string; below?: string; version?: string };

export const packagesQuery = (team: string, filter: PackageFilter) =>
  queryOptions({
    queryKey: ["ci", "builds", team, "packages", filter],
    queryFn: ({ signal }) => data(api.GET("/api/v1/ci/packages", { params: { query: { team, ...filter } }, signal })),
  });
