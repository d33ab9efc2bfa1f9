// Package otlp reads logs as OpenTelemetry's exporters send them over HTTP, in
// protobuf and in JSON, and writes the answers in the same encoding. Facts from
// the OTLP specification 1.5 and the messages in opentelemetry-proto 1.x.
//
// What says where a line comes from (service, host, environment, Kubernetes
// names) becomes labels; every other attribute is a field of the line.
package otlp
