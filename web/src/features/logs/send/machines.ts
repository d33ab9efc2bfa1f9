import { addressOf, type Guide, ofServer, type Target, withToken } from "./target";

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

const journald = (to: Target) => `# /etc/systemd/journal-upload.conf, of the package systemd-journal-remote
[Upload]
URL=${withToken(to)}/insert/journald`;

const listenSyslog = ({ team }: Target) => ofServer(`syslog_listen: ":514"
syslog_tls_listen: ":6514"
syslog_team: ${team}`);

const syslog = ({ url }: Target) => {
  const { host } = addressOf(url);
  return `# /etc/rsyslog.d/60-signalbox.conf
action(type="omfwd" target="${host}" port="514" protocol="tcp"
  template="RSYSLOG_SyslogProtocol23Format" TCP_Framing="octet-counted"
  queue.type="linkedlist" queue.filename="signalbox" queue.saveonshutdown="on"
  action.resumeretrycount="-1")

# encrypted, with the package rsyslog-gnutls:
# action(type="omfwd" target="${host}" port="6514" protocol="tcp"
#   StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="${host}"
#   template="RSYSLOG_SyslogProtocol23Format" TCP_Framing="octet-counted")`;
};

const dockerLoki = (to: Target) => `{
  "log-driver": "loki",
  "log-opts": {
    "loki-url": "${withToken(to)}/loki/api/v1/push",
    "loki-batch-size": "400",
    "mode": "non-blocking",
    "loki-external-labels": "service={{.Name}}"
  }
}`;

const dockerOthers = ({ url }: Target) => {
  const { host } = addressOf(url);
  return `# with logs.fluent_listen and no shared key, which Docker cannot send
docker run --log-driver=fluentd --log-opt fluentd-address=tcp://${host}:24224 \\
  --log-opt fluentd-async=true --log-opt tag="{{.Name}}" nginx
# with logs.syslog_listen
docker run --log-driver=syslog --log-opt syslog-address=tcp://${host}:514 \\
  --log-opt syslog-format=rfc5424micro --log-opt tag="{{.Name}}" nginx`;
};

/** What machines and containers write by themselves. */
export const machines: Guide[] = [
  { id: "journald", name: "systemd journal", group: "Machines", blocks: (to) => [{ file: "journal-upload.conf", code: journald(to) }, { file: "Command", code: "systemctl enable --now systemd-journal-upload" }], then: "It follows the journal and remembers how far this server has acknowledged it. Unit, priority and host become labels and levels." },
  { id: "rsyslog", name: "rsyslog", group: "Machines", blocks: (to) => [{ file: "60-signalbox.conf", code: rsyslog(to) }], then: "Then: systemctl restart rsyslog. The queue keeps lines on disk while this server is away." },
  {
    id: "syslog",
    name: "Syslog",
    group: "Machines",
    blocks: (to) => [listenSyslog(to), { file: "60-signalbox.conf", code: syslog(to) }],
    then: "Both forms of syslog are read, over UDP, TCP and TLS; routers and switches need only the address. Syslog knows no tokens: whoever reaches the port may write, and all of it belongs to the one team of logs.syslog_team. Where a token is wanted take rsyslog above.",
  },
  {
    id: "docker",
    name: "Docker",
    group: "Machines",
    blocks: (to) => [
      { file: "Command", code: "docker plugin install grafana/loki-docker-driver:3.3.2-amd64 --alias loki --grant-all-permissions" },
      { file: "/etc/docker/daemon.json", code: dockerLoki(to) },
      { file: "Or without a plugin", code: dockerOthers(to) },
    ],
    then: "Containers that are made from now on are logged. With the mode non-blocking a server that is away never stops a container.",
  },
];
