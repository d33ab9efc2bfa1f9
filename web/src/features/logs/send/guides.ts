import { machines } from "./machines";
import { byHand, programs } from "./programs";
import { shippers } from "./shippers";
import { addressOf, type Guide } from "./target";

/** Shippers in the order of how often they are asked for. */
export const guides: Guide[] = [byHand, ...shippers, ...machines, ...programs];

/** Addresses for shippers that are not listed. */
export function endpoints(url: string) {
  const { host } = addressOf(url);
  return [
    { name: "Loki push", path: `${url}/loki/api/v1/push` },
    { name: "Elasticsearch bulk", path: `${url}/elasticsearch` },
    { name: "OTLP over HTTP", path: `${url}/v1/logs` },
    { name: "JSON lines", path: `${url}/insert/jsonline` },
    { name: "Journal upload", path: `${url}/insert/journald` },
    { name: "OTLP over gRPC", path: `${host}:4317`, key: "logs.otlp_grpc_listen" },
    { name: "Syslog", path: `${host}:514`, key: "logs.syslog_listen" },
    { name: "Syslog over TLS", path: `${host}:6514`, key: "logs.syslog_tls_listen" },
    { name: "Fluent Forward", path: `${host}:24224`, key: "logs.fluent_listen" },
  ];
}
