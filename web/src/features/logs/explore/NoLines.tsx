import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { EmptyState, Notice } from "@/ui/states";
import { sendPath } from "../paths";
import { histogramQuery } from "../queries";
import { curl } from "../send/programs";
import { TokenButton } from "../send/TokenButton";
import { useToken } from "../send/useToken";
import { absolute } from "./range";
import type { Explore } from "./useExplore";

const month = 30 * 86_400_000;

/** No line of this range meets the search; or none ever came, and then how to send one. */
export function NoLines({ explore }: { explore: Explore }) {
  const { team, query, at, setRange, ask } = explore;
  const wide = useMemo(() => ({ team, query: "", ...absolute({ from: at - month, to: at }) }), [team, at]);
  const any = useQuery({ ...histogramQuery(wide, 30), placeholderData: keepPreviousData });
  if (!any.data) return null;
  if (any.data.total === 0) return <FirstLine explore={explore} />;
  return (
    <EmptyState
      small
      headline="No line in this stretch of time meets the search"
      actions={
        <>
          <Button onClick={explore.zoomOut}>Twice as long</Button>
          <Button onClick={() => setRange({ from: "now-7d", to: "now" })}>Last 7 days</Button>
          {query && <Button onClick={() => ask("")}>Without conditions</Button>}
        </>
      }
    >
      Words are whole and must all be there: “time” does not find “timeout”, but “time*” does. A value of a field is compared as a whole.
    </EmptyState>
  );
}

/** Says how to send, above lines that are all this server's own. */
export function OnlyOwn({ explore }: { explore: Explore }) {
  const { team, query, at } = explore;
  const navigate = useNavigate();
  const others = useMemo(() => ({ team, query: "-source:signalbox", ...absolute({ from: at - month, to: at }) }), [team, at]);
  const found = useQuery({ ...histogramQuery(others, 30), placeholderData: keepPreviousData, enabled: query === "" });
  if (query !== "" || found.data?.total !== 0) return null;
  return (
    <div className="logs-said">
      <Notice actions={<Button onClick={() => void navigate({ to: sendPath(team) })}>Send logs</Button>}>So far these are this server's own lines only: nothing else sends any here.</Notice>
    </div>
  );
}

function FirstLine({ explore }: { explore: Explore }) {
  const { team, again } = explore;
  const url = useSession().public_url;
  const navigate = useNavigate();
  const token = useToken(team);
  useEffect(() => {
    const timer = setInterval(again, 2000);
    return () => clearInterval(timer);
  }, [again]);
  return (
    <EmptyState
      headline="No logs yet, because nothing sends any here"
      command={curl(url, token.secret)}
      filled={[url, token.secret]}
      waiting={<>Waiting for the first line of {team}</>}
      actions={
        <>
          <TokenButton token={token} />
          <Button onClick={() => void navigate({ to: sendPath(team) })}>Other ways to send</Button>
        </>
      }
    >
      Lines can be searched here within a second: any shipper that speaks Loki, Elasticsearch, OpenTelemetry, syslog, Fluent or JSON lines works unchanged. The command below sends one.
    </EmptyState>
  );
}
