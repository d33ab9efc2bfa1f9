// Package telemetry sends OpenTelemetry traces of what the server does: requests,
// durable jobs, and builds with their steps. It is off unless an endpoint is set; then
// nothing of it is wired, and Child, which the engine calls for each step, looks
// for a span that is not there and returns.
//
// Traces leave as OTLP in JSON over HTTP, by an exporter of our own. Names are
// routes and kinds, never addresses as they were asked, which may hold secrets.
package telemetry
