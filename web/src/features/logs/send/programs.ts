import { addressOf, type Guide, ofServer, type Target } from "./target";

export const curl = (url: string, token: string) => `curl -H "Authorization: Bearer ${token}" \\
  --data-binary '{"message":"hello from curl","level":"info","service":"try","host":"'"$(hostname)"'"}' \\
  ${url}/insert/jsonline`;

const otlp = ({ url, token }: Target) => `OTEL_LOGS_EXPORTER=otlp
OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/protobuf
OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=${url}/v1/logs
OTEL_EXPORTER_OTLP_LOGS_HEADERS="authorization=Bearer%20${token}"
OTEL_SERVICE_NAME=api`;

const otlpGRPC = ({ url, token }: Target) => {
  const { host, tls } = addressOf(url);
  return `OTEL_LOGS_EXPORTER=otlp
OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=grpc
OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=http${tls ? "s" : ""}://${host}:4317
OTEL_EXPORTER_OTLP_LOGS_HEADERS="authorization=Bearer%20${token}"
OTEL_SERVICE_NAME=api`;
};

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

const winston = ({ url, token }: Target) => `// npm install winston winston-loki
import winston from "winston";
import LokiTransport from "winston-loki";

const logger = winston.createLogger({
  transports: [
    new LokiTransport({
      host: "${url}",
      headers: { Authorization: "Bearer ${token}" },
      labels: { service: "api" },
      json: true,
    }),
  ],
});
logger.info("hello from winston", { user: 7 });`;

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

const slog = ({ url, token }: Target) => `// go get go.opentelemetry.io/contrib/bridges/otelslog go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp
exporter, err := otlploghttp.New(ctx,
	otlploghttp.WithEndpointURL("${url}/v1/logs"),
	otlploghttp.WithHeaders(map[string]string{"Authorization": "Bearer ${token}"}))
if err != nil {
	return err
}
provider := log.NewLoggerProvider(log.WithProcessor(log.NewBatchProcessor(exporter)))
defer provider.Shutdown(ctx)
logger := otelslog.NewLogger("api", otelslog.WithLoggerProvider(provider))
logger.Info("hello from slog", "user", 7)`;

/** One line by hand. */
export const byHand: Guide = {
  id: "curl",
  name: "curl",
  group: "Try it",
  blocks: ({ url, token }) => [{ file: "Command", code: curl(url, token) }],
  then: "The line can be found within a second. Many lines go in one request: one JSON object each.",
};

/** Loggers of programs that send by themselves. */
export const programs: Guide[] = [
  { id: "otlp", name: "OpenTelemetry", group: "Programs", blocks: (to) => [{ file: "Environment", code: otlp(to) }], then: "Every SDK of OpenTelemetry reads these, also those that are told by OTEL_EXPORTER_OTLP_ENDPOINT where their traces go." },
  {
    id: "otlp-grpc",
    name: "OpenTelemetry, gRPC",
    group: "Programs",
    blocks: (to) => [ofServer('otlp_grpc_listen: ":4317"'), { file: "Environment", code: otlpGRPC(to) }],
    then: "The port is off unless this server is told to open it. With server.tls_cert it speaks TLS. The token says whose lines they are, as over HTTP.",
  },
  { id: "pino", name: "Node.js, pino", group: "Programs", blocks: (to) => [{ file: "logger.js", code: pino(to) }], then: "Fields of the object become fields of the line." },
  { id: "winston", name: "Node.js, winston", group: "Programs", blocks: (to) => [{ file: "logger.js", code: winston(to) }], then: "Fields of the object become fields of the line." },
  { id: "python", name: "Python, logging", group: "Programs", blocks: (to) => [{ file: "log.py", code: python(to) }], then: "Lines are sent by a thread of their own; the program does not wait for them." },
  { id: "slog", name: "Go, slog", group: "Programs", blocks: (to) => [{ file: "main.go", code: slog(to) }], then: "Attributes become fields; what was not sent yet is sent by Shutdown." },
];
