import { queryOptions } from "@tanstack/react-query";
import { request } from "@/api/client";

// Only `signalbox demo` answers these, so the description of our own API does not have them.

export type Act = { name: string; label: string; refusal: string };

export type Chapter = {
  key: string;
  title: string;
  what: string;
  seen: string;
  done: boolean;
  busy: boolean;
  act?: Act;
  links: { label: string; path: string }[];
};

export type Post = { at: string; from: string; text: string; thread: boolean };

export type Story = { team: string; ready: boolean; trouble: string; round: number; chapters: Chapter[]; slack: { name: string; messages: Post[] } };

async function call(method: "GET" | "POST", path: string, signal?: AbortSignal): Promise<Story> {
  const response = await request(new Request(new URL(`/api/v1/demo/${path}`, location.origin), { method, signal }));
  return (await response.json()) as Story;
}

/** The story as it stands; asked often, because builds, machines and people move it. */
export const storyQuery = (every: number) => queryOptions({ queryKey: ["demo", "story"], queryFn: ({ signal }) => call("GET", "story", signal), refetchInterval: every });

/** Has something happen. */
export const act = (name: string) => call("POST", `story/${encodeURIComponent(name)}`);
