package issues

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Setup is what a person needs to connect a program to a project.
type Setup struct {
	// DSN is for every client of today; DSNWithSecret for those of the first years, which insist on a secret.
	DSN           string `json:"dsn"`
	DSNWithSecret string `json:"dsn_with_secret"`
	// The addresses behind the DSN, for whoever sends without a client.
	EnvelopeURL string `json:"envelope_url"`
	SecurityURL string `json:"security_url"`
	MinidumpURL string `json:"minidump_url"`
	// CheckInURL has MONITOR for the monitor's name.
	CheckInURL string `json:"check_in_url"`
	// FirstEventAt is when the project first received an event; absent until then.
	FirstEventAt api.Millis `json:"first_event_at,omitzero"`
	LastEventAt  api.Millis `json:"last_event_at,omitzero"`
	// Platform is the guide that fits the project, "" when none does.
	Platform string  `json:"platform"`
	Guides   []Guide `json:"guides"`
}

// Guide says how to connect one platform. The text has the real DSN in it.
type Guide struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Install string `json:"install"`
	Code    string `json:"code"`
}

// guides are in the order shown; DSN stands for the project's.
var guides = []Guide{
	{"javascript", "Browser JavaScript", "npm install @sentry/browser", "import * as Sentry from \"@sentry/browser\";\n\nSentry.init({ dsn: \"DSN\" });"},
	{"react", "React", "npm install @sentry/react", "import * as Sentry from \"@sentry/react\";\n\nSentry.init({ dsn: \"DSN\" });"},
	{"node", "Node.js", "npm install @sentry/node", "// instrument.mjs, loaded first: node --import ./instrument.mjs app.mjs\nimport * as Sentry from \"@sentry/node\";\n\nSentry.init({ dsn: \"DSN\" });"},
	{"python", "Python", "pip install sentry-sdk", "import sentry_sdk\n\nsentry_sdk.init(dsn=\"DSN\")"},
	{"go", "Go", "go get github.com/getsentry/sentry-go", "err := sentry.Init(sentry.ClientOptions{Dsn: \"DSN\"})\nif err != nil {\n\tlog.Fatal(err)\n}\ndefer sentry.Flush(2 * time.Second)"},
	{"ruby", "Ruby", "bundle add sentry-ruby", "Sentry.init do |config|\n  config.dsn = \"DSN\"\nend"},
	{"php", "PHP", "composer require sentry/sentry", "\\Sentry\\init(['dsn' => 'DSN']);"},
	{"java", "Java", "implementation(\"io.sentry:sentry:8.+\")", "Sentry.init(options -> options.setDsn(\"DSN\"));"},
	{"dotnet", ".NET", "dotnet add package Sentry", "using var sentry = SentrySdk.Init(options => options.Dsn = \"DSN\");"},
	{"rust", "Rust", "cargo add sentry", "let _guard = sentry::init((\"DSN\", sentry::ClientOptions::default()));"},
	{"shell", "Shell, with sentry-cli", "npm install --global @sentry/cli", "export SENTRY_DSN=\"DSN\"\nsentry-cli send-event -m \"Hello\""},
}

// guideOf finds the guide for a platform such as "python-django"; "" when none fits.
func guideOf(platform string) string {
	best := ""
	for _, g := range guides {
		if platform == g.ID || strings.HasPrefix(platform, g.ID+"-") || strings.HasSuffix(platform, "-"+g.ID) {
			best = g.ID
		}
	}
	return best
}

// firstKey is the oldest key that works.
func (s *Service) firstKey(ctx context.Context, project int64) (Key, error) {
	keys, err := s.keysOf(ctx, project)
	if err != nil {
		return Key{}, err
	}
	for _, k := range keys {
		if k.Active {
			return k, nil
		}
	}
	return Key{}, problem.New(problem.Conflict, "The project has no active key. Create or activate one.")
}

// Setup gives what is needed to connect a program to a caller who may read the project.
func (s *Service) Setup(ctx context.Context, id int64) (Setup, error) {
	p, err := s.ReadableProject(ctx, id)
	if err != nil {
		return Setup{}, err
	}
	k, err := s.firstKey(ctx, id)
	if err != nil {
		return Setup{}, err
	}
	base := fmt.Sprintf("%s/api/%d", s.PublicURL(), id)
	query := "/?sentry_key=" + k.Public
	out := Setup{DSN: s.dsn(k, false), DSNWithSecret: s.dsn(k, true), EnvelopeURL: base + "/envelope" + query, SecurityURL: base + "/security" + query,
		MinidumpURL: base + "/minidump" + query, CheckInURL: base + "/cron/MONITOR/" + k.Public + "/", FirstEventAt: p.FirstEventAt, LastEventAt: p.LastEventAt,
		Platform: guideOf(p.Platform)}
	for _, g := range guides {
		g.Code = strings.ReplaceAll(g.Code, "DSN\"", out.DSN+"\"")
		g.Code = strings.ReplaceAll(g.Code, "'DSN'", "'"+out.DSN+"'")
		out.Guides = append(out.Guides, g)
	}
	return out, nil
}

// SendTestEvent sends an event through the intake as a client would, limits and
// filters included, and returns its id.
func (s *Service) SendTestEvent(ctx context.Context, id int64) (string, error) {
	p, err := s.findProject(ctx, id)
	if err != nil {
		return "", err
	}
	if err := identity.Require(ctx, p.Team, writing); err != nil {
		return "", err
	}
	k, err := s.firstKey(ctx, id)
	if err != nil {
		return "", err
	}
	open, err := s.openProject(ctx, id)
	if err != nil {
		return "", err
	}
	if open == nil {
		return "", problem.New(problem.NotFound, "There is no such project.")
	}
	envelope := sentry.Envelope{Items: []sentry.Item{{Type: "event", Payload: testEvent(p, s.PublicURL(), identity.From(ctx).Name)}}}
	envelope.Header.EventID = plainID(s.NewID())
	from := &sender{project: open, key: k, client: "signalbox-test/1"}
	from.address = identity.From(ctx).Address
	out, err := s.accept(ctx, from, envelope)
	if r, ok := err.(*refused); ok {
		return "", problem.New(problem.TooMany, "The project's limits or filters refuse events now: %s", r.detail)
	}
	if err == nil {
		err = s.flushOutcomes(ctx) // so that whoever watches sees it at once
	}
	return out.id, err
}

func testEvent(p Project, url, who string) []byte {
	frame := func(function, file string, line int, before []string, context string, after []string, inApp bool) map[string]any {
		return map[string]any{"function": function, "module": strings.TrimSuffix(file, ".py"), "filename": file, "abs_path": "/app/" + file, "lineno": line,
			"pre_context": before, "context_line": context, "post_context": after, "in_app": inApp, "vars": map[string]any{"total": "0"}}
	}
	raw, _ := json.Marshal(map[string]any{ // strings and numbers: cannot fail
		"platform": "python", "level": "error", "environment": "test", "release": "signalbox-test@1.0.0", "transaction": "/checkout",
		"tags": map[string]string{"sample_event": "yes"}, "user": map[string]string{"username": who, "ip_address": sentry.AutoIP},
		"request": map[string]any{"method": "POST", "url": url + "/checkout", "headers": map[string]string{"User-Agent": "Signalbox test event"}},
		"exception": map[string]any{"values": []any{map[string]any{"type": "ZeroDivisionError", "value": "This is a test event: division by zero", "module": "builtins",
			"mechanism": map[string]any{"type": "generic", "handled": false},
			"stacktrace": map[string]any{"frames": []any{
				frame("handle", "web/handler.py", 41, []string{"def handle(request):", "    cart = load(request)"}, "    return checkout(cart)", []string{}, true),
				frame("average", "shop/cart.py", 12, []string{"def average(total, count):", "    # nobody has bought anything yet"}, "    return total / count", []string{"", "def load(request):"}, true),
			}}}}},
		"breadcrumbs": []any{map[string]any{"category": "test", "level": "info", "message": "Somebody asked for a test event of project " + p.Slug}},
	})
	return raw
}
