/** Ready configuration for one shipper. */
export type Guide = { id: string; name: string; group: string; file: string; code: (to: Target) => string; then: string };

/** Where lines go. */
export type Target = { url: string; token: string };

/** The address in the parts that some shippers want it in. */
export function addressOf(url: string): { host: string; port: string; tls: boolean; path: string } {
  const { hostname, port, protocol, pathname } = new URL(url);
  const tls = protocol === "https:";
  return { host: hostname, port: port || (tls ? "443" : "80"), tls, path: pathname.replace(/\/$/, "") };
}

export const curl = (url: string, token: string) => `curl -H "Authorization: Bearer ${token}" \\
  --data-binary '{"message":"hello from curl","level":"info","service":"try","host":"'"$(hostname)"'"}' \\
  ${url}/insert/jsonline`;

const onOff = (on: boolean) => (on ? "On" : "Off");

const fluentBit = ({ url, token }: Target) => {
  const { host, port, tls, path } = addressOf(url);
  return `# fluent-bit.yaml: every container of a Kubernetes node
service:
  flush: 1
  parsers_file: /fluent-bit/etc/parsers.conf
pipeline:
  inputs:
    - name: tail
      path: /var/log/containers/*.log
      multiline.parser: docker, cri
      tag: kube.*
      db: /var/log/flb_signalbox.db
      mem_buf_limit: 20MB
      skip_long_lines: on
  filters:
    - name: kubernetes
      match: kube.*
      merge_log: on
      keep_log: off
      labels: on
      annotations: off
  outputs:
    - name: loki
      match: '*'
      host: ${host}
      port: ${port}
      uri: ${path}/loki/api/v1/push
      tls: ${onOff(tls).toLowerCase()}
      bearer_token: ${token}
      labels: job=fluent-bit
      label_keys: $kubernetes['namespace_name'],$kubernetes['container_name'],$kubernetes['host']
      line_format: json
      remove_keys: stream,_p
      retry_limit: 10`;
};

const vector = ({ url, token }: Target) => `# vector.yaml
sources:
  journal:
    type: journald
  containers:
    type: docker_logs
sinks:
  signalbox:
    type: loki
    inputs: [journal, containers]
    endpoint: ${url}
    auth:
      strategy: bearer
      token: ${token}
    encoding:
      codec: json
    labels:
      host: "{{ host }}"
      service: "{{ container_name }}"
    healthcheck:
      enabled: false`;

const alloy = ({ url, token }: Target) => `// config.alloy
local.file_match "logs" {
  path_targets = [{ __path__ = "/var/log/*.log", job = "files", host = constants.hostname }]
}
loki.source.file "logs" {
  targets    = local.file_match.logs.targets
  forward_to = [loki.write.signalbox.receiver]
}
loki.source.journal "journal" {
  labels     = { job = "journal", host = constants.hostname }
  forward_to = [loki.write.signalbox.receiver]
}
loki.write "signalbox" {
  endpoint {
    url          = "${url}/loki/api/v1/push"
    bearer_token = "${token}"
  }
}`;

const collector = ({ url, token }: Target) => `# otel-collector.yaml, of the contrib distribution
receivers:
  otlp:
    protocols:
      grpc:
      http:
  filelog:
    include: [/var/log/*.log]
processors:
  batch:
exporters:
  elasticsearch:
    endpoint: ${url}/elasticsearch
    logs_index: logs
    mapping:
      mode: none
    headers:
      Authorization: Bearer ${token}
service:
  pipelines:
    logs:
      receivers: [otlp, filelog]
      processors: [batch]
      exporters: [elasticsearch]`;

const rsyslog = ({ url, token }: Target) => {
  const { host, port, tls, path } = addressOf(url);
  return `# /etc/rsyslog.d/60-signalbox.conf, with the package rsyslog-elasticsearch
module(load="omelasticsearch")
template(name="signalbox" type="list" option.jsonf="on") {
  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="service" name="programname" format="jsonf")
  property(outname="level" name="syslogseverity-text" format="jsonf")
}
action(type="omelasticsearch" server="${tls ? "https" : "http"}://${host}" serverport="${port}"
  searchIndex="${path.replace(/^\//, "")}${path ? "/" : ""}elasticsearch/syslog" searchType="" bulkmode="on" template="signalbox"
  uid="signalbox" pwd="${token}"
  queue.type="linkedlist" queue.filename="signalbox" queue.saveonshutdown="on"
  action.resumeretrycount="-1")`;
};

const journald = ({ url, token }: Target) => `# follows the journal of this machine; run it as a unit that restarts
journalctl --follow --output=json --since=now \\
  | jq --unbuffered --compact-output '{
      message: .MESSAGE, host: ._HOSTNAME, service: (._SYSTEMD_UNIT // .SYSLOG_IDENTIFIER),
      level: (["fatal","fatal","fatal","error","warn","info","info","debug"][(.PRIORITY // "6") | tonumber]),
      time: ((.__REALTIME_TIMESTAMP | tonumber) / 1e6 | todate) }' \\
  | while IFS= read -r line; do
      printf '%s\\n' "$line" | curl -fsS --retry 5 -H "Authorization: Bearer ${token}" --data-binary @- ${url}/insert/jsonline
    done`;

const docker = ({ url, token }: Target) => `# once: docker plugin install grafana/loki-docker-driver:3.3.2-amd64 --alias loki --grant-all-permissions
docker run --log-driver=loki \\
  --log-opt loki-url="${url.replace("://", `://signalbox:${token}@`)}/loki/api/v1/push" \\
  --log-opt loki-batch-size=400 \\
  --log-opt mode=non-blocking \\
  --log-opt loki-external-labels="service={{.Name}}" \\
  nginx`;

const pino = ({ url, token }: Target) => `// npm install pino pino-loki
import pino from "pino";

const logger = pino({
  transport: {
    target: "pino-loki",
    options: {
      host: "${url}",
      headers: { Authorization: "Bearer ${token}" },
      labels: { service: "api" },
      batching: { interval: 2 },
    },
  },
});
logger.info({ user: 7 }, "hello from pino");`;

const python = ({ url, token }: Target) => `# no package needed
import json, logging, logging.handlers, queue, urllib.request

class Signalbox(logging.Handler):
    def emit(self, record):
        line = {"message": self.format(record), "level": record.levelname, "service": "api",
                "logger": record.name, "time": record.created}
        request = urllib.request.Request("${url}/insert/jsonline", json.dumps(line).encode(),
                                         {"Authorization": "Bearer ${token}"})
        try:
            urllib.request.urlopen(request, timeout=5).close()
        except OSError:
            self.handleError(record)

lines = queue.Queue(10_000)
logging.getLogger().addHandler(logging.handlers.QueueHandler(lines))
logging.handlers.QueueListener(lines, Signalbox()).start()
logging.warning("hello from python")`;

/** Shippers in the order of how often they are asked for. */
export const guides: Guide[] = [
  { id: "curl", name: "curl", group: "Try it", file: "Command", code: ({ url, token }) => curl(url, token), then: "The line can be found within a second. Many lines go in one request: one JSON object each." },
  { id: "fluent-bit", name: "Fluent Bit, Kubernetes", group: "Shippers", file: "fluent-bit.yaml", code: fluentBit, then: "Run it as a DaemonSet with /var/log mounted. Lines that Docker or CRI cut are put together again before they are sent." },
  { id: "vector", name: "Vector", group: "Shippers", file: "vector.yaml", code: vector, then: "Vector retries by itself while this server is away." },
  { id: "alloy", name: "Grafana Alloy", group: "Shippers", file: "config.alloy", code: alloy, then: "Promtail takes the same address and token in its clients section." },
  { id: "collector", name: "OpenTelemetry Collector", group: "Shippers", file: "otel-collector.yaml", code: collector, then: "Programs send OTLP to the collector; attributes become fields here." },
  { id: "rsyslog", name: "rsyslog", group: "Machines", file: "60-signalbox.conf", code: rsyslog, then: "Then: systemctl restart rsyslog. The queue keeps lines on disk while this server is away." },
  { id: "journald", name: "systemd journal", group: "Machines", file: "Command", code: journald, then: "Vector and Alloy read the journal too, and remember where they were." },
  { id: "docker", name: "Docker", group: "Machines", file: "Command", code: docker, then: "Set it in /etc/docker/daemon.json to have it for all containers." },
  { id: "pino", name: "Node.js, pino", group: "Programs", file: "logger.js", code: pino, then: "Fields of the object become fields of the line." },
  { id: "python", name: "Python, logging", group: "Programs", file: "log.py", code: python, then: "Lines are sent by a thread of their own; the program does not wait for them." },
];

/** Addresses for shippers that are not listed. */
export const endpoints = (url: string) => [
  { name: "Loki push", path: `${url}/loki/api/v1/push` },
  { name: "Elasticsearch bulk", path: `${url}/elasticsearch` },
  { name: "JSON lines", path: `${url}/insert/jsonline` },
];
