package catalog

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// page is a page that is no thing of its own: it is found by what it is about.
type page struct {
	capability string
	level      identity.Level
	title      string
	// path stands behind the team's address; one that begins with / is the installation's.
	path string
	// words are what else people call it.
	words string
}

var pages = []page{
	{"accounts", identity.Read, "Timeline", "timeline", "what happened history events"},
	{"accounts", identity.Read, "Services", "services", "catalog owners"},
	{"accounts", identity.Read, "Settings: team", "settings/team", "rename delete team"},
	{"accounts", identity.Read, "Settings: members", "settings/members", "people users roles invite permissions"},
	{"accounts", identity.Read, "Settings: tokens", "settings/tokens", "api tokens scopes"},
	{"accounts", identity.Read, "Notifications", "notifications", "settings channels mail slack webhook quiet hours rules messages history"},
	{"ci", identity.Read, "Settings: secrets", "settings/secrets", "variables vars credentials"},
	{"ci", identity.Read, "GitHub", "ci/hooks", "connections app webhooks hooks settings"},
	{"ci", identity.Read, "GitHub: repositories", "ci/hooks/repositories", "organizations"},
	{"ci", identity.Read, "GitHub: deliveries", "ci/hooks/deliveries", "webhooks payloads redeliver"},
	{"ci", identity.Read, "GitHub: rules", "ci/hooks/rules", "pull requests reviews messages"},
	{"ci", identity.Read, "GitHub: statuses sent", "ci/hooks/posts", "checks comments posts"},
	{"ci", identity.Read, "Approvals of builds", "ci/approvals", "gates forks"},
	{"ci", identity.Read, "Workers", "ci/workers", "containers volumes capacity runners"},
	{"ci", identity.Read, "Packages in builds", "ci/packages", "sbom components dependencies licences"},
	{"ci", identity.Write, "New pipeline", "ci/new", "create yaml editor"},
	{"issues", identity.Read, "Releases", "issues/releases", "versions deploys health"},
	{"issues", identity.Read, "Alerts of errors", "issues/alerts", "rules"},
	{"issues", identity.Read, "Monitors", "issues/monitors", "cron check-ins"},
	{"logs", identity.Read, "Send log lines", "logs/send", "ingest shippers vector fluent bit promtail otlp syslog settings"},
	{"logs", identity.Read, "Masking of log lines", "logs/masking", "privacy settings personal data"},
	{"logs", identity.Read, "Retention and quotas of log lines", "logs/limits", "disk limits settings keep days"},
	{"logs", identity.Read, "Alerts of log lines", "logs/alerts", "threshold rules"},
	{"edge", identity.Read, "Enrolment", "edge/enrolment", "join tokens installer pending nodes"},
	{"edge", identity.Read, "Rollouts", "edge/rollouts", "deploy batches"},
	{"edge", identity.Read, "Bundles", "edge/bundles", "patches"},
	{"edge", identity.Read, "Patch policies", "edge/policies", "windows schedules"},
	{"edge", identity.Read, "Sites", "edge/sites", "bandwidth places"},
	{"edge", identity.Read, "Freezes", "edge/freezes", "holidays stop rollouts"},
	{"edge", identity.Read, "CVEs", "edge/cves", "vulnerabilities security"},
	{"edge", identity.Read, "Signing keys", "edge/keys", "trust root rotation ceremony"},
	{"assistant", identity.Read, "Assistant: settings", "assistant/settings", "model repositories budget prompt"},
	{"assistant", identity.Read, "Assistant: approvals", "assistant/approvals", "writes"},
	{"assistant", identity.Read, "Assistant: tool servers", "assistant/servers", "mcp"},
	{"assistant", identity.Read, "Assistant: Slack", "assistant/slack", "bot digests channels link"},
	{"system", identity.Admin, "System health", "/admin/health", "disk loops memory database"},
	{"system", identity.Admin, "Backups", "/admin/backups", "restore rehearsal archive"},
	{"system", identity.Admin, "Users", "/admin/users", "people accounts passwords"},
	{"system", identity.Admin, "Teams", "/admin/teams", "tenants"},
	{"system", identity.Admin, "Audit log", "/admin/audit", "who did what"},
	{"system", identity.Admin, "Dead letters", "/admin/jobs", "failed jobs queue"},
	{"", 0, "Your account", "/account", "password sessions profile shortcuts theme settings"},
}

// pagesLike are pages of which a caller may see something, whose title or words hold each word of the text.
func pagesLike(ctx context.Context, team identity.Team, text string, limit int) []thread.Hit {
	caller := identity.From(ctx)
	words := strings.Fields(strings.ToLower(text))
	var out []thread.Hit
	for _, p := range pages {
		switch {
		case len(out) == limit:
			return out
		case p.capability == "system" && !caller.CanAdministrate():
			continue
		case p.capability != "" && p.capability != "system" && !caller.Can(team.ID, identity.Scope{Capability: p.capability, Level: p.level}):
			continue
		}
		about := strings.ToLower(p.title + " " + p.words)
		if slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(about, w) }) {
			continue
		}
		path := p.path
		if !strings.HasPrefix(path, "/") {
			path = "/teams/" + url.PathEscape(team.Name) + "/" + path
		}
		out = append(out, thread.Hit{Capability: "accounts", Kind: "page", Title: p.title, Path: path})
	}
	return out
}

// others finds what the catalog itself knows: services, people of the team, the caller's teams and pages.
func (c *Catalog) others(ctx context.Context, team identity.Team, text string) ([]thread.Hit, error) {
	low := strings.ToLower(text)
	var hits []thread.Hit
	services, err := c.store.services(ctx, team.ID)
	if err != nil {
		return nil, err
	}
	for _, s := range services {
		if strings.Contains(s.Name, low) || strings.Contains(strings.ToLower(s.Package), low) || strings.Contains(s.Repository, low) {
			hits = append(hits, thread.Hit{Capability: "accounts", Kind: "service", Title: s.Name, Detail: s.Description, Path: servicePage(team.Name, s.Name)})
		}
	}
	for name := range identity.From(ctx).Teams {
		if name != team.Name && strings.Contains(strings.ToLower(name), low) {
			hits = append(hits, thread.Hit{Capability: "accounts", Kind: "team", Title: name, Path: "/teams/" + url.PathEscape(name)})
		}
	}
	if c.People != nil {
		people, err := c.People(ctx, team)
		if err != nil {
			return nil, err
		}
		for _, p := range people {
			if strings.Contains(strings.ToLower(p[0]), low) && len(hits) < 4*maxHits {
				hits = append(hits, thread.Hit{Capability: "accounts", Kind: "person", Title: p[0], Detail: p[1], Path: "/teams/" + url.PathEscape(team.Name) + "/settings/members"})
			}
		}
	}
	hits = append(hits, pagesLike(ctx, team, text, maxHits)...)
	if c.Manual != nil {
		found, err := c.Manual(ctx, text)
		if err != nil {
			return nil, err
		}
		hits = append(hits, found[:min(len(found), maxManual)]...)
	}
	return hits, nil
}

// maxManual is how much of the manual a search gives: names come before words of texts.
const maxManual = 4
