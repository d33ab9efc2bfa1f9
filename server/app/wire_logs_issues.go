package app

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/signalbox/signalbox/server/issues"
	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/logs"
	"github.com/signalbox/signalbox/server/logs/record"
)

// sentryNames are attributes of Sentry's logs that other lines have under shorter names.
var sentryNames = map[string]string{"sentry.release": "release", "sentry.trace.parent_span_id": record.SpanID, "server.address": "host", "sentry.environment": "env"}

// wireLogsIssues keeps the log lines that Sentry's SDKs send beside those of shippers. They are kept inside the
// digestion's transaction: a server killed in between keeps them twice rather than not at all.
func (a *App) wireLogsIssues(context.Context) error {
	a.issues.OnLogs = func(ctx context.Context, from issues.Accepted, list []sentry.LogItem) error {
		slug, err := a.issues.ProjectSlug(ctx, from.Project)
		if err != nil {
			return err
		}
		b := logs.Batch{Team: from.Team, Source: "sentry", Drop: true}
		for i := range list {
			r, err := sentryLine(&list[i], slug)
			if err != nil {
				return err
			}
			b.Records = append(b.Records, r)
		}
		return a.logs.Accept(ctx, b)
	}
	return nil
}

func sentryLine(item *sentry.LogItem, slug string) (record.Record, error) {
	raw, err := json.Marshal(item.Attributes)
	if err != nil {
		return record.Record{}, fmt.Errorf("write the attributes of a log line: %w", err)
	}
	r := record.Record{Time: item.Timestamp, Message: item.Body}
	if item.Attributes != nil {
		if r.Fields, err = record.Flatten(raw, record.DefaultLimits); err != nil {
			return record.Record{}, fmt.Errorf("read the attributes of a log line: %w", err)
		}
	}
	r.Level, _ = record.ParseLevel(item.Level)
	if item.Severity > 0 && r.Level == record.Unknown {
		r.Level = record.OTelLevel(item.Severity)
	}
	labels := map[string]string{"service": slug, "source": "sentry"}
	for from, to := range sentryNames {
		f, ok := r.Remove(from)
		switch {
		case !ok:
		case to == "host" || to == "env":
			labels[to] = f.Value
		default:
			f.Name = to
			r.Set(f)
		}
	}
	for name, value := range map[string]string{record.TraceID: item.TraceID, record.SpanID: item.SpanID, "project": slug} {
		if value != "" {
			r.Set(record.Field{Name: name, Value: value})
		}
	}
	r.Stream = record.MakeLabels(labels)
	return r, nil
}
