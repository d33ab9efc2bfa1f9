import { clockTime, relativeTime } from "@/format/time";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { Tooltip } from "@/ui/Tooltip";
import { useLive } from "./LiveProvider";

/** Whether the page is true right now. */
export function LiveChip() {
  const { state, since } = useLive();
  const clock = clockTime(since).slice(0, 5);
  const shown = {
    connecting: { status: "running", word: "Connecting", tip: "Opening the stream of changes" },
    live: { status: "succeeded", word: "Live", tip: `One stream for this browser, open since ${relativeTime(since)}` },
    reconnecting: { status: "running", word: "Reconnecting", tip: `The stream broke at ${clock}` },
    stale: { status: "errored", word: `Stale since ${clock}`, tip: "The server does not answer. It is tried again by itself." },
  } as const;
  const { status, word, tip } = shown[state];
  return (
    <Tooltip text={tip}>
      <span className="live" data-live={state}>
        <StatusGlyph status={status} />
        {word}
      </span>
    </Tooltip>
  );
}
