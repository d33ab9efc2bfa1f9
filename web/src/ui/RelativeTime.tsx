import { useEffect, useState } from "react";
import { localTime, relativeTick, relativeTime, utcTime } from "@/format/time";
import { Tooltip } from "./Tooltip";

/** "3 min ago", keeping itself true; the tip gives the instant in UTC and on the reader's clock. */
export function RelativeTime({ at }: { at: string | number | Date }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setTimeout(() => setNow(Date.now()), relativeTick(at, now) * 1000);
    return () => clearTimeout(timer);
  }, [at, now]);
  return (
    <Tooltip
      text={
        <>
          {utcTime(at)}
          <br />
          {localTime(at)}
        </>
      }
    >
      <time dateTime={new Date(at).toISOString()}>{relativeTime(at, now)}</time>
    </Tooltip>
  );
}
