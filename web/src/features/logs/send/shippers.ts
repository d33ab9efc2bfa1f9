import { addressOf, type Guide, ofServer, type Target } from "./target";

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
      tls: ${tls ? "on" : "off"}
      bearer_token: ${token}
      labels: job=fluent-bit
      label_keys: $kubernetes['namespace_name'],$kubernetes['container_name'],$kubernetes['host']
      line_format: json
      remove_keys: stream,_p
      retry_limit: 10`;
};

const fluentBitMachine = ({ url, token }: Target) => {
  const { host, port, tls, path } = addressOf(url);
  return `# fluent-bit.yaml: the journal and the files of one machine
pipeline:
  inputs:
    - name: systemd
      tag: journal
      db: /var/lib/fluent-bit/journal.db
      lowercase: on
      strip_underscores: on
    - name: tail
      tag: files
      path: /var/log/nginx/*.log
      db: /var/lib/fluent-bit/files.db
      path_key: file
  outputs:
    - name: http
      match: '*'
      host: ${host}
      port: ${port}
      uri: ${path}/insert/jsonline?_stream_fields=hostname,systemd_unit,file
      tls: ${tls ? "on" : "off"}
      header: Authorization Bearer ${token}
      format: json_lines
      json_date_format: iso8601
      json_date_key: time
      compress: gzip
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

const collector = ({ url, token }: Target) => `# otel-collector.yaml
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
  otlphttp:
    logs_endpoint: ${url}/v1/logs
    headers:
      Authorization: Bearer ${token}
service:
  pipelines:
    logs:
      receivers: [otlp, filelog]
      processors: [batch]
      exporters: [otlphttp]`;

const forward = ({ url }: Target) => `# fluent-bit.yaml; the forward output of Fluentd takes the same
pipeline:
  outputs:
    - name: forward
      match: '*'
      host: ${addressOf(url).host}
      port: 24224
      shared_key: choose-a-long-secret
      require_ack_response: on`;

const listenForward = ({ team }: Target) => ofServer(`fluent_listen: ":24224"
fluent_team: ${team}
fluent_shared_key: choose-a-long-secret`);

/** Programs that gather lines from files, containers and other programs. */
export const shippers: Guide[] = [
  { id: "fluent-bit", name: "Fluent Bit, Kubernetes", group: "Shippers", blocks: (to) => [{ file: "fluent-bit.yaml", code: fluentBit(to) }], then: "Run it as a DaemonSet with /var/log mounted. Lines that Docker or CRI cut are put together again before they are sent." },
  { id: "fluent-bit-machine", name: "Fluent Bit, a machine", group: "Shippers", blocks: (to) => [{ file: "fluent-bit.yaml", code: fluentBitMachine(to) }], then: "What was read is remembered in the db files, so nothing is sent twice after a restart." },
  { id: "vector", name: "Vector", group: "Shippers", blocks: (to) => [{ file: "vector.yaml", code: vector(to) }], then: "Vector retries by itself while this server is away." },
  { id: "alloy", name: "Grafana Alloy", group: "Shippers", blocks: (to) => [{ file: "config.alloy", code: alloy(to) }], then: "Promtail takes the same address and token in its clients section." },
  { id: "collector", name: "OpenTelemetry Collector", group: "Shippers", blocks: (to) => [{ file: "otel-collector.yaml", code: collector(to) }], then: "Programs send OTLP to the collector; attributes become fields here, service.name and host.name labels." },
  {
    id: "forward",
    name: "Fluent Forward",
    group: "Shippers",
    blocks: (to) => [listenForward(to), { file: "fluent-bit.yaml", code: forward(to) }],
    then: "The port has no tokens: all that comes by it belongs to the one team of logs.fluent_team, and who knows the shared key may send. A batch is acknowledged once it is on disk.",
  },
];
