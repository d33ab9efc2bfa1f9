import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Repeat } from "lucide-react";
import { IconButton } from "@/ui/Button";
import { RelativeTime } from "@/ui/RelativeTime";
import { type Column, Table } from "@/ui/Table";
import { redeliverRefusal, useRedeliver } from "../deliveries/acts";
import { Verdict } from "../deliveries/DeliveryTable";
import { causedLine } from "../deliveries/effects";
import { deliveriesPath, resourcePath } from "../paths";
import { deliveriesQuery, type Delivery, type Pipeline, type Resource } from "../queries";
import { ofResource } from "./told";

const looked = 100;

/** The last deliveries of webhooks that concerned this resource, each to be worked on again from here. */
export function Deliveries({ resource, pipeline, refused }: { resource: Resource; pipeline: Pipeline; refused: string | false }) {
  const { team } = pipeline;
  const { data } = useQuery(deliveriesQuery(team, { verdict: "accepted", limit: looked }));
  const again = useRedeliver(team);
  if (!data) return null;
  const rows = ofResource(data.items, resourcePath(team, pipeline.name, resource.name));
  const [newest] = rows;
  // What is polled and was never told of anything has nothing to say here.
  if (!newest && resource.checked_by !== "webhook") return null;
  return (
    <section aria-label="Webhook deliveries">
      <div className="pane section-head">
        <h2>Webhook deliveries</h2>
        <Link className="link push" to={deliveriesPath(team)} search={(newest ? { repository: newest.repository } : {}) as never}>
          All of {newest?.repository ?? team}
        </Link>
      </div>
      {newest ? (
        <Table label="Webhook deliveries" rows={rows} rowKey={({ id }) => id} columns={columns(team, (one) => <IconButton size="small" icon={Repeat} label={`Redeliver the ${one.event} of ${one.sender || "somebody"}`} refused={refused || redeliverRefusal(one)} busy={again.busy} onClick={() => void again.start(one.id)} />)} />
      ) : (
        <p className="pane muted">None of the last {looked} deliveries concerned it.</p>
      )}
    </section>
  );
}

const columns = (team: string, act: (one: Delivery) => React.ReactNode): Column<Delivery>[] => [
  {
    key: "event",
    head: "Event",
    lead: true,
    width: "26%",
    cell: (one) => (
      <Link className="title" to={deliveriesPath(team)} search={{ delivery: one.id } as never}>
        {one.event} <span className="muted">{one.action}</span>
      </Link>
    ),
  },
  { key: "caused", head: "Caused", cell: ({ caused }) => <span title={causedLine(caused, 10)}>{causedLine(caused, 3)}</span> },
  { key: "sender", head: "Sender", width: 128, said: "by", cell: ({ sender }) => sender || "–" },
  { key: "verdict", head: "Verdict", width: 176, cell: (one) => <Verdict one={one} /> },
  { key: "at", head: "Received", width: 112, cell: ({ received_at: at }) => <RelativeTime at={at} /> },
  { key: "acts", head: <span className="sr">Actions</span>, width: 64, end: true, cell: act },
];
