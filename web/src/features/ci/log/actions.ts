import { ArrowDown, Clock, Search, TriangleAlert, WrapText } from "lucide-react";
import { useActions } from "@/ui/frame/hooks";
import type { TimeShown } from "../build/search";

type Options = {
  time: TimeShown;
  onTime: (next: TimeShown) => void;
  onFollow: () => void;
  onStep: (by: 1 | -1) => void;
  onFind: () => void;
  onError: () => void;
  onWrap: () => void;
  hasError: boolean;
};

const nextTime: Record<TimeShown, TimeShown> = { off: "relative", relative: "utc", utc: "off" };

/** What keys and the palette do in a log. */
export function useLogActions({ time, onTime, onFollow, onStep, onFind, onError, onWrap, hasError }: Options): void {
  const group = "Log";
  useActions([
    { id: "log.find", label: "Find in the log", group, keys: "/", icon: Search, run: onFind },
    { id: "log.follow", label: "Follow the end of the log", group, keys: "f", icon: ArrowDown, run: onFollow },
    { id: "log.time", label: "Times: off, relative, UTC", group, keys: "t", icon: Clock, run: () => onTime(nextTime[time]) },
    { id: "log.next", label: "Next match", group, keys: "n", hidden: true, run: () => onStep(1) },
    { id: "log.previous", label: "Previous match", group, keys: "p", hidden: true, run: () => onStep(-1) },
    { id: "log.error", label: "First error", group, keys: "E", icon: TriangleAlert, refused: !hasError && "Nothing failed in this build.", run: onError },
    { id: "log.wrap", label: "Wrap long lines", group, keys: "w", icon: WrapText, run: onWrap },
  ]);
}
