import { useEffect, useState } from "react";

/** The time, kept true every `seconds` while `ticking`: for what is measured until now. */
export function useNow(ticking: boolean, seconds = 1): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!ticking) return undefined;
    const timer = setInterval(() => setNow(Date.now()), seconds * 1000);
    return () => clearInterval(timer);
  }, [ticking, seconds]);
  return now;
}
