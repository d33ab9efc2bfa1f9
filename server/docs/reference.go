package docs

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// commands lists the command line.
func (f Facts) commands() string {
	var b strings.Builder
	b.WriteString("# Command line\n\n`signalbox` is the server and the tool that speaks with it. Every command explains itself with `--help`. " +
		"A command ends with 0 when it did its work, with 1 when it failed, with 2 when it was called wrongly.\n")
	for _, c := range f.Commands {
		name, _, _ := strings.Cut(c.Use, " [")
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n", strings.TrimSpace(name), cell(strings.TrimSuffix(c.Short, ".")))
		if c.Long != "" {
			fmt.Fprintf(&b, "\n```\n%s\n```\n", strings.TrimSpace(c.Long))
		}
		if c.Flags != "" {
			fmt.Fprintf(&b, "\n```\n%s\n```\n", strings.TrimRight(c.Flags, "\n"))
		}
	}
	return b.String()
}

// protocols lists what is answered in the shapes of others.
func (f Facts) protocols() string {
	var b strings.Builder
	b.WriteString("# Protocols of others\n\nThese addresses keep the shapes, errors and status codes of the programs they come from. " +
		"They prove who calls in their own way, or by a session or token.\n")
	groups := []struct{ title, text string }{
		{"Concourse", "What `fly` calls."}, {"GitHub", "Webhooks."}, {"Sentry", "What SDKs send, and what `sentry-cli` asks."},
		{"Logs", "What shippers send, and what Grafana and `logcli` ask."}, {"Nodes", "What `signalbox-agent` asks."}, {"Everything else", "Pages, health, the model context protocol."},
	}
	lines := map[string][]string{}
	for _, r := range f.Routes {
		if r.Method == "HEAD" || r.Method == "OPTIONS" || ownAPI(r.Path) {
			continue
		}
		who := r.Access
		if r.Why != "" {
			who = r.Why
		}
		title := foreign(r.Path)
		lines[title] = append(lines[title], fmt.Sprintf("| `%s` | `%s` | %s |\n", r.Method, r.Path, cell(who)))
	}
	for _, g := range groups {
		if len(lines[g.title]) == 0 {
			continue
		}
		slices.Sort(lines[g.title])
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| | Address | Who |\n|---|---|---|\n%s", g.title, g.text, strings.Join(slices.Compact(lines[g.title]), ""))
	}
	return b.String()
}

// ownAPI tells our own API from the protocols of others.
func ownAPI(path string) bool {
	return slices.ContainsFunc(surfaces, func(a surface) bool { return strings.HasPrefix(path, "/api/v1/"+a.name+"/") }) || path == "/api/v1/stream"
}

func foreign(path string) string {
	for _, g := range []struct {
		title    string
		prefixes []string
	}{
		{"Logs", []string{"/loki", "/api/prom", "/insert", "/elasticsearch", "/_bulk", "/_cat", "/:index", "/v1/logs", "/v1/", "/ready"}},
		{"Concourse", []string{"/api/v1/", "/sky", "/teams", "/builds", "/login", "/hijack", "/auth"}},
		{"GitHub", []string{"/hooks"}},
		{"Sentry", []string{"/api/"}},
		{"Nodes", []string{"/edge/"}},
	} {
		if path != "/readyz" && slices.ContainsFunc(g.prefixes, func(p string) bool { return strings.HasPrefix(path, p) }) {
			return g.title
		}
	}
	return "Everything else"
}

//go:embed reference/topics.txt
var topics string

// events lists what people, programs and pages can be told.
func (f Facts) events() string {
	var b strings.Builder
	b.WriteString("# Events\n\n## What people are told\n\nA team's channels (mail, Slack, a signed webhook) ask for these by name.\n\n| Event | When |\n|---|---|\n")
	for _, e := range f.Events {
		fmt.Fprintf(&b, "| `%s` | %s |\n", e.Name, cell(e.When))
	}
	b.WriteString("\n## A webhook's request\n\nA channel of the kind webhook posts JSON. `X-Signalbox-Event` names the event, `X-Signalbox-Delivery` is the same for each attempt, " +
		"and `X-Signalbox-Signature-256` is `sha256=` and the HMAC, under the channel's secret, of `X-Signalbox-Timestamp`, a dot, and the body.\n" +
		"\n## What pages are told\n\n`GET /api/v1/stream?topics=ci.build,issues.issue` is an event stream that says what changed, never how: `{\"topic\": …, \"id\": …, \"team\": …}`. " +
		"A topic without its second half, such as `ci`, stands for all of that capability.\n\n| Topic |\n|---|\n")
	for _, topic := range strings.Fields(topics) {
		fmt.Fprintf(&b, "| `%s` |\n", topic)
	}
	return b.String()
}

// tools lists what assistants may call.
func (f Facts) tools() string {
	var b strings.Builder
	b.WriteString("# Tools for assistants\n\nWhat the assistant and every MCP client may call, as far as the caller's rights reach. " +
		"A tool that writes becomes a card that waits for a person when the assistant wants it.\n")
	last := ""
	for _, t := range f.Tools {
		if capability, _, _ := strings.Cut(t.Name, "_"); capability != last {
			last = capability
			fmt.Fprintf(&b, "\n## %s\n", capability)
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\nNeeds `%s`", t.Name, cell(t.Description), t.Scope)
		if t.Class != "read" {
			fmt.Fprintf(&b, "; class %s", t.Class)
		}
		b.WriteString(".")
		if len(t.In) > 0 {
			fmt.Fprintf(&b, " Takes %s.", strings.Join(t.In, ", "))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// metrics lists what Prometheus finds.
func (f Facts) metrics() string {
	var b strings.Builder
	b.WriteString("# Metrics\n\n`GET /metrics`, with a token that holds `system:read`, or without one at `server.metrics_listen`. Dashboard and rules lie in `deploy/monitoring`.\n\n" +
		"| Metric | Labels | Meaning |\n|---|---|---|\n")
	for _, m := range f.Metrics {
		labels := make([]string, len(m.Labels))
		for i, l := range m.Labels {
			labels[i] = "`" + l + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", m.Name, strings.Join(labels, " "), cell(m.Help))
	}
	return b.String()
}

// agent lists how runs of signalbox-agent end.
func (f Facts) agent() string {
	var b strings.Builder
	b.WriteString("# Exit codes of the agent\n\nHow a run of `signalbox-agent` ended. The numbers do not change; scripts may rely on them, and a rollout's policy names them.\n\n| Code | Means |\n|---|---|\n")
	for _, e := range f.Exits {
		fmt.Fprintf(&b, "| %d | %s |\n", e.Code, cell(e.Meaning))
	}
	return b.String()
}
