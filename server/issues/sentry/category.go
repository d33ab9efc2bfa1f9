package sentry

// Category is the data category of an item type, as named in rate limits and
// client reports. Unknown types are "default".
func Category(itemType string) string {
	if c, ok := categories[itemType]; ok {
		return c
	}
	return "default"
}

var categories = map[string]string{
	"event":            "error",
	"transaction":      "transaction",
	"span":             "span",
	"otel_span":        "span",
	"trace":            "span",
	"attachment":       "attachment",
	"session":          "session",
	"sessions":         "session",
	"check_in":         "monitor",
	"feedback":         "feedback",
	"user_report":      "feedback",
	"user_report_v2":   "feedback",
	"log":              "log_item",
	"otel_log":         "log_item",
	"trace_metric":     "trace_metric",
	"replay_event":     "replay",
	"replay_recording": "replay",
	"replay_video":     "replay",
	"profile":          "profile",
	"profile_chunk":    "profile_chunk",
	"statsd":           "metric_bucket",
	"metric_buckets":   "metric_bucket",
	"metric_meta":      "metric_bucket",
	"raw_security":     "security",
	"security":         "security",
	"nel":              "error",
	"unreal_report":    "error",
	"form_data":        "error",
	"client_report":    "internal",
}

// Known says whether the item type is one that this server keeps. All others
// are accepted, counted as unsupported and dropped.
func Known(itemType string) bool {
	switch itemType {
	case "event", "transaction", "span", "attachment", "session", "sessions", "check_in", "feedback",
		"user_report", "log", "trace_metric", "client_report", "raw_security", "security":
		return true
	}
	return false
}
