import { useQueryClient } from "@tanstack/react-query";
import { Outlet, useLocation, useNavigate, useRouter } from "@tanstack/react-router";
import { PanelLeft, Search } from "lucide-react";
import { lazy, Suspense, useContext, useEffect, useRef, useState } from "react";
import { api, whenAnonymous } from "@/api/client";
import { asProblem } from "@/api/problem";
import { useSession } from "@/api/session";
import { IconButton } from "@/ui/Button";
import { classes } from "@/ui/classes";
import { FrameStateContext, useFrame } from "@/ui/frame/context";
import { Icon } from "@/ui/Icon";
import { Kbd } from "@/ui/Kbd";
import { shownKeys } from "@/ui/frame/keyboard";
import { useFrameActions } from "./actions";
import { AvatarMenu } from "./AvatarMenu";
import { useBrowserTab } from "./browserTab";
import { Crumbs } from "./Crumbs";
import { useKeys } from "./keys";
import { LiveChip } from "./LiveChip";
import { LiveProvider } from "./LiveProvider";
import { Rail } from "./Rail";
import { TeamSwitcher } from "./TeamSwitcher";
import { useTeam } from "./team";

// Most visits read one page: what lies above it comes when it is asked for.
const Palette = lazy(async () => ({ default: (await import("./Palette")).Palette }));
const KeyboardHelp = lazy(async () => ({ default: (await import("./KeyboardHelp")).KeyboardHelp }));

const StoryBar = lazy(async () => ({ default: (await import("@/features/story/StoryBar")).StoryBar }));
const AskPanel = lazy(async () => ({ default: (await import("@/features/assistant/panel/AskPanel")).AskPanel }));

type Layer = "palette" | "help" | "ask";

/** The frame around every page of somebody who is signed in. */
export function Shell() {
  return (
    <LiveProvider>
      <Frame />
    </LiveProvider>
  );
}

function Frame() {
  const { hasContext, setContextSlot } = useContext(FrameStateContext);
  const [layer, setLayer] = useState<Layer | null>(null);
  const [used, setUsed] = useState<ReadonlySet<Layer>>(() => new Set());
  // Remembered with the page it was opened on: going elsewhere folds it again.
  const [unfoldedOn, setUnfoldedOn] = useState<string | null>(null);
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const unfolded = unfoldedOn === pathname;
  const signOut = useSignOut();
  const close = () => setLayer(null);
  const open = (next: Layer) => {
    setUsed((before) => new Set(before).add(next));
    setLayer(next);
  };

  useSessionEnd();
  useKeys();
  const team = useTeam();
  const { demo } = useSession();
  useBrowserTab(team);
  useFrameActions({ openPalette: () => open("palette"), openHelp: () => open("help"), openAsk: () => open("ask"), signOut });
  useFocusOnChange(main);

  return (
    <div className={classes("app", !hasContext && "no-context", unfolded && "context-open")}>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <Rail />
      <header className="topbar">
        <TeamSwitcher />
        {hasContext && (
          <IconButton
            className="unfold"
            icon={PanelLeft}
            label={unfolded ? "Close the list" : "Open the list"}
            aria-expanded={unfolded}
            onClick={() => setUnfoldedOn(unfolded ? null : pathname)}
          />
        )}
        <Crumbs />
        <span className="push" />
        <LiveChip />
        <button type="button" className="find" onClick={() => open("palette")} aria-label="Go anywhere, run anything">
          <Icon of={Search} size="s" />
          <span>Go anywhere, run anything</span>
          <Kbd keys={shownKeys("mod+k")} />
        </button>
        <AvatarMenu onHelp={() => open("help")} onSignOut={signOut} />
      </header>
      <aside className="context" aria-label="List">
        <div className="slot" ref={setContextSlot} />
      </aside>
      <main className="main" id="main" ref={main} tabIndex={-1}>
        <Suspense>{demo && <StoryBar />}</Suspense>
        <Outlet />
      </main>
      <Suspense>{used.has("palette") && <Palette open={layer === "palette"} onClose={close} />}</Suspense>
      <Suspense>{team && used.has("ask") && <AskPanel key={team} team={team} open={layer === "ask"} onClose={close} />}</Suspense>
      <Suspense>{used.has("help") && <KeyboardHelp open={layer === "help"} onClose={close} />}</Suspense>
    </div>
  );
}

/** A change of page moves the focus to its title, so that a reader hears where they are. Never on the first load. */
function useFocusOnChange(main: React.RefObject<HTMLElement | null>) {
  const router = useRouter();
  useEffect(
    () =>
      // Rendered, not merely asked for: until then the old page stands there.
      router.subscribe("onRendered", ({ fromLocation, pathChanged }) => {
        if (!fromLocation || !pathChanged || main.current?.contains(document.activeElement)) return;
        const title = main.current?.querySelector<HTMLElement>("[data-page-title]");
        (title ?? main.current)?.focus({ preventScroll: true });
      }),
    [main, router],
  );
}

function useSignOut() {
  const client = useQueryClient();
  const frame = useFrame();
  return async () => {
    try {
      await api.DELETE("/api/v1/accounts/session");
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status !== 401) {
        frame.toast({ text: `Not signed out. ${problem.message}`, kind: "bad", requestId: problem.requestId });
        return;
      }
    }
    client.clear();
    // A full load: nothing of the last person stays in memory.
    window.location.assign("/login");
  };
}

/** A session that ended meanwhile leads to the sign-in page, and from there back here. */
function useSessionEnd() {
  const navigate = useNavigate();
  const router = useRouter();
  useEffect(
    () =>
      whenAnonymous(() => {
        const { href, hash } = router.state.location;
        void navigate({ to: "/login", search: { next: href.split("#", 1)[0] } as never, hash, replace: true });
      }),
    [navigate, router],
  );
}
