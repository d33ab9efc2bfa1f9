import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { asProblem } from "@/api/problem";
import { useFrame } from "@/ui/frame/context";
import { ErrorState, ForbiddenState } from "@/ui/states";
import { useEffect } from "react";

/** What a page shows when it failed. The frame around it stays. */
export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const problem = asProblem(error);
  const { setPage } = useFrame();
  useEffect(() => setPage({ title: problem.title, status: "failed" }), [problem.title, setPage]);
  if (isOldChunk(error)) {
    return (
      <ErrorState what="The server was upgraded" why="This page belongs to the version before." next="Load it again." onRetry={() => window.location.reload()} />
    );
  }
  if (problem.status === 403) return <ForbiddenState what={problem.title} who={problem.detail ?? "Your role does not allow this page."} />;
  if (problem.status === 404) return <NotFound detail={problem.detail} />;
  return (
    <ErrorState
      what={problem.title}
      why={problem.detail}
      next="If it stays, give the request id to an administrator: it finds the server's own line."
      requestId={problem.requestId}
      onRetry={() => {
        reset();
        void router.invalidate();
      }}
    />
  );
}

function isOldChunk(error: unknown): boolean {
  return error instanceof TypeError && /dynamically imported module|module script/i.test(error.message);
}

export function NotFound({ detail }: { detail?: string }) {
  const { setPage } = useFrame();
  useEffect(() => setPage({ title: "Not found" }), [setPage]);
  return (
    <div className="pane">
      <div className="panel p-4 max-w-[760px] grid gap-3">
        <h1 tabIndex={-1} data-page-title>
          Nothing is here
        </h1>
        <p className="muted">{detail ?? "The address names something that does not exist, was deleted, or is not yours to see."}</p>
        <p>
          <Link to="/" className="link">
            Go home
          </Link>
        </p>
      </div>
    </div>
  );
}
