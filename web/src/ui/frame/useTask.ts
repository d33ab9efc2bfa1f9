import { useCallback, useEffect, useRef, useState } from "react";
import { useFrame } from "./context";

type Options<A extends unknown[], R> = {
  run: (...args: A) => Promise<R>;
  onDone?: (result: R, ...args: A) => void;
  /** Said in a toast when it fails, before the reason. Left out where the form itself shows the error. */
  failed?: string;
};

/** Something a person started: busy while it runs, the error when it failed. A second press while busy does nothing. */
export function useTask<A extends unknown[], R>({ run, onDone, failed }: Options<A, R>) {
  const { toast } = useFrame();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const latest = useRef({ run, onDone, failed });
  const running = useRef(false);
  useEffect(() => {
    latest.current = { run, onDone, failed };
  });

  const start = useCallback(
    async (...args: A) => {
      if (running.current) return;
      running.current = true;
      setBusy(true);
      setError(null);
      try {
        const result = await latest.current.run(...args);
        latest.current.onDone?.(result, ...args);
      } catch (thrown) {
        setError(thrown);
        if (latest.current.failed) toast({ text: `${latest.current.failed} ${reason(thrown)}`, kind: "bad", requestId: requestId(thrown) });
      } finally {
        running.current = false;
        setBusy(false);
      }
    },
    [toast],
  );
  const clear = useCallback(() => setError(null), []);
  return { start, busy, error, clear };
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function requestId(error: unknown): string | undefined {
  const id = (error as { requestId?: unknown } | null)?.requestId;
  return typeof id === "string" ? id : undefined;
}
