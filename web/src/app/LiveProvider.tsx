import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { useFrame } from "@/ui/frame/context";
import { features, followed } from "./features";
import { createInvalidator, staleKeys } from "./invalidation";
import { followServer, type LiveState } from "./live";

const LiveContext = createContext<LiveState>({ state: "connecting", since: 0 });

/** Follows the server while somebody is signed in, and makes stale what it says has changed. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const { announce } = useFrame();
  const [live, setLive] = useState<LiveState>(() => ({ state: "connecting", since: Date.now() }));
  useEffect(() => {
    const invalidator = createInvalidator(client);
    return followServer({
      url: `/api/v1/stream?topics=${followed.join(",")}`,
      onChange: (change) => invalidator.stale(staleKeys(change, features)),
      onReset: invalidator.reset,
      onState: setLive,
    });
  }, [client]);
  useEffect(() => {
    if (live.state === "stale") announce("The connection is lost. What you see may be old.");
  }, [live.state, announce]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

export function useLive(): LiveState {
  return useContext(LiveContext);
}
