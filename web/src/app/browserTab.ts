import { useContext, useEffect } from "react";
import { FrameStateContext } from "@/ui/frame/context";
import { type Status, statusWord } from "@/ui/status";

const icons: Partial<Record<Status, string>> = {
  succeeded: "/favicon-succeeded.svg",
  failed: "/favicon-failed.svg",
  errored: "/favicon-errored.svg",
  running: "/favicon-running.svg",
};

/** Title and icon of the browser tab follow the open page. */
export function useBrowserTab(team: string | undefined): void {
  const { page } = useContext(FrameStateContext);
  useEffect(() => {
    const word = page.status && ` ${statusWord(page.status).toLowerCase()}`;
    document.title = [page.title + (word ?? ""), team, "Signalbox"].filter(Boolean).join(" · ");
    const icon = document.getElementById("favicon") as HTMLLinkElement | null;
    const href = (page.status && icons[page.status]) ?? "/favicon.svg";
    if (icon && icon.getAttribute("href") !== href) icon.href = href;
  }, [page, team]);
}
